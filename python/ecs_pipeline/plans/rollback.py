"""What a rollback is going to do: from one snapshot and its options, what it refuses and what it would change."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Held, Refused
from ecs_pipeline.model.release import Epoch, Task
from ecs_pipeline.plans import rollback_changes
from ecs_pipeline.plans import rollback_scope as scope
from ecs_pipeline.plans.describe import describe
from ecs_pipeline.plans.named_target import Target, family_of, resolve
from ecs_pipeline.plans.rollback_scope import Options
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.observe import SERVICE_LAG, TASKS_LAG
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.holder import build_of, holder_of
from ecs_pipeline.steps.traffic import record_seen
from ecs_pipeline.steps.trust import refuse_disbelieved
from ecs_pipeline.timing import wait

UNCHANGED = "nothing to roll back"


@dataclass(frozen=True)
class RollbackPlan:
    """What a rollback is about: the snapshot that it starts from, where `--to` leads, and what it would change."""

    seen: Snapshot
    target: Target | None
    changes: tuple[str, ...]
    head = ""


def plan(run: Run, options: Options, seen: Snapshot) -> RollbackPlan:
    """Refuse what has to be refused, and say what would be changed. Raises Refused, Held, InvalidInput."""
    target = _target(run, seen, options)
    changes = _changes(run, seen, options, target)
    if not changes:
        run.recorder.record.message = rollback_changes.nothing(seen, options.release, canary_only=options.canary_only)
    return RollbackPlan(seen, target, tuple(changes))


def observed(run: Run, options: Options) -> Snapshot:
    """The snapshot to begin with. Raises NoService.

    One that shows nothing under way is looked at again: AWS may show it late.
    """
    seen = run.observer.snapshot(scan=True)
    if not _shows_what_to_undo(seen, options):
        seen = _look_later(run, SERVICE_LAG)
        begun = bool(seen.marks.begun) and not _superseded(seen, options)
        if options.canary_only and begun and not _shows_what_to_undo(seen, options):
            seen = _look_later(run, TASKS_LAG)
    return seen


def _superseded(seen: Snapshot, options: Options) -> bool:
    """Another release's canary lives: of two, RunTask lets only one live, so none of the release asked for can come."""
    return bool(options.release) and (live := decide.holder(seen)) is not None and live.release != options.release


def _look_later(run: Run, seconds: float) -> Snapshot:
    run.recorder.progress("nothing that is under way is seen: looking again, for AWS may show it late")
    wait.pause(run.clock, seconds)
    return run.observer.snapshot(scan=True)


def _shows_what_to_undo(seen: Snapshot, options: Options) -> bool:
    """Without a release's id, the promoted one is what a late read would show as the last."""
    release = scope.release_to_cancel(seen, options)
    if scope.leftover(seen, options) or scope.left_by_promote(seen, options) or scope.unneeded(seen, options):
        return True
    return bool(release) and (bool(options.release) or bool(seen.canaries) or release != seen.marks.release)


def _target(run: Run, seen: Snapshot, options: Options) -> Target | None:
    """Where `--to` leads, if it is given. Raises Refused or InvalidInput when there is nothing to do or no way."""
    record_seen(run, seen)
    describe(run, seen)
    target = resolve(run, seen, options.to) if options.to else None
    if target:
        run.observer.follow(family_of(target))
    else:
        _refuse_disbelieved(seen, options)
    rollback_changes.refuse_unfit_move(run, seen, scope.release_to_cancel(seen, options), target)
    if not scope.leftover(seen, options) and not scope.unneeded(seen, options):
        _refuse(run, seen, options)
    return target


def _refuse_disbelieved(seen: Snapshot, options: Options) -> None:
    """Tags that cannot be right are no matter where the service stays on what it runs: a canary goes nevertheless."""
    release = scope.release_to_cancel(seen, options)
    if release and release == seen.marks.release:
        refuse_disbelieved(seen, ("wanted", "previous"))
    elif decide.cancelled(seen, seen.service.revision) if release else options.binds(seen):
        refuse_disbelieved(seen)


def to_be_cancelled(run: Run, options: Options) -> list[str]:
    """What a cancel alone would change (undo/cancel.py), as it would see the service now."""
    seen = observed(run, options)
    release, going, finishing = _parts(seen, options)
    return rollback_changes.undone(run, seen, release, going, finishing=finishing)


def _changes(run: Run, seen: Snapshot, options: Options, target: Target | None) -> list[str]:
    release, going, finishing = _parts(seen, options)
    return rollback_changes.changes(run, seen, release, going, target, finishing=finishing)


def _parts(seen: Snapshot, options: Options) -> tuple[str, tuple[Task, ...], bool]:
    """The release to cancel, tasks that go besides, and whether something is left of an earlier cancel."""
    left = scope.left_by_promote(seen, options)
    going = (*left, *(task for task in scope.unneeded(seen, options) if task not in left))
    return scope.release_to_cancel(seen, options), going, bool(scope.leftover(seen, options))


def _refuse(run: Run, seen: Snapshot, options: Options) -> None:
    """Nothing to undo, and a reason to say so: no history at all, or somebody else's canary."""
    if scope.release_to_cancel(seen, options):
        return
    refuse_when_held(run, seen, options)
    if options == Options() and seen.marks.epoch == Epoch():
        raise Refused(
            f"nothing to go back to at {seen.service.label}: no canary lives and no promotion is recorded",
            cure="`rollback --to REVISION` sends the service to a revision",
        )


def refuse_when_held(run: Run, seen: Snapshot, options: Options) -> None:
    """Raise Held for a promoted release beside which another one's canary lives."""
    live = None if options.canary_only else decide.holder(seen)
    if live and options.release and options.release == seen.marks.release and seen.marks.previous is not None:
        raise Held(
            f"release {options.release} is promoted, but the canary of {live.release} lives at {seen.service.label}"
            f"{build_of(run, live)}",
            holder_of(run, live),
            cure=f"`rollback --release {live.release}` first",
        )
