"""What differs between two task-definition revisions, or what a canary would change: it reads, and never writes."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Revision, TaskDefinition
from ecs_pipeline.plans.named_target import FromFile, resolve
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps import image as images
from ecs_pipeline.steps.revision import Base, base_of
from ecs_pipeline.task_definitions import definition

CANARY = "what a canary would register"


@dataclass(frozen=True)
class Difference:
    """Two definitions by what they are called, and a line for each member that differs."""

    old: str
    new: str
    changes: list[str]


def diff(run: Run, old: str, new: str, image: str) -> Difference:
    """Compare `old` with `new`; '' stands for the service's revision, and for what a canary of `image` would register.

    With `old` alone the service's revision is compared with it. Members that only a description has do not count; of
    what may be secret only the names are told. Raises InvalidInput for a revision that there is not.
    """
    seen = run.observer.snapshot()
    current = run.definitions.get(seen.service.revision)
    if old and not new:
        old, new = "", old
    before = _named(run, seen, old) if old else (current.revision.name, current)
    after = _named(run, seen, new) if new else (CANARY, _of_canary(run, seen, current, image))
    changes = definition.changes(before[1], after[1], run.definitions.read_only_members)
    return Difference(before[0], after[0], changes)


def _named(run: Run, seen: Snapshot, wanted: str) -> tuple[str, TaskDefinition]:
    """A revision by number, name, ARN or release, or a definition from a file."""
    target = resolve(run, seen, wanted)
    if isinstance(target, FromFile):
        return target.base.file, _as_definition(target.base)
    found = run.definitions.get(target)
    return found.revision.name, found


def _of_canary(run: Run, seen: Snapshot, current: TaskDefinition, image: str) -> TaskDefinition:
    """The revision as `canary` would register it; what is built has no digest yet."""
    container = definition.chosen_container(current.definition, seen.service, run.settings.container)
    base = base_of(run, current, seen.service, container)
    reference = images.given(run, image).reference if image else f"{run.settings.image.repository}, built from sources"
    return _as_definition(base, definition.with_image(base.definition, base.container, reference))


def _as_definition(base: Base, changed: dict[str, object] | None = None) -> TaskDefinition:
    return TaskDefinition(Revision(f"{base.family}:0"), changed or base.definition, base.tags)
