"""Promote: the whole service follows the canary, then the canary goes.

preflight        look: which canary, was it judged, is it well
service-update   the scaling is held where the config asks, the release is marked as the wanted one, the service updated
stable           it runs the new revision and nothing else
drain            the canary out of the traffic: once the new tasks are healthy, while the old ones still drain
cleanup          the canary's tasks stopped: the last write but for the config's after_promote hooks
restore          only when the rollout failed: the service back, canary and revision gone
"""

from __future__ import annotations

from functools import partial

from ecs_pipeline.engine.converge import carry_out, converge
from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import ReleaseFailed
from ecs_pipeline.hooks import hooks
from ecs_pipeline.model.release import INCONCLUSIVE
from ecs_pipeline.plans.promote import Plan, PromoteOptions, plan, requested
from ecs_pipeline.protocol.fence import EpochChanged, Fence, refusal
from ecs_pipeline.steps.canary_cleanup import CanaryCleanup
from ecs_pipeline.steps.canary_drain import CanaryDrain
from ecs_pipeline.steps.early_drain import EarlyDrain
from ecs_pipeline.steps.followed_rollout import FollowedRollout
from ecs_pipeline.steps.late_update import undo_update
from ecs_pipeline.steps.promotion_update import PromotionUpdate
from ecs_pipeline.steps.rollout_deadline import deadline as rollout_deadline
from ecs_pipeline.steps.scaling_hold import ScalingHold, held
from ecs_pipeline.steps.traffic import record_traffic
from ecs_pipeline.undo.promotion import finish_cancel, take_back

STEPS = ("preflight", "service-update", "stable", "drain", "cleanup", "restore")


def promote(run: Run, options: PromoteOptions) -> None:
    """The stage. Raises ReleaseFailed after restoring, Refused when there is nothing to promote."""
    run.recorder.record.approved_by, run.recorder.record.comment = options.approved_by, options.comment
    hooks.announce(run)
    with run.recorder.step("preflight") as step:
        options = options.checked()
        seen, release = requested(run, options)
        finish_cancel(run, seen, options.release)
        found = plan(run, options, seen, release)
        step.message = str(found)
        if found.seen.verdict == INCONCLUSIVE and not found.done:
            note(run.recorder, f"warning: the verdict of release {release} is inconclusive; it is promoted anyway")
    fence = Fence(run.ecs, run.clock, found.seen.service)
    with held(run, fence, found.seen.service) as hold:
        try:
            if not found.done:
                _carry_out(run, fence, found, hold, options.approved_by)
            hold.end()
            hooks.after_promote(run, fence, found.release, found.revision)
        except EpochChanged as changed:
            undo_update(run, found.revision)
            raise refusal(changed.service, found.release) from changed
        except ReleaseFailed as failure:
            take_back(run, fence, found, failure, hold)
            raise


def _carry_out(run: Run, fence: Fence, plan: Plan, hold: ScalingHold, approved_by: str) -> None:
    """Each part of it; a dry run only tells what each would do."""
    seen, release, revision, tasks = plan.seen, plan.release, plan.revision, plan.ours
    early = EarlyDrain(run, fence, revision, tasks)
    carry_out(PromotionUpdate(run, fence, seen, release, revision, plan.resumed, approved_by, hold), run)
    converge(FollowedRollout(run, revision, early=early), run, partial(rollout_deadline, run, seen.service, revision))
    carry_out(CanaryDrain(run, fence, seen, tasks, early), run)
    if carry_out(CanaryCleanup(run, fence, tasks), run):
        record_traffic(run, fence.require().running)
