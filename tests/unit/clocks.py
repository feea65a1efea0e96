"""A clock whose time passes only by sleeping, and which remembers each sleep."""

from __future__ import annotations

from collections.abc import Callable

from tests.fakes.clock import FakeClock
from tests.fakes.world import World


class RecordingClock(FakeClock):
    """FakeClock that notes the pauses; `woken` is called after each, to change what is looked at next."""

    def __init__(self, woken: Callable[[], None] = lambda: None) -> None:
        super().__init__(World())
        self.pauses: list[float] = []
        self._woken = woken

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.pauses.append(seconds)
        self._woken()
