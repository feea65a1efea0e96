"""Whether this machine reaches the tasks that an `http` check with `via: canary` is going to ask.

Security groups drop what no rule allows, so a check from an agent outside would fail every release. A stable task tells
beforehand: it listens at the same port, in the same subnets and security groups.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable

from ecs_pipeline.checks.addresses import port_of
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.load_balancing import Target
from ecs_pipeline.model.release import Service, Task
from ecs_pipeline.task_definitions import definition

WITHIN = 3.0
"""Seconds for one connection."""
TRIED = 2
"""Tasks that are tried: one may be stopping."""


def refuse_unreachable(run: Run, service: Service) -> None:
    """Connect to a healthy task of the service (ListTasks, DescribeTasks) at each port that is asked.

    Nothing is tried without such checks, or while no healthy task has an address of its own: a service that is down may
    need the release. Raises InvalidInput.
    """
    checks = [(number, check) for number, check in enumerate(run.settings.canary.checks) if check.http]
    asked = [(number, check.title, check.http) for number, check in checks if check.http and check.http.via == "canary"]
    tasks = _healthy(run, service) if asked and run.settings.canary.watched else []
    if not tasks:
        return
    revision = run.definitions.get(service.revision)
    container = definition.chosen_container(revision.definition, service, run.settings.container)
    balanced = {entry.port for entry in service.load_balancing}
    tried: set[int] = set()
    for number, title, settings in asked:
        port = port_of(settings, service, revision, container)
        if not port or port in tried:
            continue
        tried.add(port)
        why = _unreachable(tasks[:TRIED], port, min(WITHIN, settings.timeout), serves=port in balanced)
        if why:
            raise InvalidInput(
                f"canary.checks.{number}.http ({title}): {why}, a task that {service.label} runs",
                cure="let this machine in to the tasks (docs/agents.md), or ask `via: load-balancer`",
            )


def _healthy(run: Run, service: Service) -> list[Task]:
    """Running tasks of the service's revision with an address, healthy in its target groups, the oldest first."""
    tasks = run.ecs.tasks(run.ecs.arns_of_service())
    running = [task for task in tasks if task.alive and task.status == "RUNNING" and task.revision == service.revision]
    usable = sorted((task for task in running if task.any_address), key=lambda task: task.age_key)
    for group in {entry.target_group for entry in service.load_balancing}:
        healthy = {health.identity for health in run.elb.health(group) if health.state == "healthy"}
        usable = [task for task in usable if healthy & {task.address, task.ipv6}]
    return usable


def _unreachable(tasks: Iterable[Task], port: int, timeout: float, *, serves: bool) -> str:
    """Why none of the tasks takes a connection, '' when one does.

    Not `serves`: it is not the load balancer's port, and only the release may listen there; a refusal came through.
    """
    why = ""
    for task in tasks:
        try:
            socket.create_connection((task.any_address, port), timeout).close()
        except OSError as error:
            if isinstance(error, ConnectionRefusedError) and not serves:
                return ""
            reason = f"none within {timeout:g}s" if isinstance(error, TimeoutError) else str(error.strerror or error)
            why = f"no connection from here to {Target('', task.any_address, port)} ({reason})"
        else:
            return ""
    return why
