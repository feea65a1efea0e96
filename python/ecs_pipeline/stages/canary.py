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

from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.checks.watch import records_for
from ecs_pipeline.engine.converge import converge
from ecs_pipeline.engine.run import Run
from ecs_pipeline.hooks import hooks
from ecs_pipeline.model.release import INCONCLUSIVE, Image, TaskDefinition
from ecs_pipeline.plans.canary import plan as planned_canary
from ecs_pipeline.plans.canary_request import CanaryOptions, requested
from ecs_pipeline.plans.sizes import task_counts
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.steps import deregistered_tasks, proven, scaling_hold
from ecs_pipeline.steps.baseline import sweep_seconds, sweep_surplus
from ecs_pipeline.steps.judging import bake, inconclusive, record_verdict
from ecs_pipeline.steps.release_image import release_image
from ecs_pipeline.steps.release_mark import mark_under_way
from ecs_pipeline.steps.renewal import until_judged
from ecs_pipeline.steps.revision import REGISTERED_WITHIN, RevisionStep
from ecs_pipeline.steps.start import Start
from ecs_pipeline.steps.tasks import Created
from ecs_pipeline.task_definitions.definition import changes
from ecs_pipeline.timing.wait import Deadline
from ecs_pipeline.undo.canary import Canary, undoing
from ecs_pipeline.undo.leftovers import sweep_earlier
from ecs_pipeline.undo.replace import without_another

STEPS = ("preflight", "image", "task-definition", "tasks", "healthy", "traffic", "bake", "restore")


def canary(run: Run, options: CanaryOptions) -> None:
    """The stage. Raises ReleaseFailed after restoring, Refused when the service is not free, Inconclusive."""
    run.recorder.record.checks = records_for(run.settings.canary.checks)
    hooks.announce(run)
    with run.recorder.step("preflight") as step:
        request = without_another(run, requested(run, options), replacing=options.replace)
        plan = planned_canary(run, request)
        stage = Canary(run, plan, Fence(run.ecs, run.clock, plan.seen.service), Created(), Created())
        with undoing(stage):
            if plan.done:
                proven.refuse_another(run, stage.fence, plan.seen, plan.base, plan.release)
            scaling_hold.put_back_at_rest(run, plan.seen.service)
            swept = sweep_seconds(run, stage.fence, plan.seen)
            if plan.done:
                step.message = f"release {plan.release} is done already: {swept or 'nothing was changed'}"
            else:
                step.message = plan.summary
                if plan.seen.canaries:
                    run.recorder.progress(f"release {plan.release} is resumed: its canary lives, its bake starts over")
                seen = sweep_surplus(run, stage.fence, plan.seen, task_counts(run, plan.seen.service)[-1])
                stage.plan = replace(plan, seen=deregistered_tasks.retire(run, stage.fence, seen))
                sweep_earlier(run, stage.fence, stage.plan.seen, plan.release)
                if not run.dry_run:
                    mark_under_way(run, stage.fence, stage.plan.seen, plan.release, plan.source)
    if not plan.done:
        with undoing(stage):
            _carry_out(stage)
    elif plan.seen.verdict == INCONCLUSIVE:
        raise inconclusive(plan.release)


def _carry_out(stage: Canary) -> None:
    plan = stage.plan
    image = release_image(stage.run, plan.base, plan.release, plan.image, plan.repository)
    revision = _revision(stage, image)
    hooks.before_canary(stage.run, stage.fence, stage.release, revision)
    counts, first = task_counts(stage.run, plan.seen.service), plan.seen.first
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
    started = Start(
        run, stage.fence, plan.seen, plan.current, plan.container, revision, count, before, stage.made, stage.beside
    ).carry_out()
    container, now = plan.container, run.aws_time()
    subject = Subject(run, plan.seen.service, started.tasks, started.revision, container, now, started.baselines)
    verdict = bake(subject, sizes[number - 1].bake or 0.0, stage.fence.write, started.seen)
    if not run.dry_run:
        record_verdict(subject, stage.fence, stage.release, number, verdict, last=number == len(sizes))
    return started.revision


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
