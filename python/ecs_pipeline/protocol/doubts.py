"""What a look saw and does not believe, in a line each: who reads it may want to find out who did that."""

from __future__ import annotations

from collections.abc import Iterator

from ecs_pipeline.model.release import Revision, Task
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.snapshot import Snapshot


def lines(seen: Snapshot) -> list[str]:
    """Tags that cannot be read or cannot be right, and tasks with our tags that are none of ours."""
    unread = [*seen.marks.unreadable]
    for task in seen.tasks:
        unread += task.unreadable
    for revision in seen.revisions.values():
        unread += revision.unreadable if seen.believes(revision.arn) else ()
    return [
        *unread,
        *_marks(seen),
        *(foreign(seen, task) for task in (*seen.foreign, *seen.seconds)),
        *_lone(seen),
        *_elsewhere(seen),
    ]


def foreign(seen: Snapshot, task: Task) -> str:
    """A task that is none of ours, and why."""
    named = f"release {task.release}'s {task.role}" if task.release else f"a {task.role}"
    return f"task {task.id} has the tags of {named}, but {seen.refusal(task)}"


def _marks(seen: Snapshot) -> Iterator[str]:
    for name, arn in decide.disbelieved(seen).items():
        tag = f"tag ecs-pipeline:{name} of service {seen.service.name}"
        yield f"{tag} names {Revision(arn).name}, which is not of family {Revision(seen.service.revision).family}"


def _lone(seen: Snapshot) -> Iterator[str]:
    for task in decide.lone_baselines(seen):
        named = f"release {task.release}'s" if task.release else "a"
        yield f"task {task.id} has the tags of {named} baseline, and no canary lives beside it"


def _elsewhere(seen: Snapshot) -> Iterator[str]:
    for task in seen.elsewhere:
        tagged = f"tagged as service {task.of}'s" if task.of else "not tagged as one"
        yield f"task {task.id} was started as a canary of {seen.service.name} and is {tagged}: it is not stopped"
