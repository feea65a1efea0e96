"""Launch as the Jenkins steps call it: what it tells the step, which codes it passes on, which folders it refuses."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from ecs_pipeline import __version__
from tests.contract.launch.agent import Agent, Ended, ended

REPORTS = "reports/api prd"
STAGE = """
[ "$1" = --version ] && echo "ecs-pipeline, version {version}" && exit
echo "{{\\"stage\\": \\"$1\\"}}" >"$ECS_PIPELINE_REPORTS/$1.json"
{more}
"""


def stage(agent: Agent, more: str) -> None:
    """Put an ecs-pipeline on the PATH that writes its report and does more."""
    agent.program("ecs-pipeline", STAGE.format(version=__version__, more=more))


def printing(agent: Agent, *commands: str) -> None:
    """Put an ecs-pipeline on the PATH that writes no report."""
    version = f'[ "$1" = --version ] && echo ecs-pipeline, version {__version__} && exit'
    agent.program("ecs-pipeline", "\n".join([version, *commands]))


def start(agent: Agent, **settings: str) -> subprocess.Popen[str]:
    environment = {
        "ECS_PIPELINE_STAGE": "canary",
        "ECS_PIPELINE_REPORTS": REPORTS,
        "ECS_PIPELINE_ACCEPT": "0 5",
        "ECS_PIPELINE_CALL": "7-1234",
    }
    return agent.start("--for-jenkins", **{**environment, **settings})


def run(agent: Agent, **settings: str) -> Ended:
    return ended(start(agent, **settings))


def told(agent: Agent) -> tuple[str, str, str]:
    """The first line, the reason, and the report."""
    call, reason, report = (agent.library / "told").read_text().split("\n", 2)
    return call, reason, report


@pytest.mark.parametrize(("code", "shown"), [(0, 0), (1, 1), (3, 3), (5, 0)])
def test_the_code_is_told_and_shown_unless_the_step_goes_on_with_it(each: Agent, code: int, shown: int) -> None:
    stage(each, f"exit {code}")
    assert run(each).code == shown
    call, reason, report = told(each)
    assert (call, reason, json.loads(report)) == (f"7-1234 {code}", "", {"stage": "canary"})


def test_what_an_earlier_build_left_is_not_this_ones(each: Agent) -> None:
    reports = each.workspace / REPORTS
    reports.mkdir(parents=True)
    for name in ("canary.json", "canary.html", "canary-share.svg", "TEST-ecs-pipeline-canary.xml", "promote.json"):
        (reports / name).write_text("old")
    (each.library / "told").write_text("old")
    printing(each, "exit 4")
    assert run(each).code == 4
    assert [file.name for file in reports.iterdir()] == ["promote.json"]
    assert told(each) == ("7-1234 4", "", "")


def test_what_it_prints_may_be_its_report(each: Agent) -> None:
    printing(each, "echo 'ecs-pipeline: a note' >&2", "echo '{\"live\": null}'")
    done = run(each, ECS_PIPELINE_PRINTS="1")
    assert (done.out, done.err) == ("", "ecs-pipeline: a note\n")
    assert json.loads(told(each)[2]) == {"live": None}


def test_why_it_printed_nothing_is_told(each: Agent) -> None:
    lines = "ecs-pipeline: installing 0.1.0", "ecs-pipeline canary: no cluster shop; create it", "  a detail: more"
    printing(each, *(f"echo '{line}' >&2" for line in lines), "exit 2")
    assert run(each, ECS_PIPELINE_PRINTS="1").code == 2
    assert told(each) == ("7-1234 2", "no cluster shop; create it", "")


def test_why_it_could_not_be_started_is_told(each: Agent) -> None:
    each.only_python("import sys; sys.version_info = (3, 9, 18)")
    done = run(each)
    assert done.code == 4
    assert told(each) == ("7-1234 4", done.said, "")


def test_another_program_may_be_named(each: Agent) -> None:
    program = each.programs / "ours"
    program.write_text('#!/bin/sh\necho "ours $*"\nexit 3\n')
    program.chmod(0o755)
    done = run(each, ECS_PIPELINE_EXECUTABLE=str(program))
    assert (done.code, done.out) == (3, "ours canary\n")


@pytest.mark.parametrize("to_all", [True, False])
def test_an_abort_waits_for_the_report_of_the_stage(each: Agent, *, to_all: bool) -> None:
    """Jenkins signals every process of a step at once."""
    stage(
        each,
        'trap "echo {} >\\"$ECS_PIPELINE_REPORTS/$1.json\\"; exit 143" TERM; echo $$; while :; do sleep 0.05; done',
    )
    process = start(each)
    assert process.stdout
    child = int(process.stdout.readline())
    if to_all:
        process.send_signal(signal.SIGTERM)
    subprocess.run(["kill", str(child)], check=True)
    assert ended(process).code == 143
    assert told(each) == ("7-1234 143", "", "{}\n")


@pytest.mark.parametrize("link", ["reports", "reports/api prd", "reports/api prd/canary-leak.svg"])
def test_a_link_among_the_reports_is_refused(each: Agent, link: str) -> None:
    outside = each.folder / "outside"
    (outside / "api prd").mkdir(parents=True)
    secret = outside / "canary.json"
    secret.write_text("secret")
    place = each.workspace / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside)
    stage(each, "")
    done = run(each)
    assert done.code == 2
    assert done.said == f"{link} is a link: remove it, or name another folder in `reports`"
    assert told(each)[:2] == ("7-1234 2", done.said)
    assert secret.read_text() == "secret"
    assert _files(outside) == ["canary.json"]


def _files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.rglob("*") if file.is_file())
