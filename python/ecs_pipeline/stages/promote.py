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
from contextlib import nullcontext
from dataclasses import dataclass, field

from ecs_pipeline.engine import evidence
from ecs_pipeline.engine.converge import settle
from ecs_pipeline.engine.origin import checked_release_id
from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import Held, Refused, ReleaseFailed
from ecs_pipeline.hooks import hooks
from ecs_pipeline.model.breaker import rolled_back
from ecs_pipeline.model.load_balancing import Target
from ecs_pipeline.model.release import INCONCLUSIVE, Revision, Task, Turn
from ecs_pipeline.model.service_kinds import Use
from ecs_pipeline.plans import promote_dry_run, wellness
from ecs_pipeline.plans.approval import Approved, refuse_another
from ecs_pipeline.plans.fitness import refuse_unfit
from ecs_pipeline.plans.refusals import refuse_when_cancelled
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.protocol.fence import Fence, TurnChanged, refusal
from ecs_pipeline.protocol.snapshot import Look
from ecs_pipeline.steps import credentials, orphans, removal
from ecs_pipeline.steps.early_drain import EarlyDrain
from ecs_pipeline.steps.holder import build_of, holder_of
from ecs_pipeline.steps.promotion_tags import PromotionTags
from ecs_pipeline.steps.retire import RetireStep
from ecs_pipeline.steps.rollout import StableStep
from ecs_pipeline.steps.rollout_deadline import deadline as rollout_deadline
from ecs_pipeline.steps.scaling_hold import ScalingHold, held
from ecs_pipeline.steps.service_update import ServiceUpdate
from ecs_pipeline.steps.traffic import record_seen, record_traffic, seen_at, targets_seen
from ecs_pipeline.steps.trust import refuse_disbelieved, refuse_foreign
from ecs_pipeline.steps.undo import undo_update
from ecs_pipeline.task_definitions import definition, previous_definition
from ecs_pipeline.undo.cancel import restore
from ecs_pipeline.undo.sweep import Finish, finished

STEPS = ("preflight", "service-update", "stable", "drain", "cleanup", "restore")


@dataclass(frozen=True)
class PromoteOptions:
    """What the command line asks for."""

    release: str = ""
    unjudged: bool = False
    approved_by: str = ""
    comment: str = ""
    approved: Approved = field(default_factory=Approved)


@dataclass(frozen=True)
class Plan:
    """What is promoted: `resumed` when the service was told before."""

    seen: Look
    release: str
    revision: str
    canaries: tuple[Task, ...]
    resumed: bool

    @property
    def ours(self) -> tuple[Task, ...]:
        """All tasks that go: the canary's last, for it is what another run resumes by."""
        return (*self.seen.baselines, *self.seen.seconds, *self.canaries)


def promote(run: Run, options: PromoteOptions) -> None:
    """The stage. Raises ReleaseFailed after restoring, Refused when there is nothing to promote."""
    run.recorder.record.approved_by, run.recorder.record.comment = options.approved_by, options.comment
    hooks.announce(run)
    with run.recorder.step("preflight") as step:
        plan = _plan(run, options)
        step.message = f"release {plan.release}: {Revision(plan.revision).name}"
        if done := _is_done(plan):
            step.message += f" is promoted already, and no canary lives{_since(plan)}"
            step.message += "" if plan.seen.marks.scaling else ": nothing was changed"
        elif plan.seen.verdict == INCONCLUSIVE:
            note(run.recorder, f"warning: the verdict of release {plan.release} is inconclusive; it is promoted anyway")
    fence = Fence(run.ecs, run.clock, plan.seen.service)
    with held(run, fence, plan.seen.service) as hold:
        try:
            if not done:
                _carry_out(run, fence, plan, options, hold)
            hold.end()
            hooks.after_promote(run, fence, plan.release, plan.revision)
        except TurnChanged as changed:
            undo_update(run, plan.revision)
            raise refusal(changed.service, plan.release) from changed
        except ReleaseFailed as failure:
            _restore(run, fence, plan, failure, hold)
            raise


def _carry_out(run: Run, fence: Fence, plan: Plan, options: PromoteOptions, hold: ScalingHold) -> None:
    if run.dry_run:
        promote_dry_run.tell(run, plan.seen.service, plan.revision, plan.ours)
        return
    _update(run, fence, plan, options, hold)
    left = _stable(run, fence, plan)
    _drain(run, fence, plan, left)
    _clean_up(run, fence, plan)


def _plan(run: Run, options: PromoteOptions) -> Plan:
    approved = options.approved.checked()
    asked = run.recorder.record.release.id = checked_release_id(options.release) if options.release else ""
    seen = run.observer.look()
    live = decide.holder(seen)
    release = run.recorder.record.release.id = asked or (live.release if live else seen.marks.release)
    if live and live.release != release:
        raise Held(
            f"the canary of {seen.service.label} is release {live.release}, not {release}{build_of(run, live)}",
            holder_of(run, live),
            cure=f"promote what was approved: `promote --release {live.release}`",
        )
    refuse_disbelieved(seen)
    if live is None:
        _finish_cancel(run, seen, options.release)
    if decide.promoted(seen, release):
        plan = Plan(seen, release, str(seen.marks.wanted), seen.canaries, resumed=True)
    else:
        plan = _new_plan(run, seen, release)
    _record(run, plan)
    refuse_another(seen, release, plan.revision, run.recorder.record.release.image, approved)
    if plan.resumed and not options.approved_by:
        run.recorder.record.approved_by = seen.marks.approval
    told = plan.seen.service.revision == plan.revision or rolled_back(plan.seen.service, plan.revision)
    if not told:
        refuse_unfit(run, plan.seen.service, Use.UPDATE)
        credentials.refuse_short_drain(run, plan.seen.service, plan.revision)
        _refuse_when_unjudged(plan, options)
        _refuse_when_unwell(run, plan)
    return plan


def _new_plan(run: Run, seen: Look, release: str) -> Plan:
    live, label = decide.holder(seen), seen.service.label
    refuse_foreign(seen)
    if live is None:
        begun = release or seen.marks.under_way
        ended = [task for task in run.observer.stopping() if run.definitions.revision(task.revision).release == begun]
        why = f": {evidence.end_of(ended[-1])}" if ended and begun else ""
        raise Refused(
            f"no canary {f'of release {release} ' if release else ''}lives at {label}{why}", cure="run `canary` first"
        )
    refuse_when_cancelled(seen)
    return Plan(seen, release, live.revision, seen.canaries, resumed=False)


def _finish_cancel(run: Run, seen: Look, asked: str) -> None:
    """A process that died while it restored: the same command finishes that, the hooks of a rollback too."""
    turn = seen.marks.turn
    if run.dry_run or turn == Turn() or asked not in ("", turn.cancelled):
        return
    left = not seen.foreign and bool(decide.leftover(run.observer.look(scan=True), bound=False))
    stands = not asked and decide.promoted(seen, seen.marks.release)
    if not left and (stands or not hooks.planned_after_rollback(run, seen, changing=False)):
        return
    if left:
        with run.recorder.step("restore") as step:
            seen = finished(run, Finish(run, turn, lambda _name: nullcontext(step), bound=False))
    hooks.after_rollback(run, seen)
    raise Refused(
        f"release {turn.cancelled} was cancelled; what was left {'of it is removed' if left else 'to do is done'} now",
        cure="start it again if it is still wanted",
    )


def _refuse_when_unjudged(plan: Plan, options: PromoteOptions) -> None:
    if plan.canaries and not plan.seen.verdict and not options.unjudged:
        raise Refused(
            f"the canary of release {plan.release} at {plan.seen.service.label} has no verdict: its bake did not end",
            cure="run `canary` again to end it, or `promote --unjudged`",
        )


def _refuse_when_unwell(run: Run, plan: Plan) -> None:
    """A canary that died or turned unhealthy since it was judged is not what was approved; nor is half a service."""
    problems = wellness.problems(run, plan.seen, plan.canaries, seen_at(run, plan.seen, plan.canaries))
    if problems:
        raise Refused(
            f"the canary of release {plan.release} is not well any more: {', '.join(problems)}",
            cure="`rollback` it, or run `canary` again",
        )


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
        if now.revision == plan.revision or rolled_back(now, plan.revision):
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
        registrations = (run.observer.look() if dead else plan.seen).registrations
        going = [target for target in registered if seen.of(target)]
        RetireStep(run, fence.write, whole_drain=True).leave(registered, going=going, registrations=registrations)
        step.message = removal.told(dict.fromkeys((*left, *registered)))


def _clean_up(run: Run, fence: Fence, plan: Plan) -> None:
    with run.recorder.step("cleanup") as step:
        known = (
            {known_task.arn: known_task for known_task in run.ecs.tasks([task.arn for task in plan.ours])}
            if plan.ours
            else {}
        )
        living = [known[task.arn] for task in plan.ours if task.arn in known and known[task.arn].alive]
        RetireStep(run, fence.write, "ecs-pipeline: promoted").stop(living, plan.ours)
        step.message = f"stopped: {', '.join(task.id for task in plan.ours)}" if plan.ours else "unchanged"
    record_traffic(run, fence.require().running)


def _restore(run: Run, fence: Fence, plan: Plan, failure: ReleaseFailed, hold: ScalingHold) -> None:
    """(7) After a look: the service back on what it ran before, canary and revision gone."""
    try:
        fence.look_again()
    except TurnChanged as changed:
        undo_update(run, plan.revision)
        raise refusal(changed.service, plan.release) from failure
    before = "" if plan.resumed else plan.seen.service.revision
    restore(run, plan.release, failure, before=before, then=hold.end)


def _is_done(plan: Plan) -> bool:
    seen = plan.seen
    stable = seen.service.primary is not None and seen.service.primary.rollout in ("COMPLETED", "")
    left = plan.ours or orphans.without_owner(seen.registrations)
    return plan.resumed and seen.service.revision == plan.revision and stable and not left


def _since(plan: Plan) -> str:
    """What became of another release since this one was promoted; '' when none came."""
    marks, promoted = plan.seen.marks, plan.seen.revisions[plan.revision]
    if marks.under_way not in ("", plan.release):
        return f" (release {marks.under_way} has begun)"
    return f" (release {marks.turn.cancelled} was rolled back since)" if promoted.turn != marks.turn else ""


def _record(run: Run, plan: Plan) -> None:
    record, service = run.recorder.record, plan.seen.service
    record.release.id = plan.release
    record.release.task_definition = plan.revision
    record.release.epoch = plan.seen.marks.turn.digest
    record.release.previous_task_definition = (plan.seen.marks.previous if plan.resumed else service.revision) or ""
    whole = run.definitions.get(plan.revision)
    container = definition.chosen_container(whole.definition, service, run.settings.container)
    record.release.refer_to(definition.image_of(whole, container))
    record.release.commit = whole.tags.get(release_tags.COMMIT, "")
    record.release.build = whole.tags.get(release_tags.BUILD, run.origin.build)
    record_seen(run, plan.seen)
    before = record.release.previous_task_definition
    if before and run.definitions.exists(before):
        earlier, read_only = run.definitions.get(before), run.definitions.read_only_members
        record.changes = definition.changes(earlier, whole, read_only)
        record.release.previous_document = previous_definition.document(earlier, read_only)
