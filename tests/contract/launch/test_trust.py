"""Launch runs nothing that others, or the sources in the workspace, could have put in its way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ecs_pipeline import __version__
from tests.contract.launch.agent import Agent

OURS = "arguments ['status'], umask 0o27\n"
OTHER_USER = 12345
FOREIGN: dict[str, Callable[[Path], None]] = {
    "of another user": lambda folder: os.chown(folder, OTHER_USER, -1),
    "writable by all": lambda folder: folder.chmod(0o777),
    "writable by its group": lambda folder: folder.chmod(0o770),
}


def forge(program: Path, says: str) -> None:
    """Put a program there that is not ours."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.unlink(missing_ok=True)
    program.write_text(f'#!/bin/sh\necho "{says}"\n')
    program.chmod(0o755)


@pytest.mark.parametrize("how", FOREIGN)
@pytest.mark.parametrize("which", ["cache", "environment"])
def test_a_cache_that_others_can_write_to_is_passed_over(each: Agent, which: str, how: str) -> None:
    assert each.run("status").out == OURS
    [environment] = each.environments()
    folder = {"cache": each.cache, "environment": environment}[which]
    forge(environment / "bin" / "python", "FORGED")
    FOREIGN[how](folder)
    done = each.run("status", WORKSPACE_TMP=str(each.folder / "workspace@tmp"))
    assert (done.code, done.out) == (0, OURS)
    assert f"ecs-pipeline: {folder} is not this user's alone: it is not used\n" in done.err
    refused = each.run("status")
    assert (refused.code, refused.out) == (4, "")
    assert (each.library / "launch-error").read_text() == (
        f"others can write to {folder}: remove it, or set XDG_CACHE_HOME to a folder of this user alone, "
        f"or install ecs-pipeline {__version__} on the agent\n"
    )


def test_a_relative_cache_folder_is_the_sources_and_not_used(each: Agent) -> None:
    assert each.run("status").out == OURS
    [environment] = each.environments()
    planted = each.workspace / ".cache" / "ecs-pipeline" / environment.name
    forge(planted / "bin" / "python", "FORGED")
    (planted / ".complete").touch()
    assert each.run("status", XDG_CACHE_HOME=".cache").out == OURS
    assert each.run("status", HOME=".").code == 4


def test_programs_of_the_workspace_are_not_run(each: Agent) -> None:
    for name in ("ecs-pipeline", "python3", "dirname", "mkdir", "find"):
        for folder in (".", "node_modules/.bin"):
            forge(each.workspace / folder / name, f"ecs-pipeline, version {__version__}")
    searched = f".::node_modules/.bin:{each.environment['PATH']}:"
    done = each.run("status", PATH=searched)
    assert (done.code, done.out) == (0, OURS)
    forge(each.workspace / "tools" / "ecs-pipeline", f"ecs-pipeline, version {__version__}")
    absolute = f"{each.workspace}/tools:{each.environment['PATH']}"
    assert each.run("status", PATH=absolute, WORKSPACE=str(each.workspace)).out == OURS


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONPYCACHEPREFIX"])
def test_an_installed_one_gets_no_modules_of_the_workspace(each: Agent, name: str) -> None:
    version = f'[ "$1" = --version ] && echo "ecs-pipeline, version {__version__}" && exit'
    each.program("ecs-pipeline", f'{version}\necho "{name} is ${{{name}-not set}}"')
    assert each.run("status", **{name: str(each.workspace)}).out == f"{name} is not set\n"


@pytest.mark.parametrize("name", ["PIP_REQUIREMENT", "PIP_CONSTRAINT", "PIP_EDITABLE", "PIP_PYTHON"])
def test_pip_installs_nothing_else(agent: Agent, name: str) -> None:
    other = agent.workspace / "other.txt"
    other.write_text(f"needed==2.0 --hash=sha256:{'0' * 64}\n" if name == "PIP_REQUIREMENT" else "needed==2.0\n")
    done = agent.run("status", **{name: str(other)})
    assert (done.code, done.out) == (0, OURS), done.err
