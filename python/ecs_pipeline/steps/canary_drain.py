"""A promoted canary out of the traffic: what of it takes traffic still, or again, when the service runs its image."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ecs_pipeline.engine.converge import WritingStep
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.load_balancing import Registration, Target
from ecs_pipeline.model.release import Task
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps import orphans, removal
from ecs_pipeline.steps.early_drain import EarlyDrain
from ecs_pipeline.steps.retire import RetireStep
from ecs_pipeline.steps.traffic import targets_seen


@dataclass(frozen=True)
class Leaving:
    """Targets of the canary that take traffic (`going`) or drain already, and all of what is registered of ours."""

    going: Sequence[Target]
    draining: Sequence[Target]
    registrations: Collection[Registration]

    @property
    def registered(self) -> Sequence[Target]:
        """All of the canary's targets that are not gone."""
        return (*self.going, *self.draining)


@dataclass
class CanaryDrain(WritingStep[Leaving]):
    """Deregisters the targets of `tasks` and waits until they have drained; `early` let some go before."""

    run: Run
    fence: Fence
    snapshot: Snapshot
    tasks: Sequence[Task]
    early: EarlyDrain
    name = "drain"

    def observe(self) -> Leaving:
        """The tasks' targets; of a task that died what is left in the target groups, too."""
        seen = targets_seen(self.run, self.tasks, self.snapshot.service)
        registered = [target for target in seen.targets if (health := seen.any(target)) and health.registered]
        dead = len([task for task in seen.tasks if task.alive]) < len(self.tasks)
        return Leaving(
            [target for target in registered if seen.of(target)],
            [target for target in registered if not seen.of(target)],
            (self.run.observer.snapshot() if dead else self.snapshot).registrations,
        )

    def decide(self, seen: Leaving) -> Sequence[str]:
        """Take out what takes traffic, and what no task has: of that it is made sure before."""
        return [*map(removal.departure, seen.going), *orphans.departures(seen.registrations)]

    def awaited(self, seen: Leaving) -> Sequence[str]:
        """What drains already."""
        return [f"wait until {target} has drained" for target in seen.draining]

    def act(self, seen: Leaving) -> str:
        """Out of the traffic, then drained. Raises EpochChanged."""
        retire = RetireStep(self.run, self.fence.write, whole_drain=True)
        retire.leave(seen.registered, going=seen.going, registrations=seen.registrations)
        return removal.told(dict.fromkeys((*self.early.left, *seen.registered)))
