"""What a canary is going to do: which release it is, whether it is done already, and what refuses it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecs_pipeline.checks.reach import refuse_unreachable
from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.hooks import hooks
from ecs_pipeline.model.release import Revision
from ecs_pipeline.plans import refusals, wellness
from ecs_pipeline.plans.canary_request import Request
from ecs_pipeline.plans.fitness import tell_shares
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.steps import credentials
from ecs_pipeline.steps import image as images
from ecs_pipeline.steps.judging import refuse_checks
from ecs_pipeline.steps.provenance import differ
from ecs_pipeline.steps.revision import Base, base_of
from ecs_pipeline.steps.traffic import record_seen, seen_at
from ecs_pipeline.steps.trust import other_image, refuse_disbelieved, refuse_foreign
from ecs_pipeline.steps.vetting import refuse_unvettable
from ecs_pipeline.task_definitions import previous_definition


@dataclass(frozen=True)
class Plan(Request):
    """A request with what its revision is made from; `done`: it has its verdict already, or is promoted."""

    base: Base
    done: bool = False

    @property
    def summary(self) -> str:
        """What the service runs, in a line."""
        service = self.seen.service
        return f"{Revision(service.revision).name} runs {service.running} of {service.desired} tasks"


def plan(run: Run, request: Request) -> Plan:
    """Refuse what has to be refused, and tell whether there is anything to do; nothing is written."""
    base = base_of(run, request.current, request.seen.service, request.container)
    made = Plan(
        request.seen,
        request.release,
        request.source,
        request.current,
        base.container,
        request.image,
        request.repository,
        base,
    )
    _record(run, made)
    done = _is_done(run, made)
    if done:
        _tell_another_commit(run, made)
    else:
        _refuse(run, made)
        images.tell_lost(run, request.current, request.container)
        _refuse_image(run, made)
    run.recorder.progress(f"release {made.release} of {made.seen.service.label}, container {request.container}")
    return replace(made, done=done)


def _refuse(run: Run, plan: Plan) -> None:
    seen, service = plan.seen, plan.seen.service
    refuse_foreign(seen)
    refuse_disbelieved(seen)
    refusals.refuse_when_cancelled(seen)
    refusals.refuse_lost_groups(run, service, plan.release if seen.canaries else "")
    refuse_checks(run, alive=bool(seen.canaries), watched=run.settings.canary.watched)
    refuse_unreachable(run, service)
    hooks.refuse_unfit(run, plan.base.definition, service)
    credentials.refuse_short_bake(run, service, service.revision)
    tell_shares(run, service)


def _refuse_image(run: Run, plan: Plan) -> None:
    if plan.repository:
        images.refuse_windows(plan.base.definition)
        images.refuse_unbuildable(run, run.settings.image, plan.release)
    refuse_unvettable(run, plan.image)


def _refuse_other_image(run: Run, revision: str, plan: Plan) -> None:
    """A release id that lives with another image."""
    there = plan.image_of(run, revision)
    if plan.image and there != plan.image.reference:
        raise other_image(plan.release, plan.seen.service.label, there, plan.image.reference)


def _is_built(run: Run, revision: str, plan: Plan) -> bool:
    """Whether the image of a revision is the one that was built as this release; one that was given is known."""
    if plan.repository is None:
        return True
    built = run.repositories.digest(plan.repository.name, tag=plan.release)
    return bool(built) and plan.image_of(run, revision).partition("@")[2] == built


def _is_done(run: Run, plan: Plan) -> bool:
    """Whether the canary has its verdict already, or is promoted."""
    seen, live = plan.seen, decide.holder(plan.seen)
    if live is None:
        done = decide.runs_promoted(seen, plan.release)
        if done:
            _refuse_other_image(run, seen.service.revision, plan)
        return done and _is_built(run, seen.service.revision, plan)
    _refuse_other_image(run, live.revision, plan)
    if not seen.verdict:
        return False
    if not _is_built(run, live.revision, plan):
        return False
    health = seen_at(run, seen, seen.canaries)
    return decide.runs_promoted(seen, plan.release) or not wellness.problems(run, seen, seen.canaries, health)


def _tell_another_commit(run: Run, plan: Plan) -> None:
    """Say so when an id is given again for other sources: whoever names each build `main` would deploy nothing."""
    there = run.definitions.get(run.recorder.record.release.task_definition).tags.get(release_tags.COMMIT, "")
    here = run.origin.commit
    if plan.repository and differ(there, here):
        note(
            run.recorder,
            f"release {plan.release} is of commit {there}, not {here}, which is here: it is done, and "
            "nothing is built; give this one an id of its own: --release",
        )


def _record(run: Run, plan: Plan) -> None:
    """What is known before anything is done; of a release that lives or is promoted also its revision and image."""
    seen, release = plan.seen, run.recorder.record.release
    release.id = plan.release
    release.commit, release.build = run.origin.commit, run.origin.build
    release.previous_task_definition = plan.current.revision.arn
    release.epoch = seen.marks.epoch.digest
    release.previous_document = previous_definition.document(plan.current, run.definitions.read_only_members)
    if plan.image:
        release.refer_to(plan.image.reference)
    live = decide.holder(seen)
    if live:
        release.task_definition = live.revision
    elif decide.promoted(seen, plan.release):
        release.task_definition, release.previous_task_definition = str(seen.marks.wanted), seen.marks.previous or ""
        release.previous_document = None
    if release.task_definition:
        release.refer_to(plan.image_of(run, release.task_definition))
    record_seen(run, seen)
