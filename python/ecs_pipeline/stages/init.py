"""What `init` proposes for a live service: a config with what differs from the defaults, and why. It never writes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.images import references
from ecs_pipeline.model.release import Service, TaskDefinition
from ecs_pipeline.stages.proposed_checks import proposed_checks
from ecs_pipeline.steps.image import is_of_account
from ecs_pipeline.task_definitions import definition
from ecs_pipeline.text import yaml_scalar

DEFINITION = "taskdef.json"
SCHEMA = "ecs-pipeline.schema.json"


@dataclass(frozen=True)
class Proposal:
    """The config, the definition ('' when it is not wanted), and what there is to know."""

    config: str
    definition: str
    notes: list[str]


def propose(run: Run, environment: str, *, with_definition: bool) -> Proposal:
    """Read the service, its definition, target groups and alarms, and write down what a config has to say."""
    service = run.ecs.service()
    current = run.definitions.get(service.revision)
    container, named = _container(current, service)
    document, notes = _definition(run, current) if with_definition else ("", [])
    lines = [
        f"# yaml-language-server: $schema={SCHEMA}",
        f"# The schema: ecs-pipeline config --schema > {SCHEMA}",
        f"# Made by `ecs-pipeline init` of {service.label}. What is not here has its default: docs/configuration.md.",
        f"region: {run.recorder.record.region}",
        *([] if environment else [f"cluster: {yaml_scalar(service.cluster)}"]),
        f"service: {yaml_scalar(service.name)}",
        *named,
        *_image(run, service, definition.image_of(current, container)),
        *([f"task_definition: {DEFINITION}            # releases take it instead of what runs"] if document else []),
        *proposed_checks(run, service, current),
        *(
            [f"environments:\n  {yaml_scalar(environment)}:\n    cluster: {yaml_scalar(service.cluster)}"]
            if environment
            else []
        ),
    ]
    return Proposal("\n".join(lines) + "\n", document, notes)


def _container(current: TaskDefinition, service: Service) -> tuple[str, list[str]]:
    """The container that gets releases, and its line where a config has to name it."""
    try:
        return definition.chosen_container(current.definition, service, ""), []
    except InvalidInput:
        names = [str(container["name"]) for container in current.definition["containerDefinitions"]]
        chosen = service.name if service.name in names else names[0]
        return chosen, [
            f"container: {yaml_scalar(chosen)}   # which one gets the image is not clear: {', '.join(names)}"
        ]


def _image(run: Run, service: Service, image: str) -> list[str]:
    """Where the service's image comes from, as far as that is not the default."""
    try:
        reference = references.parse(image)
    except InvalidInput:
        return []
    own = service.arn.split(":")[4], run.recorder.record.region
    place = reference.ecr or (own if is_of_account(run, reference) else None)
    if place is None:
        return [
            f"# The service runs {reference.name}: give releases with --image, or build them into an ECR repository:"
        ]
    lines = [] if reference.repository == service.name else [f"  repository: {yaml_scalar(reference.repository)}"]
    lines += [f'  registry: "{place[0]}/{place[1]}"'] if place != own else []
    return ["image:                               # where the service's image comes from", *lines] if lines else []


def _definition(run: Run, current: TaskDefinition) -> tuple[str, list[str]]:
    """The definition as RegisterTaskDefinition takes it, and which of its values may be secret."""
    plain = definition.without_nulls(definition.without(current.definition, run.definitions.read_only_members))
    variables = [
        f"{container['name']}.{variable['name']}"
        for container in plain["containerDefinitions"]
        for variable in container.get("environment") or ()
    ]
    note = f"{DEFINITION} holds the values of variables, commit no secret: {', '.join(variables)}"
    return json.dumps(plain, indent=2, default=str) + "\n", [note] if variables else []
