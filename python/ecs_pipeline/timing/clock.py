"""Time and interruption: the only place that sleeps, reads a clock or listens to signals."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from types import FrameType
from typing import Protocol

from ecs_pipeline.errors import Interrupted

SAFE_POINT_WITHIN = 1.5
"""Seconds that a call under way may take to end by itself once a signal came; then it is abandoned."""


class Clock(Protocol):
    """What waits and records need of time; `waited` are the seconds slept so far."""

    waited: float

    def now(self) -> float:
        """Seconds on a clock that never goes back."""

    def wall(self) -> datetime:
        """The time of day, UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait; raise Interrupted as soon as a signal came."""

    def check(self) -> None:
        """Raise Interrupted when a signal came: a safe point."""


class SystemClock:
    """The real clock; inside `listening()` SIGINT and SIGTERM wake it and stop the stage.

    A pipe wakes it: the handler of a signal runs between any two steps of a sleep, and must take no lock that the sleep
    may hold.
    """

    def __init__(self) -> None:
        self.waited = 0.0
        self._signal = 0
        self._woken = select.poll()
        self._waker = -1

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def wall(self) -> datetime:
        """The time of day, UTC."""
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Wait; raise Interrupted as soon as a signal came."""
        begun = self.now()
        self._woken.poll(max(seconds, 0) * 1000)
        self.waited += self.now() - begun
        self.check()

    def check(self) -> None:
        """Raise Interrupted when a signal came: a safe point."""
        if self._signal:
            raise Interrupted(self._signal)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle SIGINT and SIGTERM: the first stops at the next safe point, the second ends at once."""
        woken, self._waker = os.pipe()
        self._woken.register(woken, select.POLLIN)
        handled = {signal.SIGINT: self._first, signal.SIGTERM: self._first, signal.SIGALRM: self._abandon}
        before = {number: signal.signal(number, handler) for number, handler in handled.items()}
        try:
            yield
        finally:
            self.calm()
            for number, handler in before.items():
                signal.signal(number, handler)
            self._woken.unregister(woken)
            os.close(woken)
            os.close(self._waker)

    def calm(self) -> None:
        """Let what runs now (reports, clean-up of temporary files) end undisturbed by the first signal."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _first(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number
        os.write(self._waker, b"!")
        for second in (signal.SIGINT, signal.SIGTERM):
            signal.signal(second, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, SAFE_POINT_WITHIN)

    def _abandon(self, _number: int, _frame: FrameType | None) -> None:
        raise Interrupted(self._signal)
