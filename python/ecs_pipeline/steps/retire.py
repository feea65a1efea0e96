"""Taking tasks away: the only place with the safety order. Out of the traffic, drained, stopped; never another way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from ecs_pipeline.engine.converge import only_planned
from ecs_pipeline.engine.record import StepRecord
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.load_balancing import Registration, Target
from ecs_pipeline.model.release import Service, Task
from ecs_pipeline.steps import orphans, removal
from ecs_pipeline.steps.removal import Write

Steps = Callable[[str], AbstractContextManager[StepRecord]]
"""Under which JUnit case a kind of work is recorded: rollback has one each, a stage's `restore` one for all."""


def _within_a_step(name: str) -> AbstractContextManager[StepRecord]:
    """The caller records its step itself."""
    return nullcontext(StepRecord(name))


def targets_of(run: Run, tasks: Sequence[Task], service: Service) -> list[Target]:
    """What the tasks are registered as in the target groups of the service."""
    return [target for task in tasks for target in run.observer.targets_of(task, service)]


@dataclass(frozen=True)
class Departure:
    """How targets left: `unowned` went too, as no running task has them; `drained`: all were seen to be out."""

    unowned: Sequence[Target]
    drained: bool


@dataclass(frozen=True)
class RetireStep:
    """Takes tasks away. `carry_out` does all of it; its parts are for those who have to look at AWS in between.

    `write`: a fence's, or `removal.plainly` where a look comes before each write anyway. `reason`: what StopTask says.
    `whole_drain`: wait as long as the target group asks for; `rollback.drain` is for the way back only.
    """

    run: Run
    write: Write
    reason: str = ""
    whole_drain: bool = False

    def carry_out(
        self,
        tasks: Sequence[Task],
        targets: Sequence[Target],
        *,
        going: Sequence[Target] | None = None,
        registrations: Collection[Registration] = (),
        before_stop: Callable[[], None] = lambda: None,
        steps: Steps = _within_a_step,
        why: str = "",
    ) -> bool:
        """Out of the traffic, drained, stopped; False in a dry run, which only tells that.

        `before_stop` is what has to be done while the tasks still have their tags: StopTask takes them. `why` ends the
        line of the case `cleanup`; the other arguments are those of `leave`.
        """
        if self.is_only_planned(tasks, targets if going is None else going, registrations):
            return False
        with steps("drain") as step:
            self.leave(targets, going=going, registrations=registrations)
            step.message = removal.told(targets)
        before_stop()
        with steps("cleanup") as step:
            self.stop(tasks)
            step.message = "; ".join(filter(None, (f"stopped: {', '.join(task.id for task in tasks)}", why)))
        return True

    def is_only_planned(
        self, tasks: Sequence[Task], going: Sequence[Target], registrations: Collection[Registration] = ()
    ) -> bool:
        """Whether this is a dry run: then what would leave the traffic and be stopped is noted."""
        changes = [*map(removal.departure, going), *orphans.departures(registrations)]
        return only_planned(self.run, [*changes, *(f"stop task {task.id}" for task in tasks)])

    def leave(
        self,
        targets: Sequence[Target],
        *,
        going: Sequence[Target] | None = None,
        registrations: Collection[Registration] = (),
    ) -> Departure:
        """Deregister, then wait until all of `targets` have drained. The arguments are those of `deregister`.

        `going`: those that are not draining already; None for all.
        """
        unowned = self.deregister(targets if going is None else going, registrations)
        within = None if self.whole_drain else self.run.settings.rollback.drain
        return Departure(unowned, removal.drained(self.run, targets, within))

    def deregister(self, targets: Sequence[Target], registrations: Collection[Registration] = ()) -> list[Target]:
        """DeregisterTargets of the targets, and of those registrations that no running task has: which these were."""
        removal.deregister(self.run, targets, self.write)
        return orphans.remove(self.run, registrations, self.write)

    def stop(self, tasks: Sequence[Task], gone: Sequence[Task] | None = None) -> None:
        """StopTask, then wait until they have stopped; `gone`: others as well that were told to stop before."""
        removal.stop(self.run, tasks, self.reason, self.write)
        removal.stopped(self.run, tasks if gone is None else gone)
