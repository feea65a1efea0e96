"""A judged canary runs what this run would make: tags alone would pass somebody else's revision on to the gate."""

from __future__ import annotations

import re

from ecs_pipeline.engine.converge import converge, planned
from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.model.release import Image, Revision, Task, TaskDefinition
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.deregister import discard
from ecs_pipeline.steps.revision import REGISTERED_WITHIN, Base, RevisionStep
from ecs_pipeline.steps.trust import foreign
from ecs_pipeline.task_definitions import definition
from ecs_pipeline.timing.wait import Deadline


def refuse_another(run: Run, fence: Fence, seen: Snapshot, base: Base, release: str) -> None:
    """(1) A canary whose revision is of the release by its tags alone. Raises Foreign.

    One that the service runs by now was promoted. What the canary was made from may have been changed since: that is
    told, and stops nobody.
    """
    others = {task.revision: task for task in seen.canaries if task.revision != seen.service.revision}
    for task in others.values():
        name = Revision(task.revision).name
        step = RevisionStep(run, fence, base, _image(run, task, base), release, newer_than=0)
        changed = _changed_since(step, seen, task)
        if changed is None:
            why = f"it runs {name}, which is not what this run registered"
            named = f"release {task.release}'s {task.role}"
            raise foreign(seen.service.cluster, task, f"task {task.id} has the tags of {named}, but {why}")
        if changed:
            note(run.recorder, f"{name} of the canary is taken as it is: {changed} since it began")


def _image(run: Run, task: Task, base: Base) -> Image:
    """What the canary's task runs: this run would make its revision with that."""
    reference = definition.image_of(run.definitions.get(task.revision), base.container)
    return Image(reference, reference.partition("@")[2])


def _changed_since(step: RevisionStep, seen: Snapshot, task: Task) -> str | None:
    """What was changed since a canary began, so that this run would make another revision: '' for nothing.

    None when nothing explains the difference.
    """
    if step.is_as_given(task.revision):
        return ""
    if not step.base.file and _set_by_hand_since(seen, task):
        return f"the service was given {Revision(seen.service.revision).name}"
    return _made_again(step.run, step, task)


def _made_again(run: Run, step: RevisionStep, task: Task) -> str | None:
    """AWS may describe a revision otherwise than it was given: AWS makes it again, and the two are compared.

    Of what was made from a file AWS tells who registered the two. A revision that the same role registered is of this
    pipeline, from another state of the file.
    """
    if run.dry_run:
        if change := step.decide(step.observe()):
            planned(run, [change])
        return ""
    made, theirs = converge(step, run, Deadline.after(run.clock, REGISTERED_WITHIN)), run.definitions.get(task.revision)
    if made.revision.arn == task.revision:
        return ""
    for arn in step.made:
        discard(run, arn)
    if not step.base.file:
        return None
    return f"{step.base.file} was changed" if _registrant(made) == _registrant(theirs) != "" else None


def _registrant(revision: TaskDefinition) -> str:
    """Who registered a revision (`registeredBy`, DescribeTaskDefinition); of a role without the session's name."""
    return re.sub(r"(:assumed-role/[^/]+)/.*", r"\1", str(revision.definition.get("registeredBy") or ""))


def _set_by_hand_since(seen: Snapshot, task: Task) -> bool:
    """The service was deployed after the task was started, and no promotion or rollback of ours did that."""
    primary = seen.service.primary
    since = primary is not None and primary.created is not None and primary.created > task.created
    return since and seen.marks.wanted != seen.service.revision
