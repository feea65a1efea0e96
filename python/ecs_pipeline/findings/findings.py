"""What `validate` looks at, a function each: it returns what is fine in a line, or raises what a release would.

Of several findings of one kind the others are the error's evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import InvalidInput, PipelineError, Refused
from ecs_pipeline.hooks import hooks
from ecs_pipeline.model.load_balancing import group_name
from ecs_pipeline.model.release import Revision, Service
from ecs_pipeline.model.service_kinds import Use
from ecs_pipeline.plans.fitness import obstacles_of, tell_shares
from ecs_pipeline.plans.refusals import refuse_crowds, refuse_lost_groups, refuse_without_room
from ecs_pipeline.steps import image as images
from ecs_pipeline.steps import image_platform
from ecs_pipeline.steps.build import refuse_unready
from ecs_pipeline.steps.revision import Base, base_of
from ecs_pipeline.steps.rollout_deadline import groups_of
from ecs_pipeline.steps.scaling_hold import tags_needed
from ecs_pipeline.steps.vetting import refuse_unvettable, tell_scan
from ecs_pipeline.task_definitions import definition

STACK = "aws:cloudformation:stack-name"


def together(looks: Sequence[Callable[[], None]]) -> None:
    """Look at all of them; the first finding is raised, the others are its evidence."""
    found: list[PipelineError] = []
    for look in looks:
        try:
            look()
        except (InvalidInput, Refused) as error:
            found.append(error)
    if found:
        first, *others = found
        evidence = [*first.evidence, *(line for error in others for line in (str(error), *error.evidence))]
        raise InvalidInput(first.message, cure=first.cure, evidence=evidence)


def service(run: Run, service: Service) -> str:
    """What keeps the service from a canary, all of it, and what else acts on it."""
    stack = (service.raw.get("tags") or {}).get(STACK)
    if stack:
        told = f"CloudFormation stack {stack} has the service: a stack update may change its revision"
        note(run.recorder, told)
    if len(service.deployments) > 1:
        note(run.recorder, f"a rollout of {service.label} is under way")

    def refuse_kinds() -> None:
        found = list(obstacles_of(run, service, Use.CANARY))
        if found:
            why = f"service {service.label} {Use.CANARY.value}"
            evidence = [f"{why}: {obstacle.why}; {obstacle.cure}" for obstacle in found[1:]]
            raise Refused(f"{why}: {found[0].why}", cure=found[0].cure, evidence=evidence)

    def refuse_tags() -> None:
        refuse_without_room(service, hooks.new_tags(run, service) + tags_needed(run, service))

    together([refuse_kinds, lambda: refuse_crowds(run, service), refuse_tags])
    return f"{Revision(service.revision).name} runs {service.running} of {service.desired} tasks"


def task_definition(run: Run, service: Service) -> str:
    """The container that gets the image, and the config's file, as a canary would take them."""
    current = run.definitions.get(service.revision)
    container = definition.chosen_container(current.definition, service, run.settings.container)
    base = base_of(run, current, service, container)
    return f"container {base.container} of {base.file or current.revision.name}"


def hooks_of_config(run: Run, service: Service) -> str:
    """Each hook has a container whose end is the task's."""
    base = base_of(run, run.definitions.get(service.revision), service, run.settings.container)
    hooks.refuse_unfit(run, base.definition, service)
    return ", ".join(hooks.descriptions(run)) or "none"


def image(run: Run, service: Service, given: str = "", tag: str = "") -> str:
    """What is given, or built here, can become the canary; ECR has what a rollback would need."""
    settings = run.settings.image
    current = run.definitions.get(service.revision)
    container = definition.chosen_container(current.definition, service, run.settings.container)
    images.tell_lost(run, current, container)
    tell_scan(
        run, definition.deployed_image(current, service, run.settings.container), images.platform_of(current.definition)
    )
    if given or tag:
        text = images.of_tag(current, container, tag) if tag else given
        return _given_image(run, base_of(run, current, service, container), text)
    refuse_unvettable(run, None)
    context = (run.folder / settings.context).resolve()
    if not run.engine.has_dockerfile(context, settings.dockerfile):
        note(run.recorder, f"there is no {settings.dockerfile} to build: give releases with --image")
        return "nothing is built here"
    base = base_of(run, current, service, container)
    together(
        [
            lambda: images.refuse_windows(base.definition),
            lambda: _refuse_other_platform(run, base),
            lambda: _refuse_no_engine(run),
            lambda: _refuse_no_repository(run),
            lambda: refuse_unready(run, settings, lambda: False),
        ]
    )
    return f"{settings.dockerfile} for {settings.platform or images.platform_of(base.definition)}"


def _given_image(run: Run, base: Base, text: str) -> str:
    """An image that was built elsewhere is there, can be vetted, and is for the tasks' platform."""
    found = images.given(run, text)
    together([lambda: refuse_unvettable(run, found), lambda: image_platform.refuse_other(run, found, base)])
    return found.reference


def _refuse_other_platform(run: Run, base: Base) -> None:
    """An image that is built for another platform than the one that the task definition asks for."""
    built, wanted = run.settings.image.platform, image_platform.of_tasks(base.definition)
    if built and wanted and not image_platform.fits(built, wanted):
        raise InvalidInput(
            f"image.platform is {built}, but the tasks run on {wanted} "
            f"(runtimePlatform of {base.file or f'family {base.family}'})",
            cure="leave image.platform out: the task definition decides then",
        )


def _refuse_no_engine(run: Run) -> None:
    problem = run.engine.problem()
    if problem:
        raise InvalidInput(problem, cure="start one, point DOCKER_HOST at one, or give --image")


def _refuse_no_repository(run: Run) -> None:
    images.repository(run, run.settings.image)


def target_groups(run: Run, service: Service) -> str:
    """They are there, have healthy targets, and are drained as long as they ask for."""
    if not service.load_balancing:
        return "none: the canary takes no traffic"
    refuse_lost_groups(run, service)
    tell_shares(run, service)
    groups, drain = groups_of(run, service), run.settings.rollback.drain
    for group in groups:
        if drain is not None and drain < group.drain:
            name = group_name(group.arn)
            note(run.recorder, f"rollback.drain is shorter than the {group.drain}s that {name} gives its requests")
        if not any(health.state == "healthy" for health in run.elb.health(group.arn)):
            note(run.recorder, f"no target of {group_name(group.arn)} is healthy")
    return ", ".join(group_name(group.arn) for group in groups)
