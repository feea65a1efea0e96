"""What ends a sweep early: somebody else's epoch is on the service."""

from __future__ import annotations

from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import Epoch


class EpochTakenBack(Trouble):
    """The epoch that a rollback replaced stays on the service, longer than a stale read lasts."""


class Overtaken(Exception):
    """Another rollback began while this one was finishing; `release` is the one that this one was cancelling."""

    def __init__(self, epoch: Epoch) -> None:
        super().__init__(epoch.digest)
        self.epoch = epoch
        self.release = ""
