"""Canary: the new image takes a part of the traffic beside the old one, and is watched.

preflight         look: is the service free, which release is this; sweep what dead ones left
image             in the registry, by digest
task-definition   the service's current revision with that image
                  (the config's hooks: before_canary)
tasks             so many of it, running
healthy           by their containers' health checks
traffic           registered in every target group, healthy there
bake              watched for its time
restore           only when one of these failed: as if nothing had been
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate

from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.checks.watch import records_for
from ecs_pipeline.engine.converge import converge
from ecs_pipeline.engine.run import Run
from ecs_pipeline.hooks import hooks
from ecs_pipeline.model.load_balancing import Target
from ecs_pipeline.model.release import INCONCLUSIVE, PASS, Image, Revision, TaskDefinition, canaries_for
from ecs_pipeline.plans import proven
from ecs_pipeline.plans.canary import Plan
from ecs_pipeline.plans.canary import plan as planned_canary
from ecs_pipeline.plans.canary_request import CanaryOptions, requested
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.steps import deregistered, scaling_hold
from ecs_pipeline.steps.bake import Bake
from ecs_pipeline.steps.baseline import sweep_baselines, sweep_seconds, sweep_surplus
from ecs_pipeline.steps.image import LISTED_WITHIN, BuiltImage, GivenImage, platform_of
from ecs_pipeline.steps.judging import bake, inconclusive
from ecs_pipeline.steps.renewal import until_judged
from ecs_pipeline.steps.retire import RetireStep
from ecs_pipeline.steps.revision import REGISTERED_WITHIN, RevisionStep
from ecs_pipeline.steps.start import Serving
from ecs_pipeline.steps.tasks import Made
from ecs_pipeline.steps.trust import still_coming
from ecs_pipeline.steps.vetting import vet
from ecs_pipeline.task_definitions.definition import changes
from ecs_pipeline.timing.wait import Deadline, StepBroken
from ecs_pipeline.undo.another import without_another
from ecs_pipeline.undo.canary import Canary, undoing

STEPS = ("preflight", "image", "task-definition", "tasks", "healthy", "traffic", "bake", "restore")


def canary(run: Run, options: CanaryOptions) -> None:
    """The stage. Raises ReleaseFailed after restoring, Refused when the service is not free, Inconclusive."""
    run.recorder.record.checks = records_for(run.settings.canary.checks)
    hooks.announce(run)
    with run.recorder.step("preflight") as step:
        request = without_another(run, requested(run, options), replacing=options.replace)
        plan = planned_canary(run, request)
        stage = Canary(run, plan, Fence(run.ecs, run.clock, plan.seen.service), Made(), Made())
        with undoing(stage):
            if plan.done:
                proven.refuse_another(run, stage.fence, plan)
            scaling_hold.put_back_at_rest(run, plan.seen.service)
            swept = sweep_seconds(run, stage.fence, plan.seen)
            if plan.done:
                step.message = f"release {plan.release} is done already: {swept or 'nothing was changed'}"
            else:
                step.message = _serving(plan)
                if plan.seen.canaries:
                    run.recorder.progress(f"release {plan.release} is resumed: its canary lives, its bake starts over")
                seen = sweep_surplus(run, stage.fence, plan.seen, _counts(stage)[-1])
                stage.plan = replace(plan, seen=deregistered.retire(run, stage.fence, seen))
                _begin(stage)
    if plan.done:
        _end_as_before(plan)
        return
    with undoing(stage):
        _carry_out(stage)


def _end_as_before(plan: Plan) -> None:
    """A verdict that is recorded stands."""
    if plan.seen.verdict == INCONCLUSIVE:
        raise inconclusive(plan.release)


def _serving(plan: Plan) -> str:
    service = plan.seen.service
    return f"{Revision(service.revision).name} runs {service.running} of {service.desired} tasks"


def _carry_out(stage: Canary) -> None:
    image = _image(stage)
    revision = _revision(stage, image)
    hooks.before_canary(stage.run, stage.fence, stage.release, revision)
    counts = _counts(stage)
    first = stage.plan.seen.first
    judged = first.judged_steps if first and not first.verdict else 0
    for number in range(1, len(counts) + 1):
        if number <= judged < len(counts):
            continue
        attempt = partial(_judge_size, stage, revision, number, counts)
        revision = until_judged(stage.run, stage.made, stage.fence.write, attempt)


def _judge_size(stage: Canary, revision: TaskDefinition, number: int, counts: Sequence[int]) -> TaskDefinition:
    """One size of the canary, up and judged; the revision that it runs. Raises TakenAway when AWS ends it."""
    run, plan, sizes = stage.run, stage.plan, stage.run.settings.canary.sizes
    before, count = ([0, *counts])[number - 1 : number + 1]
    served = Serving(
        run, stage.fence, plan.seen, plan.current, plan.container, revision, count, before, stage.made, stage.beside
    ).carry_out()
    container, now = plan.container, run.aws_time()
    subject = Subject(run, plan.seen.service, served.tasks, served.revision, container, now, served.baselines)
    verdict = bake(subject, sizes[number - 1].bake or 0.0, stage.fence.write, served.seen)
    if not run.dry_run:
        _record_verdict(stage, subject, number, verdict, last=number == len(sizes))
    return served.revision


def _counts(stage: Canary) -> list[int]:
    """How many tasks each size has; a percentage of few tasks may be less than the size before it has."""
    desired = stage.plan.seen.service.desired
    sizes = stage.run.settings.canary.sizes
    return list(accumulate((size.tasks or canaries_for(size.percent or 1.0, desired) for size in sizes), max))


def _begin(stage: Canary) -> None:
    """(4) Sweep what other turns left, then mark the release as under way; it is judged anew."""
    run, seen = stage.run, stage.plan.seen
    retire = RetireStep(run, stage.fence.write, "ecs-pipeline: left over from an earlier release")
    drained: list[Target] = []
    sweeps = 0
    while (left := decide.leftover_tasks(seen, drained)) and (left.drain or sweeps < decide.MOST_SWEEPS):
        run.recorder.progress("sweeping what an earlier release left")
        if run.dry_run:
            run.recorder.plan("remove what an earlier release left")
            break
        if left.drain:
            owned = [registration for registration in left.drain if registration.owner]
            drained += [registration.target for registration in owned]
            going = [registration.target for registration in owned if not registration.draining]
            retire.leave(drained, going=going, registrations=left.drain)
        else:
            sweeps += 1
            retire.stop(left.stop)
        seen = run.observer.look()
    if sweeps and seen.strangers:
        run.recorder.progress(f"warning: {still_coming(seen).message}")
    sweep_baselines(run, stage.fence, seen, stage.release)
    if not run.dry_run:
        _mark(stage)


def _mark(stage: Canary) -> None:
    """The release is under way and judged anew; keys that a promotion or a rollback needs are there from now on."""
    run, before = stage.run, stage.plan.seen.marks
    outdated = {release_tags.VERDICT: "", release_tags.JUDGED_STEPS: "0"}
    for task in stage.plan.seen.canaries:
        if task.verdict:
            stage.fence.write(partial(run.ecs.tag_task, task.arn, outdated))
    if (before.under_way, before.source) != (stage.release, stage.plan.source):
        service = stage.fence.require()
        absent = release_tags.missing_keys(service.raw.get("tags") or {}, scaling_hold.reserved(run))
        tags = {
            **absent,
            release_tags.UNDER_WAY: stage.release,
            release_tags.SOURCE: stage.plan.source,
            release_tags.APPROVAL: "",
        }
        with run.recorder.noting(f"mark release {stage.release} as under way"):
            stage.fence.write(lambda: run.ecs.tag(service.arn, tags))


def _image(stage: Canary) -> Image:
    run, plan = stage.run, stage.plan
    listed, platform = Deadline.after(run.clock, LISTED_WITHIN), platform_of(plan.base.definition)
    if plan.image:
        image = converge(GivenImage(plan.image), run, listed)
    else:
        assert plan.repository is not None  # noqa: S101 - the preflight finds one or the other
        step = BuiltImage(run, run.settings.image, plan.repository, tag=stage.release, platform=platform)
        image = converge(step, run, listed)
        run.recorder.record.release.refer_to(image.reference)
    vet(run, image, plan.repository, platform)
    return image


def _revision(stage: Canary, image: Image) -> TaskDefinition:
    run, plan = stage.run, stage.plan
    current = plan.current.revision
    newer_than = current.number if plan.base.family == current.family else 0
    step = RevisionStep(run, stage.fence, plan.base, image, stage.release, newer_than)
    try:
        revision = converge(step, run, Deadline.after(run.clock, REGISTERED_WITHIN))
    finally:
        stage.made.revisions += step.made
    run.recorder.record.release.task_definition = revision.revision.arn
    run.recorder.record.changes = changes(plan.current, revision, run.definitions.read_only_members)
    return revision


def _record_verdict(stage: Canary, subject: Subject, number: int, verdict: str, *, last: bool) -> None:
    """The verdict is a tag of the first task and dies with it."""
    ended = last or verdict != PASS
    began = str(int(subject.since.timestamp()))
    tags = {
        release_tags.JUDGED_STEPS: str(number),
        release_tags.JUDGED_TASKS: str(len(subject.canary)),
        release_tags.BAKE_BEGAN: began,
        **({release_tags.VERDICT: verdict} if ended else {}),
    }
    first = subject.canary[0]
    if not stage.fence.write(lambda: stage.run.ecs.tag_task(first.arn, tags)):
        with stage.run.recorder.step("bake"):
            Bake(subject).look()
            raise StepBroken(f"the canary task {first.id} stopped before its verdict was written")
    if verdict == INCONCLUSIVE:
        raise inconclusive(stage.release, stage.run.recorder.record.checks)
