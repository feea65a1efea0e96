"""(2, 3) The fence: look before a write, look after it; a changed epoch means that a rollback took the release away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ecs_pipeline.errors import Cancelled, Interrupted, MarksVanished, PipelineError, Refused, Trouble
from ecs_pipeline.model.release import Epoch, Service
from ecs_pipeline.ports import EcsPort
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.clock import Clock

T = TypeVar("T")

FRESH = 1.0
"""Seconds. The look after a write serves as the look before the next one when nothing was waited for between."""
PAUSE, AGREEING, MOST_LOOKS = 1.0, 3, 60
"""Seconds between looks that are to agree before anything is undone, how many have to, and how many there are at most.

ECS is eventually consistent (API reference, RunTask): a replica that is behind may answer twice.
"""


class EpochChanged(Refused):
    """The epoch is another than the stage began with; `service` is what three looks agreed on."""

    def __init__(self, service: Service) -> None:
        super().__init__("another epoch began: the release was cancelled")
        self.service = service


class Fence:
    """Lets the writes of one stage through as long as its epoch lasts."""

    def __init__(self, ecs: EcsPort, clock: Clock, seen: Service) -> None:
        self._ecs = ecs
        self._clock = clock
        self._latest = seen
        self._looked_at = clock.now()
        self._marked = bool(seen.marks.under_way)
        self.epoch: Epoch = seen.marks.epoch

    def write(self, act: Callable[[], T]) -> T:
        """Look, write, look. Raises EpochChanged before the write, or after it when it came too late."""
        self.require()
        try:
            result = act()
        except Interrupted:
            raise
        except PipelineError:
            self._look()
            raise
        self._look()
        return result

    def require(self) -> Service:
        """The service, as seen a moment ago at most. Raises EpochChanged when its epoch is another."""
        if self._clock.now() - self._looked_at > FRESH:
            self._look()
        return self._latest

    def look_again(self) -> Service:
        """The service as it is now. Raises EpochChanged when its epoch is another."""
        self._look()
        return self._latest

    def _look(self) -> None:
        seen = self._ecs.service()
        if seen.marks.epoch != self.epoch or self._lost(seen):
            seen = settled(self._ecs, self._clock, seen)
            if seen.marks.epoch != self.epoch:
                raise EpochChanged(seen)
            if self._lost(seen):
                raise vanished(seen)
        self._marked = self._marked or bool(seen.marks.under_way)
        self._latest, self._looked_at = seen, self._clock.now()

    def _lost(self, seen: Service) -> bool:
        """Marks that were there and are not: only a rollback empties them, and it changes the epoch."""
        return self._marked and not seen.marks.under_way


def settled(ecs: EcsPort, clock: Clock, first: Service | None = None) -> Service:
    """(3) What three looks in a row agree on: undo or not is never decided on fewer, which may be stale.

    Raises Trouble when the service's tags or revision are others at every look.
    """
    seen = first or ecs.service()
    agreeing = 1
    for _ in range(MOST_LOOKS):
        wait.pause(clock, PAUSE)
        again = ecs.service()
        same = (again.marks, again.revision) == (seen.marks, seen.revision)
        seen, agreeing = again, agreeing + 1 if same else 1
        if agreeing == AGREEING:
            return seen
    raise Trouble(
        f"the ecs-pipeline tags or the revision of {seen.label} are others at every look",
        cure="find out who writes them (CloudTrail: TagResource, UpdateService), and run it again",
    )


def refusal(seen: Service, release: str) -> Refused:
    """What a stage that was fenced off says."""
    now = seen.marks.epoch
    if now == Epoch():
        return vanished(seen)
    by = f"the rollback of release {now.cancelled}" if now.cancelled else "a rollback"
    return Cancelled(
        f"release {release} of {seen.label} was cancelled by {by} while this stage ran; what it had made is undone",
        cure="start the release again if it is still wanted",
    )


def vanished(seen: Service) -> MarksVanished:
    """What a stage says whose marks on the service were taken away."""
    return MarksVanished(
        f"the ecs-pipeline tags of {seen.label} were removed while this stage ran",
        cure="let nothing else manage the service's tags (Terraform: ignore_changes), then run it or `rollback` again",
    )
