"""Promote: the whole service follows the canary, then the canary goes.

preflight        look: which canary, was it judged, is it well
service-update   the scaling is held where the config asks, the release is marked as the wanted one, the service updated
stable           it runs the new revision and nothing else
drain            the canary out of the traffic: once the new tasks are healthy, while the old ones still drain
cleanup          the canary's tasks stopped: the last write but for the config's after_promote hooks
restore          only when the rollout failed: the service back, canary and revision gone
"""

from __future__ import annotations

from collections.abc import Sequence

from ecs_pipeline.engine.converge import settle
from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import ReleaseFailed
from ecs_pipeline.hooks import hooks
from ecs_pipeline.model.breaker import was_told
from ecs_pipeline.model.load_balancing import Target
from ecs_pipeline.model.release import INCONCLUSIVE, Revision
from ecs_pipeline.plans import promote_dry_run
from ecs_pipeline.plans.promote import Plan, PromoteOptions, plan, requested
from ecs_pipeline.protocol.fence import EpochChanged, Fence, refusal
from ecs_pipeline.steps import removal
from ecs_pipeline.steps.early_drain import EarlyDrain
from ecs_pipeline.steps.promotion_tags import PromotionTags
from ecs_pipeline.steps.retire import RetireStep
from ecs_pipeline.steps.rollout import StableStep
from ecs_pipeline.steps.rollout_deadline import deadline as rollout_deadline
from ecs_pipeline.steps.scaling_hold import ScalingHold, held
from ecs_pipeline.steps.service_update import ServiceUpdate
from ecs_pipeline.steps.traffic import record_traffic, targets_seen
from ecs_pipeline.steps.undo_update import undo_update
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
            if run.dry_run and not found.done:
                promote_dry_run.tell(run, found)
            elif not found.done:
                _update(run, fence, found, options, hold)
                left = _stable(run, fence, found)
                _drain(run, fence, found, left)
                _clean_up(run, fence, found)
            hold.end()
            hooks.after_promote(run, fence, found.release, found.revision)
        except EpochChanged as changed:
            undo_update(run, found.revision)
            raise refusal(changed.service, found.release) from changed
        except ReleaseFailed as failure:
            take_back(run, fence, found, failure, hold)
            raise


def _update(run: Run, fence: Fence, plan: Plan, options: PromoteOptions, hold: ScalingHold) -> None:
    """(6) The scaling is held; one TagResource says what is wanted and where to return; UpdateService by the ARN."""
    service = plan.seen.service
    with run.recorder.step("service-update") as step:
        name = Revision(plan.revision).name
        hold.begin()
        tags = PromotionTags(run, fence, plan.seen, plan.release, plan.revision)
        if not plan.resumed:
            tags.tag_service(options.approved_by)
        now = fence.require()
        if was_told(now, plan.revision):
            step.message = f"unchanged: the service was told to run {name} before"
            return
        tags.tag_revision()
        ServiceUpdate(run, fence.write).carry_out(service, plan.revision)
        step.message = f"{Revision(service.revision).name} → {name}"


def _stable(run: Run, fence: Fence, plan: Plan) -> Sequence[Target]:
    """(6) Until nothing but the revision runs; which targets of the canary left the traffic meanwhile."""
    early = EarlyDrain(run, fence, plan.revision, plan.ours)
    with run.recorder.step("stable") as step:
        rollout = StableStep(run, plan.revision, meanwhile=early.look_in)
        service = settle(rollout, run, rollout_deadline(run, plan.seen.service, plan.revision))
        step.message = rollout.told(service)
        record_traffic(run, service.running)
    return early.left


def _drain(run: Run, fence: Fence, plan: Plan, left: Sequence[Target]) -> None:
    """What of the canary takes traffic still, or again, is taken out; `left` went before."""
    with run.recorder.step("drain") as step:
        seen = targets_seen(run, plan.ours, plan.seen.service)
        registered = [target for target in seen.targets if (health := seen.any(target)) and health.registered]
        dead = len([task for task in seen.tasks if task.alive]) < len(plan.ours)
        registrations = (run.observer.snapshot() if dead else plan.seen).registrations
        going = [target for target in registered if seen.of(target)]
        RetireStep(run, fence.write, whole_drain=True).leave(registered, going=going, registrations=registrations)
        step.message = removal.told(dict.fromkeys((*left, *registered)))


def _clean_up(run: Run, fence: Fence, plan: Plan) -> None:
    with run.recorder.step("cleanup") as step:
        arns = [task.arn for task in plan.ours]
        known = {task.arn: task for task in (run.ecs.tasks(arns) if arns else ())}
        living = [known[arn] for arn in arns if arn in known and known[arn].alive]
        RetireStep(run, fence.write, "ecs-pipeline: promoted").stop(living, plan.ours)
        step.message = f"stopped: {', '.join(task.id for task in plan.ours)}" if plan.ours else "unchanged"
    record_traffic(run, fence.require().running)
