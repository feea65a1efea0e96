"""What a rollback is going to do, as far as one look tells: it reads, and never writes."""

from __future__ import annotations

from collections.abc import Sequence

from ecs_pipeline.engine.run import Run
from ecs_pipeline.hooks import hooks
from ecs_pipeline.model.release import CANARY, Revision, Task
from ecs_pipeline.model.service_kinds import Use
from ecs_pipeline.plans.fitness import refuse_unfit
from ecs_pipeline.plans.named_target import FromFile, Target
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps import scaling_hold
from ecs_pipeline.steps.copies import copy_of, refuse_lost
from ecs_pipeline.steps.removal import departure

LEFT = "remove what an earlier run left"


def changes(
    run: Run, seen: Snapshot, release: str, going: Sequence[Task], target: Target | None, *, finishing: bool
) -> list[str]:
    """What is to be changed, in order: [] when nothing is.

    `release` is the one that is cancelled ('' for none), `going` are tasks that a promotion left or that no release
    made, `target` is the revision that `--to` names. `finishing`: something is left of an earlier cancel.
    """
    found = undone(run, seen, release, going, finishing=finishing)
    if isinstance(target, FromFile):
        found += target.changes(run, seen.service.label)
    elif target is not None and seen.service.revision != target:
        found += _move(run, seen, target, gone=f"deregister {_name(target)}" in found)
    found += scaling_hold.planned_end(seen.service)
    return found + hooks.planned_after_rollback(run, seen, changing=bool(found))


def undone(run: Run, seen: Snapshot, release: str, going: Sequence[Task], *, finishing: bool) -> list[str]:
    """The part of it that `undo/cancel.cancel` does."""
    found = [LEFT] if finishing else []
    return [*found, *_removal(seen, going), *(_cancel(run, seen, release) if release else ())]


def refuse_unfit_move(run: Run, seen: Snapshot, release: str, target: Target | None) -> None:
    """Raises Refused when the service must not be sent elsewhere, or when there is no way back any more."""
    lost = decide.lost_rollback_target(seen, release) if release else None
    if lost and target is None:
        refuse_lost(run, lost)
    back = (lost or decide.rollback_target(seen, release)) if release else None
    astray = decide.cancelled(seen, seen.service.revision)
    if astray or any(place not in (None, seen.service.revision) for place in (back, target)):
        refuse_unfit(run, seen.service, Use.UPDATE)


def nothing(seen: Snapshot, asked: str, *, canary_only: bool) -> str:
    """Why there is nothing to roll back, in a line; `asked` is the release that was named, '' for any."""
    live, marks = decide.holder(seen), seen.marks
    if asked and live and live.release != asked:
        why = f"release {asked} was superseded, the canary of {live.release} lives"
    elif asked and marks.under_way not in ("", asked, marks.release):
        why = f"release {asked} was superseded, {marks.under_way} is under way"
    elif marks.epoch.cancelled and marks.epoch.cancelled == (asked or marks.epoch.cancelled) and asked != marks.release:
        why = f"release {marks.epoch.cancelled} was rolled back before"
        if not asked and not canary_only and marks.release and marks.previous:
            why += f"; release {marks.release} stays promoted, `rollback --release {marks.release}` undoes it"
    elif asked and asked == marks.release:
        why = f"release {asked} is promoted and stays"
    elif asked:
        why = f"release {asked} has neither a canary nor a promotion at {seen.service.label}"
    else:
        why = f"no canary lives at {seen.service.label}" if canary_only else "no promotion is recorded"
    return f"nothing to roll back: {why}"


def _cancel(run: Run, seen: Snapshot, release: str) -> list[str]:
    """The canary goes, the service goes back, the revision of the release goes."""
    living = [task for task in (*seen.canaries, *seen.baselines) if task.release == release]
    back, lost = decide.rollback_target(seen, release), decide.lost_rollback_target(seen, release)
    moves = (lost or back) not in (None, seen.service.revision)
    bad = next((task.revision for task in living if task.role == CANARY), seen.service.revision if moves else "")
    found = [f"cancel release {release}", *_removal(seen, living)]
    if lost:
        found += _copied(run, seen.service.label, lost)
    elif moves:
        found.append(f"update {seen.service.label} to {_name(back)}")
    return found + ([f"deregister {_name(bad)}"] if bad else [])


def _move(run: Run, seen: Snapshot, target: str, *, gone: bool) -> list[str]:
    """`--to`: the service to any revision; `gone`: the one that it names is deregistered before.

    What the service runs goes when it is the promoted release's, and newer: what is older is never looked for.
    """
    current, wanted = (run.definitions.revision(arn) for arn in (seen.service.revision, target))
    active = wanted.active and not gone
    label = seen.service.label
    found = [f"update {label} to {wanted.name}"] if active else _copied(run, label, wanted.arn)
    leaves = current.active and current.release != "" and current.release == seen.marks.release != wanted.release
    newer = current.family != wanted.family or current.number > Revision(wanted.restores or wanted.arn).number
    return found + ([f"deregister {current.name}"] if leaves and newer else [])


def _copied(run: Run, label: str, lost: str) -> list[str]:
    """To a copy of a deregistered revision: the one that is there already is named."""
    name, there = _name(lost), copy_of(run, lost)
    if there:
        return [f"update {label} to {_name(there)}, a copy of {name}"]
    return [f"register {name} anew", f"update {label} to a copy of {name}"]


def _removal(seen: Snapshot, tasks: Sequence[Task]) -> list[str]:
    """Out of the traffic, then stopped."""
    arns = {task.arn for task in tasks}
    targets = sorted(
        {departure(registration.target) for registration in seen.registrations if registration.owner in arns}
    )
    return targets + [f"stop task {task.id}" for task in tasks]


def _name(arn: str | None) -> str:
    return Revision(arn).name if arn else "what it runs"
