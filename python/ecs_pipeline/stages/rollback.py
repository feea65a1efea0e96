"""Rollback: whatever is under way, or was released last, is undone. Given again it finishes that or does nothing.

preflight        look; finish what the last cancel left; decide which release is cancelled; begin a new turn
drain, cleanup   the canary out of the traffic, then stopped
service-update   the service back to the revision before the promotion
stable           it runs that and nothing else
deregister       the bad revision, when nothing uses it; then the config's after_rollback hooks
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from enum import Enum

from ecs_pipeline import decide
from ecs_pipeline.converge import planned
from ecs_pipeline.errors import Held, InvalidInput, Refused, ReleaseFailed, TooManyTags
from ecs_pipeline.look import Look
from ecs_pipeline.model import Revision, Turn
from ecs_pipeline.observe import SERVICE_LAG, TASKS_LAG
from ecs_pipeline.origin import checked_release_id
from ecs_pipeline.run import Run
from ecs_pipeline.stages import abandoned, hooks, rollback_plan
from ecs_pipeline.stages import rollback_scope as scope
from ecs_pipeline.stages.description import describe
from ecs_pipeline.stages.finish import Finish, Overtaken
from ecs_pipeline.stages.rollback_scope import Options
from ecs_pipeline.stages.targets import Target, family_of, resolve
from ecs_pipeline.stages.turns import begin_turn, go_to, take_away
from ecs_pipeline.steps import scaling_hold
from ecs_pipeline.steps.holder import build_of, holder_of
from ecs_pipeline.steps.retire import Steps
from ecs_pipeline.steps.traffic import record_seen
from ecs_pipeline.steps.trust import refuse_astray, refuse_disbelieved, still_coming

STEPS = ("preflight", "drain", "cleanup", "service-update", "stable", "deregister")
MOST_TURNS = 5
"""A rollback that another release's rollback overtakes starts again, so often."""


class Outcome(Enum):
    """How a rollback ended."""

    DONE = "rolled back"
    UNCHANGED = "nothing to roll back"


def rollback(run: Run, options: Options) -> None:
    """The stage. Raises Refused when there is nothing to go back to or another release's canary lives."""
    hooks.announce(run)
    with run.recorder.step("preflight") as step:
        if options.release:
            run.recorder.record.release.id = checked_release_id(options.release)
        try:
            seen = _look(run, options)
        except InvalidInput:
            left = None if options.to else abandoned.look(run, options.release)
            if left is None:
                raise
            step.message = left.plan(run)
        else:
            left = None
            target = _target(run, seen, options)
            step.message = _plan(run, seen, options, target)
    if left:
        abandoned.remove(run, left)
    elif not run.dry_run:
        _carry_out(run, options, seen, target)


def _carry_out(run: Run, options: Options, seen: Look, target: Target | None) -> None:
    undone = run.recorder.record.release.task_definition
    outcome, seen = cancel(run, options, run.recorder.step, seen)
    if target is not None:
        seen = _go_to(run, target, options.to)
    scaling_hold.put_back(run, seen.service)
    if target is not None or outcome is Outcome.DONE:
        run.recorder.record.message = ""
        describe(run, seen)
        release = run.recorder.record.release
        if release.task_definition != undone:
            release.previous_task_definition = undone
    if seen.strangers:
        raise still_coming(seen)
    hooks.after_rollback(run, seen)


def _go_to(run: Run, target: Target, named: str) -> Look:
    """The service to what was named; the last look. Raises Refused when another rollback begins."""
    try:
        return go_to(run, target, run.recorder.step)
    except Overtaken as other:
        place = f"{run.settings.cluster}/{run.settings.service}"
        raise Refused(
            f"another rollback began at {place} while this one sent it to {named}",
            cure="look at `status`, then run it again",
        ) from other


def _look(run: Run, options: Options) -> Look:
    """What shows nothing that is under way is looked at again: AWS may show it late."""
    seen = run.observer.look(scan=True)
    if not _shows_what_to_undo(seen, options):
        seen = _look_later(run, SERVICE_LAG)
        begun = seen.marks.under_way not in ("", seen.marks.release) and not _superseded(seen, options)
        if options.canary_only and begun and not _shows_what_to_undo(seen, options):
            seen = _look_later(run, TASKS_LAG)
    return seen


def _superseded(seen: Look, options: Options) -> bool:
    """Another release's canary lives: of two, RunTask lets only one live, so none of the release asked for can come."""
    return bool(options.release) and (live := decide.holder(seen)) is not None and live.release != options.release


def _look_later(run: Run, seconds: float) -> Look:
    run.recorder.progress("nothing that is under way is seen: looking again, for AWS may show it late")
    run.clock.sleep(seconds)
    return run.observer.look(scan=True)


def _shows_what_to_undo(seen: Look, options: Options) -> bool:
    """Without a release's id, the promoted one is what a late read would show as the last."""
    release = scope.release_to_cancel(seen, options)
    if scope.leftover(seen, options) or scope.left_by_promote(seen, options) or scope.unneeded(seen, options):
        return True
    return bool(release) and (bool(options.release) or bool(seen.canaries) or release != seen.marks.release)


def _target(run: Run, seen: Look, options: Options) -> Target | None:
    """Where `--to` leads, if it is given. Raises Refused or InvalidInput when there is nothing to do or no way."""
    record_seen(run, seen)
    describe(run, seen)
    target = resolve(run, seen, options.to) if options.to else None
    if target:
        run.observer.follow(family_of(target))
    else:
        _refuse_disbelieved(seen, options)
    rollback_plan.refuse_unfit_move(run, seen, scope.release_to_cancel(seen, options), target)
    if not scope.leftover(seen, options) and not scope.unneeded(seen, options):
        _refuse(run, seen, options)
    return target


def _refuse_disbelieved(seen: Look, options: Options) -> None:
    """Tags that cannot be right are no matter where the service stays on what it runs: a canary goes nevertheless."""
    release = scope.release_to_cancel(seen, options)
    if release and release == seen.marks.release:
        refuse_disbelieved(seen, ("wanted", "previous"))
    elif decide.cancelled(seen, seen.service.revision) if release else options.binds(seen):
        refuse_disbelieved(seen)


def cancel(run: Run, options: Options, steps: Steps, seen: Look | None = None) -> tuple[Outcome, Look]:
    """(7) Finish the last cancel, then cancel the release that is to go, and finish that; the last look."""
    for _ in range(MOST_TURNS):
        try:
            return _cancel_once(run, options, steps, seen or _look(run, options))
        except Overtaken as other:
            run.recorder.progress(f"another rollback began (of {other.turn.cancelled or 'no release'}): looking again")
            options, seen = replace(options, release=options.release or other.release), None
    place = f"{run.settings.cluster}/{run.settings.service}"
    raise Refused(f"other rollbacks keep overtaking this one at {place}", cure="run it again")


def restore(
    run: Run,
    release: str,
    failure: ReleaseFailed,
    *,
    patient: bool = False,
    before: str = "",
    then: Callable[[], None] = lambda: None,
) -> None:
    """Undo a release that failed, as one step; afterwards the service is on what it ran before.

    `then` is done once it is back, before the hooks. The failure is completed by what its reader wants to know next:
    that the service is well again. Raises TooManyTags, with the failure as its evidence.
    """
    with run.recorder.step("restore") as step:
        options = Options(release=release, patient=patient, before=before, yielding=True)
        try:
            _, seen = cancel(run, options, lambda _name: nullcontext(step))
        except TooManyTags as full:
            full.evidence = (failure.message, *failure.evidence)
            raise
        serving = Revision(seen.service.revision).name
        step.message = f"the service runs {serving}; no canary lives"
        as_before = "" if before not in ("", seen.service.revision) else " as before"
        failure.cure = f"correct the release and start it again; the service runs {serving}{as_before}"
        run.recorder.traffic(0, seen.service.running)
    then()
    hooks.after_restore(run, seen, failure)


def _cancel_once(run: Run, options: Options, steps: Steps, seen: Look) -> tuple[Outcome, Look]:
    coming_back = options.binds(seen) and decide.coming_back(seen)
    finished = not options.to and bool(scope.leftover(seen, options) or coming_back)
    if finished:
        run.recorder.progress("removing what an earlier run left")
        patient = options.patient and not scope.release_to_cancel(seen, options)
        seen = Finish(run, seen.marks.turn, steps, patient=patient, bound=options.binds(seen)).until_clean()
    if left := scope.left_by_promote(seen, options):
        take_away(run, left, steps, f"the service runs release {left[-1].release}")
        finished, seen = True, run.observer.look(scan=True)
    release = scope.release_to_cancel(seen, options)
    if not release and (left := scope.unneeded(seen, options)):
        why = "no release made them" if scope.foreign(seen, options) else "no canary lives beside it"
        take_away(run, left, steps, why)
        finished, seen = True, run.observer.look(scan=True)
    if not release:
        _refuse_when_held(run, seen, options)
        if options.binds(seen):
            refuse_astray(seen)
        return Outcome.DONE if finished else Outcome.UNCHANGED, seen
    patient = options.patient and decide.may_start_tasks(seen)
    bound = not (options.yielding and decide.set_by_hand(seen, release))
    return Outcome.DONE, begin_turn(run, seen, release, steps, patient=patient, before=options.before, bound=bound)


def _plan(run: Run, seen: Look, options: Options, target: Target | None) -> str:
    """What is to be done, in a line; a dry run's plan has a line for each thing."""
    left = scope.left_by_promote(seen, options)
    going = (*left, *(task for task in scope.unneeded(seen, options) if task not in left))
    release, finishing = scope.release_to_cancel(seen, options), bool(scope.leftover(seen, options))
    changes = rollback_plan.changes(run, seen, release, going, target, finishing=finishing)
    if not changes:
        run.recorder.record.message = rollback_plan.nothing(seen, options.release, canary_only=options.canary_only)
        return Outcome.UNCHANGED.value
    if run.dry_run:
        return planned(run, changes)
    run.recorder.record.plan = changes
    return ", ".join(changes)


def _refuse(run: Run, seen: Look, options: Options) -> None:
    """Nothing to undo, and a reason to say so: no history at all, or somebody else's canary."""
    if scope.release_to_cancel(seen, options):
        return
    _refuse_when_held(run, seen, options)
    if options == Options() and seen.marks.turn == Turn():
        raise Refused(
            f"nothing to go back to at {seen.service.label}: no canary lives and no promotion is recorded",
            cure="`rollback --to REVISION` sends the service to a revision",
        )


def _refuse_when_held(run: Run, seen: Look, options: Options) -> None:
    live = None if options.canary_only else decide.holder(seen)
    if live and options.release and options.release == seen.marks.release and seen.marks.previous is not None:
        raise Held(
            f"release {options.release} is promoted, but the canary of {live.release} lives at {seen.service.label}"
            f"{build_of(run, live)}",
            holder_of(run, live),
            cure=f"`rollback --release {live.release}` first",
        )
