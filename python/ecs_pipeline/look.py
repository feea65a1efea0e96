"""What one look at AWS saw, and which of its tasks are whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecs_pipeline.load_balancing import Registration
from ecs_pipeline.model import BASELINE, CANARY, Marks, Revision, Service, Task


@dataclass(frozen=True)
class Look:
    """What one look at AWS saw: our tasks, then the service with its marks, then the revisions that matter."""

    tasks: tuple[Task, ...]
    service: Service
    revisions: Mapping[str, Revision]
    registrations: tuple[Registration, ...] = ()

    @property
    def marks(self) -> Marks:
        """The marks of the service."""
        return self.service.marks

    @property
    def canaries(self) -> tuple[Task, ...]:
        """The living canary tasks of this turn, in order of their index."""
        living = [one for one in self.tasks if one.alive and one.turn == self.marks.turn and one.role == CANARY]
        return tuple(sorted(living, key=lambda one: (one.index, one.age_key)))

    @property
    def baselines(self) -> tuple[Task, ...]:
        """The living baseline task of this turn, to compare the canary with; there is one at most."""
        return tuple(one for one in self.tasks if one.alive and one.turn == self.marks.turn and one.role == BASELINE)

    @property
    def strangers(self) -> tuple[Task, ...]:
        """Living tasks of ours whose turn is over."""
        return tuple(one for one in self.tasks if one.alive and one.turn != self.marks.turn)
