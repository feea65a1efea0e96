"""Launch, where something is missing: one line that says what and what to do, exit 4, nothing left behind."""

from __future__ import annotations

import hashlib
import shutil
import tarfile

import pytest

from ecs_pipeline import __version__
from tests.contract.launch.agent import Agent, Ended
from tools.package import LAUNCH

INSTEAD = f"or install ecs-pipeline {__version__} on the agent"


def refused(agent: Agent, code: int = 4, **environment: str) -> str:
    """What launch said; the same is left for the build's error."""
    done: Ended = agent.run("canary", **environment)
    assert (done.code, done.out) == (code, "")
    assert (agent.library / "launch-error").read_text() == f"{done.said}\n"
    assert (agent.environments(), agent.left_over()) == ([], [])
    return done.said


def test_an_old_python(each: Agent) -> None:
    each.only_python("import sys; sys.version_info = (3, 9, 18)")
    said = refused(each)
    assert said == (
        "no Python 3.10 or newer (python3 is Python 3.9.18): install one, name one in ECS_PIPELINE_PYTHON, " + INSTEAD
    )


def test_no_python(agent: Agent) -> None:
    agent.program("python3", "exit 127")
    agent.only_python("")
    (agent.programs / "python3").write_text("#!/bin/sh\nexit 127\n")
    assert refused(agent).startswith("no Python 3.10 or newer: install one")


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv(agent: Agent, module: str) -> None:
    agent.only_python(f"import sys; sys.modules['{module}'] = None")
    said = refused(agent)
    assert said == f"python3 has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv), {INSTEAD}"


def test_a_venv_module_that_is_there_in_part(agent: Agent) -> None:
    (agent.programs / "python3").write_text(
        (agent.programs / "python3").read_text().replace("#!/bin/sh", '#!/bin/sh\n[ "$3" = venv ] && exit 1')
    )
    assert refused(agent).startswith("python3 makes no virtual environment: install its venv module")


def test_another_file_under_a_pinned_name(each: Agent) -> None:
    each.pin("0" * 64)
    assert refused(each) == (
        f"needed==1.0 has not the pinned hash: see what the index or wheel folder of pip serves, {INSTEAD}"
    )


def test_a_requirement_without_a_hash(agent: Agent) -> None:
    agent.require("needed==1.0\n")
    assert refused(agent) == f"pip failed: see its words below, {INSTEAD}"


def test_a_wheel_folder_without_the_wheel(agent: Agent) -> None:
    shutil.rmtree(agent.wheels)
    agent.wheels.mkdir()
    assert refused(agent).startswith("pip finds no needed==1.0 for this agent: add it to the index or wheel folder, ")


def test_a_source_distribution_is_not_built(agent: Agent) -> None:
    shutil.rmtree(agent.wheels)
    agent.wheels.mkdir()
    source = agent.wheels / "needed-1.0.tar.gz"
    with tarfile.open(source, "w:gz") as archive:
        archive.add(agent.launch, "needed-1.0/setup.py")
    agent.pin(hashlib.sha256(source.read_bytes()).hexdigest())
    assert refused(agent).startswith("pip finds no needed==1.0 for this agent")


@pytest.mark.parametrize("retries", ["0", "1"])
def test_an_index_that_cannot_be_reached(agent: Agent, retries: str) -> None:
    shutil.rmtree(agent.wheels)
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        del agent.environment[name]
    said = refused(agent, PIP_INDEX_URL="http://user:geheim@127.0.0.1:9/simple", PIP_RETRIES=retries)
    assert said.startswith("no package index can be reached: set PIP_INDEX_URL to a mirror, or PIP_NO_INDEX=1 and ")


def test_a_password_of_the_index_is_not_shown(agent: Agent) -> None:
    del agent.environment["PIP_NO_INDEX"]
    agent.pin("0" * 64)
    done = agent.run("canary", PIP_INDEX_URL="http://user:geheim@127.0.0.1:9/simple", PIP_RETRIES="0")
    assert done.code == 4
    assert "geheim" not in done.err


def test_no_folder_that_can_be_written(each: Agent) -> None:
    (each.home / ".cache").write_text("a file is in the way\n")
    blocked = each.folder / "blocked"
    blocked.write_text("so it is here\n")
    said = refused(each, WORKSPACE_TMP=str(blocked))
    assert said == (
        f"cannot write to {each.home}/.cache nor to {blocked}: "
        f"set XDG_CACHE_HOME to a folder that this user can write, {INSTEAD}"
    )


def test_neither_home_nor_workspace(agent: Agent) -> None:
    del agent.environment["HOME"]
    assert refused(agent).startswith(
        "cannot write to a cache folder (no HOME) nor to a workspace (no WORKSPACE_TMP): set XDG_CACHE_HOME"
    )


def test_a_launch_that_is_not_whole(each: Agent) -> None:
    shutil.copy(LAUNCH, each.launch)
    assert refused(each, 2) == f"{each.launch} is not whole: take resources/ecs_pipeline/launch of the library"


def test_a_package_that_does_not_run_here(agent: Agent) -> None:
    agent.carry({"cli/wiring.py": "import not_there\n"})
    assert refused(agent).startswith(
        "what was installed does not run (ModuleNotFoundError: No module named 'not_there')"
    )
