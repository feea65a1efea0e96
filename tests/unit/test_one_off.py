"""`run`: a one-off task of the release's revision; once a release by its name; its exit code is the command's."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.telemetry import LogLine
from ecs_pipeline.protocol import release_tags
from tests.fakes.names import utc
from tests.fakes.telemetry import FakeLogs
from tests.fakes.world import World
from tests.unit.commands import NAMED, Commands, Ended, commands, report

MIGRATE = ("run", *NAMED, "--name", "migrate", "--", "./migrate", "--all")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    made = commands(monkeypatch, capsys, tmp_path)
    made.world = World()
    made.world.service_tags[release_tags.RELEASE] = "rel-1"
    return made


def started(run: Commands) -> list[dict[str, Any]]:
    return [task.parameters for task in run.world.tasks.values()]


def step(end: Ended, name: str) -> dict[str, Any]:
    assert end.code == report("run")["exit_code"]
    return next(step for step in report("run")["steps"] if step["name"] == name)


def test_the_command_runs_as_the_service_s_tasks_do_in_the_revision_of_the_release(run: Commands) -> None:
    end = run(*MIGRATE)
    assert end.code == 0, end.err
    [parameters] = started(run)
    assert parameters["taskDefinition"] == run.world.deployments[0].revision
    assert parameters["overrides"] == {"containerOverrides": [{"name": "app", "command": ["./migrate", "--all"]}]}
    assert parameters["startedBy"] == "run/web"
    assert {"key": "ecs-pipeline:service", "value": "web"} in parameters["tags"]
    assert report("run")["release"]["id"] == "rel-1"
    assert step(end, "command")["message"] == "exit code 0"


def test_with_a_name_it_runs_once_a_release(run: Commands) -> None:
    assert run(*MIGRATE).code == 0
    again = run(*MIGRATE)
    assert again.code == 0
    assert step(again, "command")["message"] == "migrate ran for this release before: exit code 0"
    assert report("run")["changed"] is False
    assert len(started(run)) == 1

    run.world.service_tags[release_tags.RELEASE] = "rel-2"
    assert run(*MIGRATE).code == 0
    assert len(started(run)) == 2


def test_a_process_that_died_waits_on_for_the_same_task(run: Commands) -> None:
    def die(when: str, call: str, _write: bool) -> None:  # noqa: FBT001
        if (when, call) == ("after", "RunTask"):
            raise KeyboardInterrupt

    run.world.hook = die
    assert run(*MIGRATE).code == 130
    run.world.hook = lambda *_: None
    assert run(*MIGRATE).code == 0
    assert len(started(run)) == 1


def test_without_a_name_it_runs_each_time(run: Commands) -> None:
    for _ in range(2):
        assert run("run", *NAMED, "--", "./seed").code == 0
    assert len(started(run)) == 2
    assert not [key for key in run.world.service_tags if key.startswith(release_tags.RAN)]


def test_the_exit_code_is_the_command_s_also_the_second_time(run: Commands) -> None:
    run.world.command_code = 7
    first = run(*MIGRATE)
    assert first.code == 7
    assert "migrate ended with exit code 7" in first.err
    assert report("run")["outcome"] == "failed"
    again = run(*MIGRATE)
    assert again.code == 7
    assert "migrate ran for this release before: exit code 7; another --name runs it again" in again.err
    assert len(started(run)) == 1


def test_a_command_that_never_started_is_a_failure(run: Commands) -> None:
    run.world.command_code = None
    end = run(*MIGRATE)
    assert end.code == 1
    assert "the command did not run: Essential container in task exited" in end.err
    assert not [key for key in run.world.service_tags if key.startswith(release_tags.RAN)]


def test_its_log_is_told_as_it_comes_each_line_once(run: Commands) -> None:
    logs = FakeLogs()
    run.changes["logs"] = logs
    number = "1".zfill(32)
    since = utc(run.world.now) + timedelta(days=1)
    logs.lines = [LogLine(str(index), since, f"app/app/{number}", f"line {index}") for index in range(3)]
    end = run(*MIGRATE)
    told = [line.partition("| ")[2] for line in end.err.splitlines() if "| line" in line]
    assert told == ["line 0", "line 1", "line 2"]


def test_a_log_that_cannot_be_read_is_told_once_at_the_end(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> list[LogLine]:
        raise Trouble("logs:FilterLogEvents: AccessDenied")

    monkeypatch.setattr(FakeLogs, "matches", fail)
    end = run(*MIGRATE)
    assert end.code == 0
    assert end.err.count("its log cannot be read: logs:FilterLogEvents: AccessDenied") == 1


def test_the_command_is_a_junit_case(run: Commands) -> None:
    run.world.command_code = 7
    run(*MIGRATE)
    root = etree.parse("ecs-pipeline-reports/TEST-ecs-pipeline-run.xml").getroot()
    assert [case.get("name") for case in root.iter("testcase")] == ["preflight", "task", "command"]


def test_a_dry_run_runs_nothing(run: Commands) -> None:
    end = run("run", *NAMED, "--dry-run", "--output", "json", "--", "./seed")
    assert (end.code, started(run)) == (0, [])
    assert json.loads(end.out)["plan"] == ["run a task of web:1"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run", *NAMED), "Missing argument '-- COMMAND...'"),
        (("run", *NAMED, "--timeout", "soon", "--", "x"), "'soon' is not a duration"),
        (("run", *NAMED, "--name", "a b", "--", "x"), "--name 'a b' is not a name"),
        (("run", *NAMED, "--release", "rel-9", "--", "x"), "belongs to release rel-9"),
    ],
)
def test_wrong_usage_runs_nothing(run: Commands, words: tuple[str, ...], told: str) -> None:
    end = run(*words)
    assert (end.code, started(run)) == (2, [])
    assert told in end.err


def test_one_that_outlasts_its_time_goes_on_and_may_be_waited_for_again(run: Commands) -> None:
    run.world.delays.start = 60
    end = run("run", *NAMED, "--name", "slow", "--timeout", "5s", "--", "./slow")
    assert end.code == 4
    assert "the command still runs after 5s" in end.err
    assert run("run", *NAMED, "--name", "slow", "--", "./slow").code == 0
    assert len(started(run)) == 1


@pytest.mark.parametrize(
    ("tag", "code"),
    [("rel 3 t", 3), ("rel", None), ("rel x t", None), ("other 3 t", None), ("", None), ("rel 999", None)],
)
def test_a_record_that_says_nothing_counts_as_absent(tag: str, code: int | None) -> None:
    assert release_tags.ran({f"{release_tags.RAN}m": tag}, "m", "rel") == code


def test_a_foreign_task_with_the_token_of_a_name_is_passed_by(run: Commands) -> None:
    revision = run.world.deployments[0].revision
    source = "\0".join((run.world.service_facts().arn, "rel-1", revision, "migrate"))
    token = hashlib.sha256(source.encode()).hexdigest()
    overrides = {"containerOverrides": [{"name": "app", "command": ["true"]}]}
    given = {"taskDefinition": revision, "startedBy": "run/web", "tags": [], "overrides": overrides}
    run.world.run_task({**given, "clientToken": token})
    end = run(*MIGRATE)
    assert end.code == 0, end.err
    assert "has the token, but it was given another command: it is passed by" in end.err
    assert [each["overrides"]["containerOverrides"][0]["command"][0] for each in started(run)] == ["true", "./migrate"]
