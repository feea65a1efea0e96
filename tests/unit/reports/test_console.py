import io
import os
import re
import subprocess
import sys
from datetime import datetime

import pytest

from ecs_pipeline.engine.record import StageRecord
from ecs_pipeline.reports.console import ConsoleLog
from tests.unit.reports import stage_records

HEADER = "16:15:00 canary sample-app-prd/sample-app in ap-northeast-1, release 20261123-071500-ab12cd3"


def wall() -> datetime:
    return stage_records.START


def told(record: StageRecord, stream: io.TextIOWrapper | io.StringIO | None = None) -> str:
    """What the end of the stage prints."""
    output = stream or io.StringIO()
    ConsoleLog(output, wall).finished(record)
    if isinstance(output, io.StringIO):
        return output.getvalue()
    output.seek(0)
    return output.read()


def test_each_event_is_one_plain_line_with_the_local_time() -> None:
    record, output = stage_records.passed_canary(), io.StringIO()
    console = ConsoleLog(output, wall)
    image = record.step("image")
    console.step_started(record, image)
    console.progressed(record, image, "pushed 3 of 7 layers")
    console.progressed(record, None, "the service was changed by somebody else")
    console.step_ended(record, image)
    console.step_ended(record, record.step("restore"))
    console.finished(record)
    summary = "release 20261123-071500-ab12cd3, revision sample-app:42, share 25.0 %, 6m 21s, 57 AWS calls"
    assert output.getvalue().splitlines() == [
        HEADER,
        "16:15:00 image: pushed 3 of 7 layers",
        "16:15:00 the service was changed by somebody else",
        "16:15:00 image passed (38s): built and pushed",
        "16:15:00 restore skipped (0s)",
        f"16:15:00 canary sample-app-prd/sample-app passed: {summary}",
    ]


def test_the_header_leaves_out_a_release_that_is_not_known_and_tells_of_a_dry_run() -> None:
    record = stage_records.passed_canary()
    record.release.id, record.dry_run = "", True
    first = told(record).splitlines()[0]
    assert first == "16:15:00 canary sample-app-prd/sample-app in ap-northeast-1, dry run"


def test_what_a_passed_stage_has_to_say_is_in_its_last_line() -> None:
    record = stage_records.finish(stage_records.promoted(), "passed", 0, "already promoted")
    assert "passed: already promoted, release " in told(record).splitlines()[-1]


def test_a_failure_is_the_last_thing_said_with_evidence_and_cure() -> None:
    lines = told(stage_records.failed_canary()).splitlines()
    assert lines[1] == (
        "FAILED canary sample-app-prd/sample-app: healthy: task 0123456789abcdef0123456789abcdef stopped: "
        "Essential container in task exited (app: exit code 1)"
    )
    assert lines[2] == "  stopped reason: Essential container in task exited"
    assert lines[-2] == "  log: KeyError: 'SAMPLE_APP_QUEUE'"
    assert lines[-1] == "→ read the container's log, then start again"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (
            "canary refused",
            "REFUSED canary sample-app-prd/sample-app: preflight: release 20261122-180000-9f00aa1 holds",
        ),
        ("promote in trouble", "ERROR promote sample-app-prd/sample-app: service-update: UpdateService: "),
        ("canary interrupted", "INTERRUPTED canary sample-app-prd/sample-app: bake: interrupted by SIGTERM"),
        ("canary inconclusive", "INCONCLUSIVE canary sample-app-prd/sample-app: errors in the log: 1 of "),
    ],
)
def test_every_other_outcome_has_its_word(name: str, line: str) -> None:
    assert told(stage_records.ALL[name]()).splitlines()[1].startswith(line)


def test_what_is_to_be_corrected_has_another_word_than_what_is_refused_for_now() -> None:
    record = stage_records.ALL["canary refused"]()
    record.exit_code = 2
    assert told(record).splitlines()[1].startswith("INVALID canary sample-app-prd/sample-app: ")


def test_a_bake_that_a_check_ended_is_not_called_passed() -> None:
    record, output = stage_records.passed_canary(), io.StringIO()
    bake = record.step("bake")
    bake.message = "ended early: check answers failed"
    ConsoleLog(output, wall).step_ended(record, bake)
    line = output.getvalue().splitlines()[-1]
    assert line.startswith("16:15:00 bake ended early (")
    assert line.endswith("): check answers failed")


def test_a_failure_without_a_word_tells_its_exit_code() -> None:
    record = stage_records.finish(stage_records.stage("canary", ()), "failed", 1)
    assert told(record).splitlines()[-1] == "FAILED canary sample-app-prd/sample-app: exit code 1"


def test_a_log_is_never_wrapped_cut_coloured_or_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    long = "word " * 200_000
    output = io.StringIO()
    record = stage_records.passed_canary()
    ConsoleLog(output, wall).progressed(record, record.step("bake"), f"[bold]x[/bold] :smile: {long}end")
    assert "\x1b" not in output.getvalue()
    assert output.getvalue().splitlines()[1] == f"16:15:00 bake: [bold]x[/bold] :smile: {long}end"


def test_no_text_of_others_can_forge_a_line_or_control_a_terminal() -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07one\x00\r\x85two\x9b31m"
    record, output = stage_records.filled_with(hostile), io.StringIO()
    console = ConsoleLog(output, wall)
    console.progressed(record, record.step("image"), hostile)
    console.step_ended(record, record.step("image"))
    console.finished(record)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", output.getvalue())
    places = ("16:15:00 canary", "16:15:00 image", "FAILED canary", "  ", "→ one two")
    assert [line for line in output.getvalue().splitlines() if not line.startswith(places)] == []


def test_an_encoding_without_arrows_gets_a_plain_one() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    record = stage_records.failed_canary()
    record.evidence = ("日本 \U0001f680 \ud83d",)
    lines = told(record, stream).splitlines()
    assert lines[-2:] == ["  \\u65e5\\u672c \\U0001f680 ", "-> read the container's log, then start again"]


PRINT_FAILURE = """
import sys
from tests.unit.reports import stage_records
from ecs_pipeline.reports.console import ConsoleLog
console, record = ConsoleLog(), stage_records.failed_canary()
for step in record.steps:
    console.step_started(record, step)
    console.progressed(record, step, "日本")
    console.step_ended(record, step)
console.finished(record)
sys.exit(7)
"""


def test_progress_goes_to_stderr_in_its_own_encoding() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PRINT_FAILURE],
        capture_output=True,
        check=False,
        timeout=30,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (ended.returncode, ended.stdout) == (7, b"")
    assert ended.stderr.isascii()
    assert ended.stderr.splitlines()[-1] == b"-> read the container's log, then start again"


def test_a_stderr_that_nobody_reads_changes_neither_course_nor_exit_code() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-c", PRINT_FAILURE],
        stderr=writer,
        check=False,
        timeout=30,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    os.close(writer)
    assert ended.returncode == 7


def test_a_full_disk_behind_stderr_does_not_stop_the_stage() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123 - a device
        console = ConsoleLog(full, wall)
        console.progressed(stage_records.passed_canary(), None, "text")
        console.finished(stage_records.passed_canary())
