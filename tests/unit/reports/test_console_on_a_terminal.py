import os
import pty
import re
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from ecs_pipeline.reports.console import ConsoleLog
from tests.unit.reports import stage_records

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")


def wall() -> datetime:
    return stage_records.START


class Terminal:
    """The other end of a pseudo-terminal."""

    def __init__(self) -> None:
        self._reader, writer = pty.openpty()
        self.stream = os.fdopen(writer, "w", encoding="utf-8")
        self.shown = ""

    @property
    def text(self) -> str:
        """What was shown, without control sequences."""
        return CONTROL.sub("", self.shown)

    def wait_for(self, text: str) -> None:
        """Read until that text was shown; fails after 10 seconds."""
        deadline = time.monotonic() + 10
        while text not in self.text:
            readable, _, _ = select.select([self._reader], [], [], max(deadline - time.monotonic(), 0))
            assert readable, f"{text!r} not in {self.text!r}"
            self.shown += os.read(self._reader, 65536).decode(errors="replace")

    def close(self) -> None:
        self.stream.close()
        os.close(self._reader)


@contextmanager
def terminal() -> Iterator[Terminal]:
    one = Terminal()
    try:
        yield one
    finally:
        one.close()


def test_a_terminal_has_a_live_line_while_a_step_waits() -> None:
    with terminal() as screen:
        record, stdout = stage_records.passed_canary(), sys.stdout
        console = ConsoleLog(screen.stream, wall)
        console.step_started(record, record.step("healthy"))
        screen.wait_for("healthy 0:00:0")
        console.progressed(record, record.step("healthy"), "0 of 1 targets healthy")
        screen.wait_for("healthy: 0 of 1 targets healthy 0:00:0")
        sys.stderr.write("a warning of a library\n")
        screen.wait_for("a warning of a library")
        sys.stderr.write("[bold]half a line[/bold] :smile:")
        sys.stderr.flush()
        screen.wait_for("[bold]half a line[/bold] :smile:")
        assert sys.stdout is stdout
        console.step_ended(record, record.step("healthy"))
        screen.wait_for(" (17s): 1 of 1 targets healthy")
        console.finished(record)
        screen.wait_for("57 AWS calls")
    assert "16:15:00 healthy: 0 of 1 targets healthy\r\n" in screen.text


def test_a_killed_process_leaves_the_cursor_visible() -> None:
    with terminal() as screen:
        record = stage_records.passed_canary()
        console = ConsoleLog(screen.stream, wall)
        console.step_started(record, record.step("healthy"))
        screen.wait_for("healthy 0:00:0")
        assert screen.shown.rindex(SHOW_CURSOR) > screen.shown.rindex(HIDE_CURSOR)
        console.finished(record)


def test_outcomes_are_coloured_on_a_terminal() -> None:
    with terminal() as screen:
        ConsoleLog(screen.stream, wall).finished(stage_records.failed_canary())
        screen.wait_for("start again")
    assert COLOUR.search(screen.shown)


def test_no_color_is_honoured_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with terminal() as screen:
        ConsoleLog(screen.stream, wall).finished(stage_records.failed_canary())
        screen.wait_for("start again")
    assert not COLOUR.search(screen.shown)


def test_a_dumb_terminal_has_no_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with terminal() as screen:
        record = stage_records.passed_canary()
        console = ConsoleLog(screen.stream, wall)
        console.step_started(record, record.step("healthy"))
        console.finished(record)
        screen.wait_for("57 AWS calls")
    assert HIDE_CURSOR not in screen.shown
