"""Credentials of a session that end at a given time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ecs_pipeline.aws.credentials import Lasting
from tests.fakes.world import World


class Session:
    """Credentials that last as long as the test says."""

    def __init__(self, world: World, found: Lasting) -> None:
        self._world, self._found = world, found

    def lasting(self) -> Lasting:
        return self._found

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._world.now, timezone.utc)


def ending(world: World, minutes: float) -> Session:
    return Session(world, Lasting(datetime.fromtimestamp(world.now, timezone.utc) + timedelta(minutes=minutes)))
