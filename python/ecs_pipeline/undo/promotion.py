"""The way back of a promotion: one whose rollout failed, and a cancel that a process before this one began."""

from __future__ import annotations

from contextlib import nullcontext

from ecs_pipeline.engine.converge import only_planned
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Refused, ReleaseFailed
from ecs_pipeline.hooks import hooks
from ecs_pipeline.model.release import Epoch
from ecs_pipeline.plans.promote import Plan
from ecs_pipeline.plans.rollback_changes import LEFT
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.fence import EpochChanged, Fence, refusal
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.late_update import undo_update
from ecs_pipeline.steps.scaling_hold import ScalingHold
from ecs_pipeline.undo.cancel import restore
from ecs_pipeline.undo.sweep import Sweeper, finished


def finish_cancel(run: Run, seen: Snapshot, asked: str) -> None:
    """A process that died while it restored: the same command finishes that, the hooks of a rollback too."""
    epoch = seen.marks.epoch
    if decide.holder(seen) or epoch == Epoch() or asked not in ("", epoch.cancelled):
        return
    left = not seen.foreign and bool(decide.leftover(run.observer.snapshot(scan=True), bound=False))
    stands = not asked and decide.promoted(seen, seen.marks.release)
    if not left and (stands or not hooks.planned_after_rollback(run, seen, changing=False)):
        return
    dry = only_planned(run, [LEFT] if left else [])
    if left and not dry:
        with run.recorder.step("restore") as step:
            seen = finished(run, Sweeper(run, epoch, lambda _name: nullcontext(step), bound=False))
    hooks.after_rollback(run, seen)
    verb = "would be" if dry else "is"
    raise Refused(
        f"release {epoch.cancelled} was cancelled; what was left "
        f"{f'of it {verb} removed' if left else f'to do {verb} done'} now",
        cure="start it again if it is still wanted",
    )


def take_back(run: Run, fence: Fence, plan: Plan, failure: ReleaseFailed, hold: ScalingHold) -> None:
    """(7) After a look: the service back on what it ran before, canary and revision gone."""
    try:
        fence.look_again()
    except EpochChanged as changed:
        undo_update(run, plan.revision)
        raise refusal(changed.service, plan.release) from failure
    before = "" if plan.resumed else plan.seen.service.revision
    restore(run, plan.release, failure, before=before, then=hold.end)
