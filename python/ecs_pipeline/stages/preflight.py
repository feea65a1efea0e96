"""What the canary finds out before it touches anything: whose turn it is, which release this is, what it is made of."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace

from ecs_pipeline import decide, definition, marks, previous_definition, references
from ecs_pipeline.checks.reach import refuse_unreachable
from ecs_pipeline.errors import InvalidInput, Refused
from ecs_pipeline.load_balancing import group_name
from ecs_pipeline.look import Look
from ecs_pipeline.model import Image, Repository, Revision, Service, TaskDefinition, Turn, canaries_for
from ecs_pipeline.origin import checked_release_id, new_release_id
from ecs_pipeline.run import Run, note
from ecs_pipeline.service_kinds import Use
from ecs_pipeline.stages import hooks, wellness
from ecs_pipeline.stages.finish import Finish, finished
from ecs_pipeline.stages.fitness import refuse_unfit, tell_shares
from ecs_pipeline.stages.judging import refuse_checks
from ecs_pipeline.stages.rollback import cancel
from ecs_pipeline.stages.rollback_scope import Options as RollbackOptions
from ecs_pipeline.steps import credentials
from ecs_pipeline.steps import image as images
from ecs_pipeline.steps.holder import held_by
from ecs_pipeline.steps.provenance import differ
from ecs_pipeline.steps.revision import Base, base_of
from ecs_pipeline.steps.scaling_hold import tags_needed
from ecs_pipeline.steps.traffic import record_seen, seen_at
from ecs_pipeline.steps.trust import other_image, refuse_disbelieved, refuse_foreign
from ecs_pipeline.steps.vetting import refuse_unvettable

OUR_TAGS = 9
"""Tags of ours that a service has at once: those of a release, and two records of targets. Those of one-off commands
are counted as they are.
"""

MOST_TASKS = 100
"""Canary tasks of one service."""


@dataclass(frozen=True)
class CanaryOptions:
    """What the command line asks for."""

    release: str = ""
    image: str = ""
    tag: str = ""
    replace: bool = False


@dataclass(frozen=True)
class Plan:
    """What the canary goes on with."""

    seen: Look
    release: str
    source: str
    current: TaskDefinition
    base: Base
    image: Image | None
    repository: Repository | None
    done: bool = False


def preflight(run: Run, options: CanaryOptions) -> Plan:
    """Look, refuse what has to be refused, and make the plan; nothing is written, but for `--replace`."""
    asked = run.recorder.record.release.id = checked_release_id(options.release) if options.release else ""
    if options.image:
        references.parse(options.image)
    if options.tag:
        references.checked_tag(options.tag)
    if run.origin.problem and not asked:
        run.recorder.progress(f"{run.origin.problem}; to resume a release, give its --release")
    seen = run.observer.look()
    refuse_unfit(run, seen.service, Use.CANARY)
    refuse_crowds(run, seen.service)
    refuse_without_room(seen.service, hooks.new_tags(run, seen.service) + tags_needed(run, seen.service))
    current = run.definitions.get(seen.service.revision)
    container = definition.chosen_container(current.definition, seen.service, run.settings.container)
    text = images.of_tag(current, container, options.tag) if options.tag else options.image
    image = images.given(run, text) if text else None
    repository = None if image else images.repository(run, run.settings.image)
    source = _source(run, image)
    release = asked or _release(seen, source) or _living(run, seen, image, container)
    release = release or new_release_id(run.clock.wall(), run.origin.commit)
    run.recorder.record.release.id = release
    seen = _without_another(run, seen, release, replacing=options.replace)
    base = base_of(run, current, seen.service, container)
    plan = Plan(seen, release, source, current, base, image, repository)
    _record(run, plan)
    done = _is_done(run, plan)
    if done:
        _tell_another_commit(run, plan)
    else:
        refuse_foreign(seen)
        refuse_disbelieved(seen)
        refuse_when_cancelled(seen)
        refuse_lost_groups(run, seen.service, release if seen.canaries else "")
        refuse_checks(run, alive=bool(seen.canaries), watched=run.settings.canary.watched)
        refuse_unreachable(run, seen.service)
        hooks.refuse_unfit(run, base.definition, seen.service)
        credentials.refuse_short_bake(run, seen.service, seen.service.revision)
        tell_shares(run, seen.service)
        images.tell_lost(run, current, container)
    if repository and not done:
        images.refuse_windows(base.definition)
        images.refuse_unbuildable(run, run.settings.image, release)
    if not done:
        refuse_unvettable(run, image)
    run.recorder.progress(f"release {release} of {seen.service.label}, container {container}")
    return replace(plan, done=done)


def refuse_when_cancelled(seen: Look) -> None:
    """The service runs what a rollback took away, or what somebody else deregistered without a way back recorded."""
    if not decide.cancelled(seen, seen.service.revision):
        return
    name, back = Revision(seen.service.revision).name, decide.home(seen, "")
    raise Refused(
        f"{seen.service.label} runs {name}, which was {'cancelled' if back else 'deregistered'}",
        cure="`rollback` brings it back first" if back else f"`rollback --to {name}` registers it anew first",
    )


def refuse_lost_groups(run: Run, service: Service, canary: str = "") -> None:
    """A target group of the service that was deleted: nothing could be registered in it.

    `canary`: the release whose canary lives, which a rollback takes away.
    """
    gone = [entry.target_group for entry in service.load_balancing if run.elb.target_group(entry.target_group) is None]
    if gone:
        raise Refused(
            f"target group {group_name(gone[0])} of {service.label} was deleted",
            cure="give the service its load balancer back" + (f", or `rollback --release {canary}`" if canary else ""),
        )


def _without_another(run: Run, seen: Look, release: str, *, replacing: bool) -> Look:
    """Another release's canary: refused, or rolled back first with `--replace`."""
    live = decide.holder(seen)
    if live is None or live.release == release:
        return _replaced(run, seen) if replacing else seen
    if not replacing:
        raise held_by(run, seen.service, live)
    refuse_checks(run, alive=False, watched=run.settings.canary.watched)
    refuse_unreachable(run, seen.service)
    refuse_lost_groups(run, seen.service)
    promoted = bool(decide.left_by_promote(seen))
    what = "its canary, which the service runs by now, is taken away" if promoted else "it is rolled back"
    run.recorder.progress(f"release {live.release} holds the service: {what} first")
    if run.dry_run:
        run.recorder.plan(f"{'take away' if promoted else 'roll back'} the canary of release {live.release}")
        return replace(seen, tasks=tuple(task for task in seen.tasks if task.release != live.release))
    step = run.recorder.record.step("preflight")
    cancel(run, RollbackOptions(release=live.release, canary_only=promoted), lambda _name: nullcontext(step))
    return run.observer.look()


def _replaced(run: Run, seen: Look) -> Look:
    """Finish what this command left when it died while it rolled the other release back."""
    if run.dry_run or seen.marks.turn == Turn() or not decide.leftover(run.observer.look(scan=True), bound=False):
        return seen
    step = run.recorder.record.step("preflight")
    sweep = Finish(run, seen.marks.turn, lambda _name: nullcontext(step), patient=True, bound=False)
    return finished(run, sweep)


def _source(run: Run, image: Image | None) -> str:
    """What makes two runs the same release when no id is given; '' when nothing does (an unclean tree)."""
    if image:
        return marks.tag_value(image.reference)
    return f"commit {run.origin.commit}" if run.origin.commit and run.origin.clean else ""


def refuse_crowds(run: Run, service: Service) -> None:
    """A percentage near 100 may ask for thousands of tasks."""
    for size in run.settings.canary.sizes:
        count = canaries_for(size.percent, service.desired) if size.percent else 0
        if count > MOST_TASKS:
            raise InvalidInput(
                f"canary.percent: {size.percent:g} % beside {service.desired} tasks of {service.label} "
                f"would be {count} canary tasks; {MOST_TASKS} are the most",
                cure="lower it",
            )


def refuse_without_room(service: Service, more: int = 0) -> None:
    """A service with so many tags of its own that ours, and so many more that the config needs, would not fit."""
    tags = service.raw.get("tags") or {}
    own = [*marks.theirs(tags), *(key for key in tags if key.startswith(marks.RAN))]
    needed = OUR_TAGS + more
    if len(own) + needed > marks.MOST_TAGS:
        raise Refused(
            f"service {service.label} has {len(own)} tags; ECS allows {marks.MOST_TAGS}, and {needed} are needed",
            cure="remove some",
        )


def _release(seen: Look, source: str) -> str:
    """The id of the release under way when it is of the same source."""
    unfinished = seen.marks.under_way != seen.marks.release or seen.canaries
    return seen.marks.under_way if source and unfinished and seen.marks.source == source else ""


def _living(run: Run, seen: Look, image: Image | None, container: str) -> str:
    """The id of the release that lives with the same `--image`."""
    live = decide.holder(seen)
    if live is None or image is None:
        return ""
    return live.release if _image_of(run, live.revision, container) == image.reference else ""


def _image_of(run: Run, revision: str, container: str) -> str:
    return definition.image_of(run.definitions.get(revision), container)


def _refuse_other_image(run: Run, revision: str, plan: Plan) -> None:
    """A release id that lives with another image."""
    there = _image_of(run, revision, plan.base.container)
    if plan.image and there != plan.image.reference:
        raise other_image(plan.release, plan.seen.service.label, there, plan.image.reference)


def _is_built(run: Run, revision: str, plan: Plan) -> bool:
    """Whether the image of a revision is the one that was built as this release; one that was given is known."""
    if plan.repository is None:
        return True
    built = run.repositories.digest(plan.repository.name, tag=plan.release)
    return bool(built) and _image_of(run, revision, plan.base.container).partition("@")[2] == built


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
    there = run.definitions.get(run.recorder.record.release.task_definition).tags.get(marks.COMMIT, "")
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
    release.epoch = seen.marks.turn.digest
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
        release.refer_to(_image_of(run, release.task_definition, plan.base.container))
    record_seen(run, seen)
