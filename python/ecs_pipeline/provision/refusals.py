"""What `provision` refuses for the state of the environment: a deletion, a port that the service does not have."""

from __future__ import annotations

from collections.abc import Mapping

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, Refused
from ecs_pipeline.model.stacks import Stack
from ecs_pipeline.protocol import decide


def refuse_to_delete(run: Run, name: str, stack: Stack | None, confirmed: str) -> None:
    """Refuse without a confirmation, under deletion protection, and while a canary lives.

    Raises InvalidInput, Refused.
    """
    if stack is None:
        return
    if confirmed != name:
        raise InvalidInput(
            f"--delete removes all of {name} but its repositories: service, load balancer, roles and logs",
            cure=f"confirm it: --confirm {name}",
        )
    if stack.parameters.get("DeletionProtection") == "true":
        raise Refused(
            f"the load balancer of {name} is protected from deletion",
            cure='set provision.parameters.DeletionProtection to "false" and run `provision` first',
        )
    if stack.parameters.get("Image") == "":
        return
    try:
        seen = run.observer.snapshot()
    except InvalidInput:
        return
    live = decide.holder(seen)
    if live:
        raise Refused(f"release {live.release} has a live canary at {seen.service.label}", cure="`rollback` it first")


def refuse_unknown_port(run: Run, stack: Stack, given: Mapping[str, str]) -> None:
    """Refuse another ContainerPort than the revision that the service runs has: ECS would. Raises Refused."""
    port = given.get("ContainerPort", "")
    if port in ("", stack.parameters["ContainerPort"]):
        return
    service = run.ecs.service()
    app = run.definitions.get(service.revision).container("app") or {}
    if int(port) not in {mapping.get("containerPort") for mapping in app.get("portMappings", [])}:
        raise Refused(
            f"{service.label} runs a revision whose container app has no port {port}",
            cure="release one that has both ports first: `task_definition: FILE` in the config",
        )
