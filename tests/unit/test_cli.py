"""The command line around a stage: its options, what it prints where, its exit code, the files it leaves."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import pytest

from ecs_pipeline import __version__, errors
from ecs_pipeline.cli import wiring
from ecs_pipeline.cli.next_steps import with_flags
from ecs_pipeline.cli.options import Common
from ecs_pipeline.engine.record import StageRecord, StepRecord
from ecs_pipeline.engine.run import Origin, Run
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.reports.brief import BriefConsole
from tests.fakes.world import World
from tests.unit.commands import NAMED, Commands, Ended, commands, report
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary

ROOT = Path(__file__).parents[2]
JUNIT = "TEST-ecs-pipeline-canary.xml"
FILES = {JUNIT, "canary.html", "canary.json", "canary.svg", "index.html", "report.css"}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    return commands(monkeypatch, capsys, tmp_path)


# ---- usage


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("canary", "--relase", "x"), "ecs-pipeline canary: No such option '--relase'"),
        (("canry",), "ecs-pipeline: No such command 'canry'"),
        (("canary", "--release"), "ecs-pipeline: Option '--release' requires an argument"),
        (("canary", "now"), "ecs-pipeline canary: Got unexpected extra argument (now)"),
        (("status", "--output", "xml"), "ecs-pipeline status: Invalid value for '--output': 'xml' is not one of"),
        (("rollback", "--to", "1", "--canary"), "ecs-pipeline rollback: --to excludes --release and --canary"),
        (("promote", "--release", ""), "ecs-pipeline promote: Invalid value for '--release': it is empty"),
        (("canary", "--image", " "), "ecs-pipeline canary: Invalid value for '--image': it is empty"),
        (("status", "--cluster", ""), "ecs-pipeline status: Invalid value for '--cluster': it is empty"),
        (("rollback", "--to", "1", "--release", "r"), "ecs-pipeline rollback: --to excludes --release and --canary"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_help(run: Commands, words: tuple[str, ...], line: str) -> None:
    end = run(*words)
    assert (end.code, end.out, end.err.count("\n")) == (2, "", 1)
    assert end.err.startswith(line)
    assert end.err.endswith(f"(see `{line.partition(':')[0]} --help`)\n")
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("given", "meant"),
    [("--env", "--environment"), ("--relase", "--release"), ("--img", "--image"), ("--clustr", "--cluster")],
)
def test_an_option_that_there_is_not_names_the_one_that_is_meant(run: Commands, given: str, meant: str) -> None:
    assert f"No such option '{given}'. Did you mean '{meant}'?" in run("canary", given, "x").err


def test_a_canary_that_passed_says_what_may_be_done_next_with_the_flags_given(run: Commands) -> None:
    end = run("canary", *NAMED, "--release", "A")
    last = end.err.splitlines()[-1]
    flags = "--cluster prd --service web"
    assert last == f"→ takes 25.0 % until: ecs-pipeline promote {flags} | rollback {flags} --canary"


def test_the_commands_of_a_cure_carry_the_flags_given(run: Commands) -> None:
    run("canary", *NAMED, "--release", "A")
    end = run("promote", *NAMED, "--release", "B")
    assert end.err.splitlines()[-1] == (
        "→ promote what was approved: `promote --cluster prd --service web --release A`"
    )


@pytest.mark.parametrize(
    ("cure", "told"),
    [
        ("run `canary` first", "run `canary --environment p --service 'a b'` first"),
        ("`ecs-pipeline policy` prints it", "`ecs-pipeline policy --environment p --service 'a b'` prints it"),
        ("`rollback --cluster c --service s` it", "`rollback --cluster c --service s` it"),
        ("correct `rollback.drain` or `canary.bake`", "correct `rollback.drain` or `canary.bake`"),
    ],
)
def test_only_commands_get_the_flags_and_only_once(cure: str, told: str) -> None:
    assert with_flags(cure, Common(environment="p", service="a b")) == told
    assert with_flags(cure, Common()) == cure


def test_without_a_command_the_help_is_shown_as_a_mistake(run: Commands) -> None:
    end = run()
    assert (end.code, end.out) == (2, "")
    assert "Usage: ecs-pipeline" in end.err


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("canary", "--help"), ("rollback", "-h")])
def test_help_is_shown_on_stdout(run: Commands, words: tuple[str, ...]) -> None:
    end = run(*words)
    assert (end.code, end.err) == (0, "")
    assert end.out.startswith("Usage: ecs-pipeline")


def test_the_version_is_that_of_the_package(run: Commands) -> None:
    assert run("--version").out.strip().endswith(__version__)


@pytest.mark.parametrize("words", [["--help"], ["canary", "--help"], ["nonsense"]])
def test_help_needs_none_of_the_heavy_libraries(words: list[str]) -> None:
    script = (
        "import sys; from ecs_pipeline.cli.commands.main import main; main(sys.argv[1:]);"
        "print(sorted({'boto3', 'botocore', 'pydantic', 'docker', 'requests', 'jinja2', 'rich', 'ruamel'}"
        " & {name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ecs_pipeline", "nonsense"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ecs-pipeline: No such command 'nonsense'")


# ---- a stage and what it leaves


def test_a_stage_that_is_done_exits_0_with_its_reports(run: Commands) -> None:
    end = run("canary", *NAMED, "--release", "A")
    assert (end.code, end.out) == (0, "")
    assert {one.name for one in Path("ecs-pipeline-reports").iterdir()} >= FILES
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
    steps = [one.split()[0] for one in end.out.splitlines()]
    assert steps[:7] == ["preflight", "image", "task-definition", "tasks", "healthy", "traffic", "bake"]
    assert "change           containerDefinitions.app.image: " in end.out
    assert "passed" not in end.err
    assert "containerDefinitions" not in end.err
    assert re.search(r"canary prd/web: nothing was written, \S+, \d+ AWS calls\n\Z", end.err)


def test_a_dry_run_tells_that_another_canary_goes_first(run: Commands) -> None:
    run.world = start_of("A is a canary")
    end = run("canary", *NAMED, "--release", "B", "--replace", "--dry-run")
    assert end.out.splitlines()[0] == "first            would roll back the canary of release A"
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
    assert [one["outcome"] for one in report()["steps"]][:2] == ["failed", "skipped"]


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


# ---- where stdout leads

IN_MEMORY = """
import sys, pytest
from pathlib import Path
from tests.unit.commands import NAMED, Commands
patch = pytest.MonkeyPatch()
class Nothing:
    def readouterr(self): return "", ""
code = Commands(patch, Nothing())(*sys.argv[1:], *NAMED).code
sys.exit(code)
"""


def in_a_process(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command on a world in memory, its stdout as the shell leads it."""
    script = folder / "in_memory.py"
    script.write_text(IN_MEMORY)
    return subprocess.run(
        ["sh", "-c", command, "sh", sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def test_a_stdout_that_knows_no_unicode_gets_it_escaped(tmp_path: Path) -> None:
    done = in_a_process(tmp_path, '"$1" "$2" canary --release A --dry-run', PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "\\u2192" in done.stdout


@pytest.mark.parametrize("words", ["status", "canary --release A --dry-run", "canary --release A --output json"])
def test_a_reader_that_has_gone_does_not_change_the_outcome(tmp_path: Path, words: str) -> None:
    done = in_a_process(tmp_path, f'{{ "$1" "$2" {words}; echo "exit $?" >&2; }} | true')
    assert done.stderr.splitlines()[-1] == "exit 0", done.stderr
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [("status", 0), ("canary --release A", 0), ("nonsense", 2)])
def test_a_closed_stream_does_not_change_the_outcome(tmp_path: Path, closed: str, words: str, code: int) -> None:
    done = in_a_process(tmp_path, f'"$1" "$2" {words} {closed}')
    assert done.returncode == code


def test_what_is_closed_is_not_the_next_file_that_is_opened(tmp_path: Path) -> None:
    """AWS is away: the command ends with 4, and the reports are what they are."""
    environment = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1", "AWS_REGION": "eu-west-1"}
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    done = subprocess.run(
        ["sh", "-c", '"$1" -m ecs_pipeline rollback --cluster c --service s 2>&-', "sh", sys.executable],
        cwd=tmp_path,
        env={**os.environ, **environment, **keys},
        check=False,
    )
    assert done.returncode == 4
    assert json.loads((tmp_path / "ecs-pipeline-reports" / "rollback.json").read_text())["exit_code"] == 4


# ---- status


def test_status_shows_a_table_and_leaves_no_files(run: Commands) -> None:
    run.world = start_of("A is a canary")
    end = run("status", *NAMED)
    rows = {line[:12].strip(): line[12:] for line in end.out.splitlines()}
    assert (end.code, rows["service"], rows["runs"]) == (0, "prd/web (ACTIVE)", "web:2")
    assert (rows["canary"], rows["verdict"], rows["share"]) == ("release A, web:3", "pass", "25 %")
    assert list(Path().iterdir()) == []


def test_status_as_json_is_for_machines(run: Commands) -> None:
    run.world = World()
    facts = json.loads(run("status", *NAMED, "--output", "json").out)
    assert (facts["cluster"], facts["service"], facts["canary"]) == ("prd", "web", None)
    assert facts["region"] == "eu-west-1"
    assert facts["tasks"] == {"desired": 3, "running": 3, "pending": 0}


def test_every_text_of_status_is_one_line(run: Commands) -> None:
    run.world = start_of("A is a canary")
    run.world.revisions[run.world.alive()[0].revision].tags[release_tags.BUILD] = "\x1b[2Kone\ntwo"
    run.world.service_tags[release_tags.RELEASE] = "\x1b[2Kone\ntwo"
    facts = json.loads(run("status", *NAMED, "--output", "json").out)
    assert (facts["release"], facts["canary"]["build"]) == ("", "one two")
    (doubt,) = facts["doubts"]
    assert doubt.endswith(r"it cannot be read: ?[2Kone?two")


def test_status_names_commit_and_build_of_a_canary(run: Commands) -> None:
    run.world = start_of("P runs")
    canary(run.world, Origin(commit="ab12cd3", build="http://ci/job/shop/7/"), release="A")
    seen = json.loads(run("status", *NAMED, "--output", "json").out)["canary"]
    assert (seen["commit"], seen["build"]) == ("ab12cd3", "http://ci/job/shop/7/")
    assert seen["image"].endswith(f"@{seen['digest']}")
    assert seen["digest"].startswith("sha256:")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", seen["since"])


def test_status_tells_what_is_wrong_in_one_line(run: Commands) -> None:
    run.failing(errors.InvalidInput("no cluster prd", cure="look"))
    assert run("status", *NAMED) == Ended(2, "", "ecs-pipeline: no cluster prd; look\n")


def test_a_mistake_of_ours_is_told_by_status_too(run: Commands) -> None:
    run.failing(KeyError("x"))
    end = run("status", *NAMED)
    assert (end.code, end.out) == (4, "")
    assert "please report the lines above" in end.err
