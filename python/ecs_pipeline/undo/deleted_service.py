"""What a release left whose service was deleted since: its tasks go, targets first. There is nothing to go back to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.load_balancing import Registration
from ecs_pipeline.model.release import CANARY, Revision, Service, Task
from ecs_pipeline.protocol.snapshot import mismatch
from ecs_pipeline.steps.deregister import deregister
from ecs_pipeline.steps.removal import departure, plainly
from ecs_pipeline.steps.retire import RetireStep


@dataclass(frozen=True)
class Abandoned:
    """Living tasks of the release, the targets that are theirs or nobody's, and the revisions that it registered."""

    tasks: tuple[Task, ...]
    registrations: tuple[Registration, ...]
    revisions: tuple[str, ...]
    changes: tuple[str, ...]
    head = "the service was deleted: "


def look(run: Run, release: str) -> Abandoned | None:
    """What is left of the release, of any when none is named; None when no task of it lives."""
    living, registrations, service = run.observer.left_behind()
    tasks = tuple(task for task in living if release in ("", task.release))
    if not tasks:
        return None
    record = run.recorder.record.release
    record.id, record.task_definition = tasks[0].release, tasks[0].revision
    theirs = {"", *(task.arn for task in tasks)}
    made = dict.fromkeys(task.revision for task in tasks if task.role == CANARY and _made(run, task, service))
    theirs_or_nobodys = tuple(registration for registration in registrations if registration.owner in theirs)
    return Abandoned(tasks, theirs_or_nobodys, tuple(made), _changes(run, tasks, theirs_or_nobodys, tuple(made)))


def _changes(
    run: Run, tasks: Sequence[Task], registrations: Sequence[Registration], revisions: Sequence[str]
) -> tuple[str, ...]:
    return (
        *sorted({departure(registration.target) for registration in registrations}),
        *(f"deregister {Revision(arn).name}" for arn in _active(run, revisions)),
        *(f"stop task {task.id}" for task in tasks),
    )


def _made(run: Run, task: Task, service: Service | None) -> bool:
    """Whether the task's release registered what it runs, in the service's family or the config's, for a canary alone.

    Of a service that ECS has forgotten only the config's is known: another one may be of a service that lives.
    """
    revision = run.definitions.revision(task.revision)
    if revision.promoted:
        return False
    if service:
        return not run.observer.mismatch(task, service)
    return not mismatch(task, revision, known=revision.family in run.observer.families)


def remove(run: Run, left: Abandoned) -> None:
    """Out of the traffic, then the revision, then the tasks: they are what another run would resume by."""
    RetireStep(run, plainly, "ecs-pipeline: its service was deleted").carry_out(
        left.tasks,
        [registration.target for registration in left.registrations],
        going=[registration.target for registration in left.registrations if not registration.draining],
        before_stop=lambda: _deregister(run, left),
        steps=run.recorder.step,
    )


def _deregister(run: Run, left: Abandoned) -> None:
    """The tasks' tags alone tell whose the revision is, and StopTask takes them. The deleted service uses none."""
    going = [task.arn for task in left.tasks]
    with run.recorder.step("deregister") as step:
        gone = [arn for arn in _active(run, left.revisions) if deregister(run, None, arn, going=going)]
        step.message = f"deregistered {', '.join(Revision(arn).name for arn in gone)}" if gone else "unchanged"


def _active(run: Run, revisions: Sequence[str]) -> list[str]:
    """The revisions that are ACTIVE still."""
    return [arn for arn in revisions if run.definitions.revision(arn).active]
