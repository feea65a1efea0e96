"""Interruption of a real process: the first signal stops it at the next safe point, the second at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from ecs_pipeline.errors import Interrupted
from ecs_pipeline.timing.clock import SystemClock

SIGNALS = [(signal.SIGTERM, 143), (signal.SIGINT, 130)]

RUNNING = """
import sys
from ecs_pipeline.timing.clock import SystemClock
from ecs_pipeline.errors import Interrupted

clock = SystemClock()
with clock.listening():
    try:
        print("ready", flush=True)
        {body}
    except Interrupted as error:
        print(error, flush=True)
        {after}
        sys.exit(error.exit_code)
"""
SLEEPING = "clock.sleep(60)"
CALLING = "import socket; socket.create_server(('127.0.0.1', 0)).accept()"
DEAF = """
        while True:
            try:
                clock.sleep(60)
            except Interrupted:
                print("heard", flush=True)
                break
        import time
        time.sleep(60)
"""

BUSY = """
import os, signal, threading
from ecs_pipeline.timing.clock import SystemClock
from ecs_pipeline.errors import Interrupted

for number in range(300):
    clock = SystemClock()
    with clock.listening():
        threading.Timer(number * 1e-5, os.kill, (os.getpid(), signal.SIGTERM)).start()
        try:
            while True:
                clock.sleep(0)
        except Interrupted:
            clock.calm()
print("heard", flush=True)
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process and wait until it listens to signals."""
    started: list[subprocess.Popen[str]] = []

    def starting(body: str, after: str = "pass") -> subprocess.Popen[str]:
        script = RUNNING.format(body=body, after=after)
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield starting
    for thread in started:
        thread.kill()
        thread.communicate()


def ended(process: subprocess.Popen[str], number: int) -> tuple[int, str]:
    """Exit code and words after a signal; what it waits for takes a minute and more."""
    process.send_signal(number)
    words, _ = process.communicate(timeout=40)
    return process.returncode, words


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_wakes_a_sleep(start: Start, number: signal.Signals, code: int) -> None:
    found, words = ended(start(SLEEPING), number)
    assert (found, words) == (code, f"interrupted by {number.name}; the same command resumes\n")


def test_a_signal_at_any_moment_of_a_sleep_is_heard() -> None:
    """Whatever the sleep holds then, the handler must not wait for it."""
    done = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_call_that_does_not_end_by_itself_is_abandoned(start: Start, number: signal.Signals, code: int) -> None:
    begun = time.monotonic()
    found, words = ended(start(CALLING), number)
    assert (found, words) == (code, f"interrupted by {number.name}; the same command resumes\n")
    assert time.monotonic() - begun > 1


def test_a_call_that_ends_by_itself_is_not_abandoned(start: Start) -> None:
    body = "import time; time.sleep(1); print('done', flush=True); clock.check()"
    found, words = ended(start(body), signal.SIGTERM)
    assert (found, words.splitlines()[0]) == (143, "done")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(start: Start, number: signal.Signals) -> None:
    process = start(DEAF)
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    assert process.stdout.readline() == "heard\n"
    assert ended(process, number) == (-number, "")


def test_what_is_written_after_an_interruption_has_its_time(start: Start) -> None:
    after = "clock.calm(); import time; time.sleep(2); print('reports are written', flush=True)"
    code, words = ended(start(SLEEPING, after), signal.SIGTERM)
    assert (code, words.splitlines()[-1]) == (143, "reports are written")


def test_the_handlers_of_before_are_back_afterwards() -> None:
    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in handled]
    with SystemClock().listening():
        assert [signal.getsignal(number) for number in handled] != before
    assert [signal.getsignal(number) for number in handled] == before


def test_after_a_signal_every_check_and_sleep_stops() -> None:
    clock = SystemClock()
    with clock.listening():
        clock.check()
        signal.raise_signal(signal.SIGTERM)
        for stopped in (clock.check, lambda: clock.sleep(60)):
            with pytest.raises(Interrupted) as caught:
                stopped()
            assert caught.value.exit_code == 143


def test_the_seconds_slept_are_counted_and_a_negative_pause_is_none() -> None:
    clock = SystemClock()
    begun = clock.now()
    for seconds in (0.05, -1, 0.05):
        clock.sleep(seconds)
    assert 0.09 < clock.waited <= clock.now() - begun


def test_the_time_of_day_is_in_utc() -> None:
    offset = SystemClock().wall().utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 0
