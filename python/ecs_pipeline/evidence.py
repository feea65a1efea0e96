"""What helps to understand a failure: stopped reasons, exit codes, the service's events, the last log lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ecs_pipeline.model import Container, Service, Task, TaskDefinition
from ecs_pipeline.run import Run

EVENTS = 5


def of_tasks(run: Run, tasks: Sequence[Task], definition: TaskDefinition, container: str) -> list[str]:
    """The same of several tasks, with the service's events once."""
    return [
        line
        for number, one in enumerate(tasks)
        for line in of_task(run, one, definition, container, with_events=number == 0)
    ]


def of_task(run: Run, task: Task, definition: TaskDefinition, container: str, *, with_events: bool = True) -> list[str]:
    """Why a task stopped, what each container ended with, the service's events, the log of the one that counts."""
    lines = [f"task {task.id}: {task.status}" + (f", {why}" if (why := stopped_because(task)) else "")]
    lines += [f"container {one.name}: {_ended(one)}" for one in task.containers]
    lines += of_service(run.ecs.service()) if with_events else []
    failed = next((one.name for one in task.containers if one.exit_code), container)
    tail = run.logs.tail(task, definition, failed)
    if tail:
        lines += [f"last lines of {failed}:", *(f"  {line}" for line in tail)]
        run.recorder.record.log_tail = [f"{failed} of task {task.id}", *tail]
    return lines


def of_service(service: Service, since: datetime | None = None) -> list[str]:
    """The service's last events."""
    recent = [one for one in service.events if since is None or one.at >= since][:EVENTS]
    return [f"event {one.at:%H:%M:%S}: {one.message}" for one in recent]


def stopped_because(task: Task) -> str:
    """AWS' reason, in a line."""
    return ": ".join(filter(None, (task.stop_code, task.stopped_reason)))


def first_cause(task: Task) -> str:
    """The one thing to say about a stopped task."""
    ended = next((one for one in task.containers if one.exit_code or one.reason), None)
    return f"{stopped_because(task) or 'stopped'}" + (f" ({ended.name}: {_ended(ended)})" if ended else "")


def stopped(tasks: Iterable[Task]) -> list[Task]:
    """Those that have stopped or are about to."""
    return [one for one in tasks if not one.alive]


def _ended(container: Container) -> str:
    parts = [container.status]
    if container.exit_code is not None:
        parts.append(f"exit code {container.exit_code}")
    if container.reason:
        parts.append(container.reason)
    if container.health != "UNKNOWN":
        parts.append(container.health)
    return ", ".join(parts)
