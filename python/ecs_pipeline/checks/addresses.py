"""Where a task is asked: its own address, and the port that its target has."""

from __future__ import annotations

from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.checks import HttpCheck
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.load_balancing import LoadBalancing, Target
from ecs_pipeline.model.release import Service, Task, TaskDefinition


def url_of(subject: Subject, task: Task, settings: HttpCheck) -> str:
    """The URL of a task's own address. Raises Trouble for a task without one."""
    chosen = _target_of(subject.service, subject.container)
    group = subject.run.elb.target_group(chosen.target_group) if chosen else None
    scheme = "https" if group and group.protocol == "HTTPS" else "http"
    address = (task.address_in(group.ip_type) if group else "") or task.any_address
    port = port_of(settings, subject.service, subject.revision, subject.container)
    if not address or not port:
        what = "port" if address else "address of its own"
        raise Trouble(f"task {task.id} has no {what}; use `via: load-balancer`")
    return f"{scheme}://{Target('', address, port)}{settings.path or '/'}"


def port_of(settings: HttpCheck, service: Service, revision: TaskDefinition, container: str) -> int:
    """The port that is asked at a task's own address: the check's, the target's, the container's first, else 0."""
    chosen = _target_of(service, container)
    given = settings.port or (chosen.port if chosen else 0)
    mappings = (revision.container(container) or {}).get("portMappings", [])
    return given or next((int(mapping["containerPort"]) for mapping in mappings if "containerPort" in mapping), 0)


def _target_of(service: Service, container: str) -> LoadBalancing | None:
    """The load balancer's entry of the container, else its first."""
    entries = service.load_balancing
    return next((entry for entry in entries if entry.container == container), next(iter(entries), None))
