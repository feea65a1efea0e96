"""Where a task is asked: its own address, and the port that its target has."""

from __future__ import annotations

from ecs_pipeline.check_settings import HttpCheck
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model import Task


def url_of(subject: Subject, task: Task, settings: HttpCheck) -> str:
    """The URL of a task's own address. Raises Trouble for a task without one."""
    port, scheme = settings.port, "http"
    entries = subject.service.load_balancing
    chosen = next((entry for entry in entries if entry.container == subject.container), next(iter(entries), None))
    if chosen is not None:
        group = subject.run.elb.target_group(chosen.target_group)
        scheme = "https" if group and group.protocol == "HTTPS" else "http"
        port = port or chosen.port
    port = port or _first_port(subject)
    if not task.address or not port:
        what = "port" if task.address else "address of its own"
        raise Trouble(f"task {task.id} has no {what}; use `via: load-balancer`")
    return f"{scheme}://{task.address}:{port}{settings.path or '/'}"


def _first_port(subject: Subject) -> int:
    container = subject.revision.container(subject.container) or {}
    mappings = container.get("portMappings", [])
    return next((int(mapping["containerPort"]) for mapping in mappings if "containerPort" in mapping), 0)
