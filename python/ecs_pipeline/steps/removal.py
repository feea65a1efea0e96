"""The parts of taking tasks away, as AWS does them; `RetireStep` (retire.py) alone has their order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import ReleaseFailed
from ecs_pipeline.model.load_balancing import Target
from ecs_pipeline.model.release import Revision, Task
from ecs_pipeline.protocol.fence import EpochChanged
from ecs_pipeline.steps.traffic import record_departure
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline, Judgement, Settled, Waiting

Write = Callable[[Callable[[], None]], object]
"""How a write is made: through a fence, or plainly where a look comes before each write anyway."""

DRAIN_MARGIN = 30.0
"""Seconds that a target may stay `draining` beyond its group's deregistration delay."""
STOPPED_WITHIN = 180.0
"""Seconds: a task's stopTimeout is 120 at most on Fargate."""


def plainly(write: Callable[[], None]) -> None:
    """A write without a fence: what is removed belongs to no epoch that goes on."""
    write()


def deregister(run: Run, targets: Sequence[Target], write: Write) -> None:
    """DeregisterTargets, group by group."""
    for group in dict.fromkeys(target.group for target in targets):
        inside = [target for target in targets if target.group == group]
        told = ", ".join(str(target) for target in inside)
        with run.recorder.writing(f"take {told} out of the traffic", *(departure(target) for target in inside)):
            try:
                write(partial(run.elb.deregister, group, inside))
            except EpochChanged:
                _give_back(run, group, inside)
                raise
        record_departure(run, inside)


def _give_back(run: Run, group: str, targets: Sequence[Target]) -> None:
    """(3) A write that came after a rollback may have met a task of the service: AWS uses an address again at once."""
    service = run.ecs.service()
    tasks = run.ecs.tasks_of_family(Revision(service.revision).family)
    own = [
        task for task in tasks if task.alive and task.status == "RUNNING" and task.group == f"service:{service.name}"
    ]
    owners = run.observer.holders(targets, service, own)
    inside = {target.key for target in run.elb.health(group, targets) if target.registered and not target.draining}
    lost = [target for target in targets if replace(target, task="") in owners and target.key not in inside]
    if lost:
        run.recorder.progress(f"the service's own task has {', '.join(map(str, lost))} by now: back in the traffic")
        run.elb.register(group, lost)


def departure(target: Target) -> str:
    """What taking a target out of its group is, in words: for plans, and for what was done."""
    return f"take {target} out of the traffic"


def told(targets: Collection[Target]) -> str:
    """What a step that took these targets out says of it."""
    return f"out of the traffic: {', '.join(map(str, targets))}" if targets else "unchanged"


def drained(run: Run, targets: Sequence[Target], configured: float | None) -> bool:
    """Wait until the targets are gone, their last requests answered; whether all were seen to be.

    `configured`: seconds, None for the group's.
    """
    delays = [group.drain for target in targets if (group := run.elb.target_group(target.group))]
    if not delays or configured == 0:
        return False
    within = configured if configured is not None else max(delays) + DRAIN_MARGIN

    def judge() -> Judgement[None]:
        left = []
        for group in dict.fromkeys(target.group for target in targets):
            inside = [target for target in targets if target.group == group]
            states = {(health.identity, health.port): health for health in run.elb.health(group, inside)}
            left += [target for target in inside if target.key in states and states[target.key].registered]
        return Waiting(f"draining {', '.join(sorted({str(target) for target in left}))}") if left else Settled(None)

    try:
        wait.until(judge, run.clock, Deadline.after(run.clock, within), run.recorder.progress, at_once=False)
    except wait.TimedOut as error:
        run.recorder.progress(f"{error.message}; going on")
        return False
    return True


def stop(run: Run, tasks: Sequence[Task], reason: str, write: Write) -> None:
    """StopTask."""
    for task in tasks:
        with run.recorder.writing(f"stop task {task.id}"):
            write(partial(run.ecs.stop_task, task.arn, reason))
        run.recorder.task_state(task.arn, "STOPPING")


def stopped(run: Run, tasks: Sequence[Task]) -> None:
    """Wait until the tasks are STOPPED (or forgotten)."""
    if not tasks:
        return

    def judge() -> Judgement[None]:
        found = {task.arn: task.status for task in run.ecs.tasks([task.arn for task in tasks])}
        for task in tasks:
            run.recorder.task_state(task.arn, found.get(task.arn, "STOPPED"))
        states = set(found.values()) - {"STOPPED"}
        return Waiting(f"stopping: {', '.join(sorted(states))}") if states else Settled(None)

    try:
        deadline = Deadline.after(run.clock, STOPPED_WITHIN)
        wait.until(judge, run.clock, deadline, run.recorder.progress, at_once=False)
    except ReleaseFailed as error:
        run.recorder.progress(f"{error.message}; AWS ends it by itself")
