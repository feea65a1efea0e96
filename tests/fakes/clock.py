"""A clock that shows the time of a World."""

from __future__ import annotations

from datetime import datetime

from tests.fakes.names import utc
from tests.fakes.world import World


class FakeClock:
    """Time of the schedule."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.waited = 0.0

    def now(self) -> float:
        return self._world.now

    def wall(self) -> datetime:
        return utc(self._world.now)

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self._world.schedule.sleep(seconds)

    def check(self) -> None:
        return
