"""Launch, where all is well: which ecs-pipeline it starts, and that a stage runs as if it were started itself."""

from __future__ import annotations

import os
import shutil
import signal

from ecs_pipeline import __version__
from tests.contract.launch.agent import Agent, ended


def test_the_first_stage_installs_and_the_next_one_finds_it(each: Agent) -> None:
    first = each.run("canary", "--release", "two words; $HOME", FAKE_EXIT="5")
    assert (first.code, first.out) == (5, "arguments ['canary', '--release', 'two words; $HOME'], umask 0o27\n")
    assert f"installing {__version__} once" in first.err
    [environment] = each.environments()
    assert environment.name.startswith(f"{__version__}-")
    (each.workspace / "needed.py").write_text("raise SystemExit('a module of the workspace was taken for ours')\n")
    shutil.rmtree(each.wheels)
    second = each.run("promote", PYTHONPATH=str(each.workspace))
    assert (second.code, second.out, second.err) == (0, "arguments ['promote'], umask 0o27\n", "")
    assert (each.environments(), each.left_over()) == ([environment], [])
    assert not (each.library / "launch-error").exists()


def test_another_package_or_another_pin_gets_an_environment_of_its_own(agent: Agent) -> None:
    assert agent.run("status").code == 0
    agent.require(agent.requirements.read_text() + "# the same, said otherwise\n")
    assert agent.run("status").code == 0
    agent.carry({"__main__.py": "print('newer')\n"})
    assert agent.run("status").out == "newer\n"
    assert len(agent.environments()) == 3


def test_the_version_on_the_path_is_taken(each: Agent) -> None:
    each.program(
        "ecs-pipeline", f'[ "$1" = --version ] && echo ecs-pipeline, version {__version__} && exit\necho "$@"\nexit 3'
    )
    done = each.run("rollback", "a b")
    assert (done.code, done.out, done.err) == (3, "rollback a b\n", "")
    assert not each.cache.exists()


def test_another_version_on_the_path_is_not_taken(agent: Agent) -> None:
    agent.program("ecs-pipeline", f'echo "ecs-pipeline, version 1{__version__}"')
    assert agent.run("status").out.startswith("arguments ['status']")


def test_the_stage_is_the_process_that_was_started(each: Agent) -> None:
    process = each.start("canary", "sleep")
    assert process.stdout
    assert process.stdout.readline().startswith("arguments")
    process.send_signal(signal.SIGTERM)
    done = ended(process)
    assert (done.code, done.out) == (143, "heard it\n")


def test_of_three_at_once_one_installs(each: Agent) -> None:
    runs = [ended(process) for process in [each.start("canary", str(number)) for number in range(3)]]
    assert [run.code for run in runs] == [0, 0, 0]
    assert sum("installing" in run.err for run in runs) == 1
    assert sum("waiting for another build" in run.err for run in runs) == 2
    assert (len(each.environments()), each.left_over()) == (1, [])


def test_without_a_home_the_workspace_s_temporary_folder_is_used(agent: Agent) -> None:
    del agent.environment["HOME"]
    temporary = agent.folder / "workspace@tmp"
    assert agent.run("status", WORKSPACE_TMP=str(temporary)).code == 0
    assert len(list((temporary / "ecs-pipeline").glob(f"{__version__}-*"))) == 1


def test_settings_of_pip_that_lead_elsewhere_do_not_lead_there(agent: Agent) -> None:
    astray = {"PIP_USER": "1", "PIP_TARGET": str(agent.folder / "target"), "PIP_PREFIX": str(agent.folder / "prefix")}
    assert agent.run("status", **astray).code == 0
    assert not (agent.folder / "target").exists()


def test_an_environment_whose_python_is_gone_is_made_anew(agent: Agent) -> None:
    assert agent.run("status").code == 0
    [environment] = agent.environments()
    (environment / "bin" / "python").unlink()
    (environment / "bin" / "python").symlink_to(agent.folder / "gone")
    assert agent.run("status").code == 0
    assert (agent.environments(), agent.left_over()) == ([environment], [])


def test_environments_unused_for_a_month_are_removed_by_the_next_build(agent: Agent) -> None:
    ages = {"0.0.1-old": 40, "0.0.2-used": 2}
    for name, days in ages.items():
        (agent.cache / name).mkdir(parents=True)
        (agent.cache / name / ".complete").touch()
        then = (agent.cache / name / ".complete").stat().st_mtime - days * 86400
        os.utime(agent.cache / name / ".complete", (then, then))
    assert agent.run("status").code == 0
    assert [environment.name for environment in agent.environments()][:-1] == ["0.0.2-used"]


def test_the_python_can_be_named(agent: Agent) -> None:
    python = agent.programs / "a python"
    (agent.programs / "python3").rename(python)
    agent.program("python3", "exit 1")
    assert agent.run("status", ECS_PIPELINE_PYTHON=str(python)).code == 0
