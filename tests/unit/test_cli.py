"""The command line around a stage: what it prints where, its exit code, the files it leaves."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import pytest

from ecs_pipeline import errors
from ecs_pipeline.cli import wiring
from ecs_pipeline.engine.record import StageRecord, StepRecord
from ecs_pipeline.engine.run import Origin, Run
from ecs_pipeline.reports.brief import BriefConsole
from tests.unit.commands import NAMED, Commands, commands, report
from tests.unit.protocol.simulation import start_of

JUNIT = "TEST-ecs-pipeline-canary.xml"
FILES = {JUNIT, "canary.html", "canary.json", "canary.svg", "index.html", "report.css"}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    return commands(monkeypatch, capsys, tmp_path)


def test_a_stage_that_is_done_exits_0_with_its_reports(run: Commands) -> None:
    end = run("canary", *NAMED, "--release", "A")
    assert (end.code, end.out) == (0, "")
    assert {file.name for file in Path("ecs-pipeline-reports").iterdir()} >= FILES
    assert (report()["outcome"], report()["release"]["id"], report()["exit_code"]) == ("passed", "A", 0)


def test_the_reports_go_where_they_are_wanted(run: Commands) -> None:
    run("canary", *NAMED, "--reports", "some/where")
    assert report(folder="some/where")["exit_code"] == 0


def test_json_alone_is_on_stdout_and_progress_on_stderr(run: Commands) -> None:
    end = run("canary", *NAMED, "--release", "A", "--output", "json")
    assert json.loads(end.out) == report()
    assert "preflight" in end.err


def test_a_dry_run_prints_the_plan_and_leaves_no_files(run: Commands) -> None:
    end = run("canary", *NAMED, "--release", "A", "--dry-run")
    assert (end.code, run.world.writes()) == (0, start_of("P runs").writes())
    assert list(Path().iterdir()) == []
    steps = [line.split()[0] for line in end.out.splitlines()]
    assert steps[:7] == ["preflight", "image", "task-definition", "tasks", "healthy", "traffic", "bake"]
    assert "change           containerDefinitions.app.image: " in end.out
    assert "passed" not in end.err
    assert "containerDefinitions" not in end.err
    assert re.search(r"canary prd/web: nothing was written, \S+, \d+ AWS calls\n\Z", end.err)


def test_a_dry_run_tells_that_another_canary_goes_first(run: Commands) -> None:
    run.world = start_of("A is a canary")
    end = run("canary", *NAMED, "--release", "B", "--replace", "--dry-run")
    assert end.out.splitlines()[0] == "first            would cancel release A"
    assert "first" not in run("canary", *NAMED, "--release", "A", "--dry-run").out


@pytest.mark.parametrize(("words", "told"), [((), True), (("--release", "A"), False)])
def test_what_keeps_git_from_telling_the_commit_is_said_where_it_matters(
    run: Commands, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], *, told: bool
) -> None:
    made = wiring.new_run

    def with_problem(*arguments: Any) -> Run:
        return replace(made(*arguments), origin=Origin(problem="git does not tell the commit of /x: dubious"))

    monkeypatch.setattr(wiring, "new_run", with_problem)
    end = run("canary", *NAMED, *words)
    line = "git does not tell the commit of /x: dubious; to resume a release, give its --release"
    assert (line in end.err) is told


FAILURES: list[tuple[Callable[[str], Exception], int, str]] = [
    (errors.ReleaseFailed, 1, "failed"),
    (errors.InvalidInput, 2, "refused"),
    (errors.Refused, 3, "refused"),
    (errors.Trouble, 4, "error"),
    (errors.Inconclusive, 5, "inconclusive"),
    (lambda _text: errors.Interrupted(2), 130, "interrupted"),
    (lambda _text: errors.Interrupted(15), 143, "interrupted"),
]


@pytest.mark.parametrize(("failure", "code", "outcome"), FAILURES)
def test_each_kind_of_failure_has_its_exit_code(
    run: Commands, failure: Callable[[str], Exception], code: int, outcome: str
) -> None:
    run.failing(failure("why"))
    end = run("canary", *NAMED)
    assert end.code == code == report()["exit_code"]
    assert report()["outcome"] == outcome
    assert "Traceback" not in end.err
    assert "Traceback" in run("canary", *NAMED, "--verbose").err


def test_a_wrong_config_leaves_reports_too(run: Commands) -> None:
    Path("ecs-pipeline.yml").write_text("app: web\ncanari: {}\n")
    end = run("canary", "--environment", "prd")
    line = "ecs-pipeline.yml:2: canari: unknown key (did you mean canary?)"
    assert (end.code, end.err) == (2, f"ecs-pipeline: {line}\n")
    assert f'message="{line}"' in (Path("ecs-pipeline-reports") / JUNIT).read_text()
    assert [step["outcome"] for step in report()["steps"]][:2] == ["failed", "skipped"]


@pytest.mark.parametrize("words", [("canary",), ("canary", "--dry-run"), ("promote",), ("rollback",), ("status",)])
def test_bad_input_that_is_found_before_aws_is_asked_is_one_line_and_nothing_else(
    run: Commands, words: tuple[str, ...]
) -> None:
    Path("ecs-pipeline.yml").write_text("cluster: c\nservice: s\ncanary: {bkae: 1m}\n")
    end = run(*words)
    assert (end.code, end.out) == (2, "")
    assert end.err == "ecs-pipeline: ecs-pipeline.yml:3: canary.bkae: unknown key (did you mean bake?)\n"


@pytest.mark.parametrize("command", ["canary", "status"])
def test_more_mistakes_are_named_at_the_end_of_the_one_line(run: Commands, command: str) -> None:
    Path("ecs-pipeline.yml").write_text("cluster: c\nservice: s\ncanary: {bkae: 1m}\nregoin: x\n")
    end = run(command)
    assert end.err == (
        "ecs-pipeline: ecs-pipeline.yml:3: canary.bkae: unknown key (did you mean bake?) (and one more mistake: "
        "ecs-pipeline.yml:4: regoin: unknown key (did you mean region?))\n"
    )


@pytest.mark.parametrize("command", ["canary", "status"])
def test_verbose_shows_no_value_of_a_config(run: Commands, command: str) -> None:
    Path("ecs-pipeline.yml").write_text("cluster: c\nservice: s\nimage: {build_args: {TOKEN: [hunter2]}, x: hunter2}\n")
    end = run(command, "--verbose")
    assert (end.code, "Traceback" in end.err) == (2, True)
    assert "hunter2" not in end.err


def test_what_others_wrote_is_plain_on_every_stream(run: Commands) -> None:
    run.failing(errors.Trouble("evil\x1b[2J\r\n\u202ecipl", cure="\x1b]0;x\x07look", evidence=["a\x1b[1mb"]))
    end = run("status", *NAMED, "--output", "json")
    assert end.err == "ecs-pipeline: evil cipl; look\n  ab\n"
    assert json.loads(end.out)["message"] == "evil cipl"
    assert run("nonsense\x1b[2J").err.startswith("ecs-pipeline: No such command 'nonsense")
    assert "\x1b" not in run("nonsense\x1b[2J").err


def test_what_aws_says_is_told_with_the_steps_that_led_there(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(made: Run) -> None:
        made.recorder.counts(lambda: 1)
        with made.recorder.step("preflight"):
            raise errors.InvalidInput("no cluster prd", cure="check --cluster")

    monkeypatch.setattr("ecs_pipeline.stages.canary.canary", lambda made, _options: refused(made))
    end = run("canary", *NAMED)
    assert end.code == 2
    assert "INVALID canary prd/web: preflight: no cluster prd" in end.err
    assert end.err.endswith("→ check --cluster\n")


def test_the_console_begins_with_the_first_call_of_aws() -> None:
    heard: list[str] = []

    class Console:
        def __getattr__(self, name: str) -> Any:
            return lambda *_: heard.append(name)

    record = StageRecord("canary", "c", "s", "", datetime.now(timezone.utc), [StepRecord("preflight")])
    console = BriefConsole(cast(Any, Console()))
    console.step_started(record, record.steps[0])
    console.progressed(record, record.steps[0], "x")
    assert heard == []
    record.aws_calls = 1
    console.updated(record)
    assert heard == ["step_started", "progressed", "updated"]
    console.step_ended(record, record.steps[0])
    record.exit_code = 2
    console.finished(record)
    assert heard[3:] == ["step_ended", "finished"]


@pytest.mark.parametrize("folder", ["file", "file/within"])
@pytest.mark.parametrize("command", ["canary", "rollback"])
def test_a_reports_folder_that_cannot_be_is_refused_before_anything_is_done(
    run: Commands, command: str, folder: str
) -> None:
    Path("file").touch()
    end = run(command, *NAMED, "--reports", folder)
    assert (end.code, run.world.writes()) == (2, start_of("P runs").writes())
    assert end.err.startswith(f"ecs-pipeline: reports cannot be written to {folder}: ")
    assert end.err.endswith("; name a folder that can be written to: --reports DIR\n")
    assert end.err.count("\n") == 1


def test_a_dry_run_needs_no_reports_folder(run: Commands) -> None:
    Path("file").touch()
    assert run("canary", *NAMED, "--dry-run", "--reports", "file").code == 0


def test_a_full_disk_does_not_stop_a_stage(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    monkeypatch.setattr("tempfile.mkstemp", full)
    end = run("canary", *NAMED)
    assert end.code == 0
    assert "reports cannot be written to ecs-pipeline-reports: No space left on device" in end.err


@pytest.mark.parametrize("failure", [errors.Refused("no"), ZeroDivisionError("a mistake")])
@pytest.mark.parametrize("command", ["canary", "promote", "rollback", "judge", "status"])
def test_a_failure_too_is_one_json_document_on_stdout(run: Commands, command: str, failure: Exception) -> None:
    run.failing(failure)
    end = run(command, *NAMED, "--output", "json")
    document = json.loads(end.out)
    assert (document["exit_code"], document["service"]) == (end.code, "web")
    assert str(failure) in document["message"]


def test_a_mistake_of_ours_shows_its_traceback_and_asks_for_a_report(run: Commands) -> None:
    run.failing(ZeroDivisionError("a mistake"))
    end = run("canary", *NAMED)
    assert end.code == 4
    assert "Traceback (most recent call last)" in end.err
    assert "ZeroDivisionError: a mistake" in end.err
    assert "please report the lines above. The same command may be run again." in end.err
    assert (report()["outcome"], report()["exit_code"]) == ("error", 4)
