"""What is none of ours is refused: tasks that only look like a canary, and tags that name what they cannot name."""

from __future__ import annotations

from collections.abc import Collection

from ecs_pipeline.errors import Refused, Trouble
from ecs_pipeline.model.release import Revision, Task
from ecs_pipeline.protocol import decide, doubts
from ecs_pipeline.protocol.snapshot import Snapshot


class Foreign(Refused):
    """A living task has the tags of this service's canary, and no release of the service made it."""


class IdInUse(Refused):
    """The release lives with another image than this run's."""


def foreign(cluster: str, task: Task, why: str) -> Foreign:
    """The refusal that names the task, and what a person does about it; `why` is a sentence about it."""
    return Foreign(
        f"{why}; nothing is done with it",
        cure="find out who started it (CloudTrail: RunTask, TagResource) and stop it: "
        f"`aws ecs stop-task --cluster {cluster} --task {task.id}`, or `rollback --canary`; then run this again",
    )


def other_image(release: str, label: str, there: str, ours: str) -> IdInUse:
    """A release id that lives with another image."""
    return IdInUse(
        f"release {release} of {label} lives with image {there}, not {ours}",
        cure="give this one an id of its own: --release",
    )


def still_coming(seen: Snapshot) -> Trouble:
    """Tasks of other epochs that come again and again: what was to be done is done beside them."""
    named = ", ".join(f"task {task.id}" for task in seen.stale_tasks)
    return Trouble(
        f"tasks with the tags of another epoch keep coming to {seen.service.label}, now {named}; "
        "they take no traffic, and all else is done",
        cure="find out who starts them (CloudTrail: RunTask), take the permission away, and run `rollback` again",
    )


def refuse_foreign(seen: Snapshot) -> None:
    """Where no canary of ours holds the service, one that only looks like it is named. Raises Foreign."""
    if decide.holder(seen) is None and seen.foreign:
        task = seen.foreign[0]
        raise foreign(seen.service.cluster, task, doubts.foreign(seen, task))


def refuse_disbelieved(seen: Snapshot, needed: Collection[str] = ("wanted",)) -> None:
    """Tags of the service that are needed and name a revision of another family. Raises Refused."""
    wrong = {name: arn for name, arn in decide.disbelieved(seen).items() if name in needed}
    if not wrong:
        return
    named = " and ".join(f"{Revision(arn).name} as {name}" for name, arn in wrong.items())
    runs = Revision(seen.service.revision)
    raise Refused(
        f"the ecs-pipeline tags of {seen.service.label} name {named}: no revision of its family {runs.family}; "
        "nothing is done on their word",
        cure=f"find out who wrote them (CloudTrail: TagResource). `rollback --to {runs.name}` keeps what runs, "
        f"`rollback --to {runs.family}:NUMBER` takes another; both write the tags anew",
    )


def refuse_astray(seen: Snapshot) -> None:
    """(8) After a cancel the service runs something else than `wanted`, and cannot be brought there. Raises Refused."""
    if not decide.astray(seen):
        return
    label, runs = seen.service.label, Revision(seen.service.revision)
    raise Refused(
        f"{label} runs {runs.name}, and what the last rollback wanted instead was taken away as well",
        cure=f"`rollback --to {runs.name}` keeps what runs, `rollback --to {runs.family}:NUMBER` takes another",
    )
