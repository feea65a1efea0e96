"""A cancel: finish what the last cancel left, then cancel the release that is to go, and finish that."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from enum import Enum

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Refused, ReleaseFailed, TooManyTags
from ecs_pipeline.hooks import hooks
from ecs_pipeline.model.release import Revision
from ecs_pipeline.plans import rollback_scope as scope
from ecs_pipeline.plans.named_target import Target
from ecs_pipeline.plans.rollback import observed, refuse_when_held
from ecs_pipeline.plans.rollback_scope import Options
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.retire import Steps
from ecs_pipeline.steps.trust import refuse_astray
from ecs_pipeline.undo.epochs import begin_epoch, go_to, take_away
from ecs_pipeline.undo.overtaken import Overtaken
from ecs_pipeline.undo.sweep import Sweeper

MOST_ATTEMPTS = 5
"""A rollback that another release's rollback overtakes starts again, so often."""


class Outcome(Enum):
    """How a rollback ended."""

    DONE = "rolled back"
    UNCHANGED = "nothing to roll back"


def cancel(run: Run, options: Options, steps: Steps, seen: Snapshot | None = None) -> tuple[Outcome, Snapshot]:
    """(7) Finish the last cancel, then cancel the release that is to go, and finish that; the last look."""
    for _ in range(MOST_ATTEMPTS):
        try:
            return _cancel_once(run, options, steps, seen or observed(run, options))
        except Overtaken as other:
            run.recorder.progress(f"another rollback began (of {other.epoch.cancelled or 'no release'}): looking again")
            options, seen = replace(options, release=options.release or other.release), None
    place = f"{run.settings.cluster}/{run.settings.service}"
    raise Refused(f"other rollbacks keep overtaking this one at {place}", cure="run it again")


def restore(
    run: Run,
    release: str,
    failure: ReleaseFailed,
    *,
    await_late_tasks: bool = False,
    before: str = "",
    then: Callable[[], None] = lambda: None,
) -> None:
    """Undo a release that failed, as one step; afterwards the service is on what it ran before.

    `then` is done once it is back, before the hooks. The failure is completed by what its reader wants to know next:
    that the service is well again. Raises TooManyTags, with the failure as its evidence.
    """
    with run.recorder.step("restore") as step:
        options = Options(release=release, await_late_tasks=await_late_tasks, before=before, yielding=True)
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


def _cancel_once(run: Run, options: Options, steps: Steps, seen: Snapshot) -> tuple[Outcome, Snapshot]:
    coming_back = options.binds(seen) and decide.coming_back(seen)
    finished = not options.to and bool(scope.leftover(seen, options) or coming_back)
    if finished:
        run.recorder.progress("removing what an earlier run left")
        await_late_tasks = options.await_late_tasks and not scope.release_to_cancel(seen, options)
        seen = Sweeper(
            run, seen.marks.epoch, steps, await_late_tasks=await_late_tasks, bound=options.binds(seen)
        ).until_clean()
    if left := scope.left_by_promote(seen, options):
        take_away(run, left, steps, f"the service runs release {left[-1].release}")
        finished, seen = True, run.observer.snapshot(scan=True)
    release = scope.release_to_cancel(seen, options)
    if not release and (left := scope.unneeded(seen, options)):
        why = "no release made them" if scope.foreign(seen, options) else "no canary lives beside it"
        take_away(run, left, steps, why)
        finished, seen = True, run.observer.snapshot(scan=True)
    if not release:
        refuse_when_held(run, seen, options)
        if options.binds(seen):
            refuse_astray(seen)
        return Outcome.DONE if finished else Outcome.UNCHANGED, seen
    await_late_tasks = options.await_late_tasks and decide.may_start_tasks(seen)
    bound = not (options.yielding and decide.set_by_hand(seen, release))
    return Outcome.DONE, begin_epoch(
        run, seen, release, steps, await_late_tasks=await_late_tasks, before=options.before, bound=bound
    )


def send_to(run: Run, target: Target, named: str) -> Snapshot:
    """The service to what `--to` named; the last look. Raises Refused when another rollback begins."""
    try:
        return go_to(run, target, run.recorder.step)
    except Overtaken as other:
        place = f"{run.settings.cluster}/{run.settings.service}"
        raise Refused(
            f"another rollback began at {place} while this one sent it to {named}",
            cure="look at `status`, then run it again",
        ) from other
