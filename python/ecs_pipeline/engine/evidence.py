"""What helps to understand a failure: stopped reasons, exit codes, the last log lines, the service's events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model import stops
from ecs_pipeline.model.release import Container, Service, Task, TaskDefinition

EVENTS = 5
STOPPED_BY_SIGNAL = (137, 143)
"""Exit codes of containers that ECS stops: 128 and SIGKILL or SIGTERM."""
OUT_OF_MEMORY = "OutOfMemory"
INJECTED = ("aws-guardduty-agent", "ecs-service-connect", "~internal~")
"""How the names of containers begin that AWS adds to a task."""


def of_task(run: Run, task: Task, definition: TaskDefinition, container: str) -> list[str]:
    """Why a task stopped, what each container ended with, the log of the one that counts, the service's events."""
    return of_tasks(run, [task], definition, container)


def of_tasks(run: Run, tasks: Sequence[Task], definition: TaskDefinition, container: str) -> list[str]:
    """The same of several tasks, with the service's events once: those since the first task was made, by AWS' clock."""
    lines = [line for task in tasks for line in how_it_ended(run, task, definition, container)]
    return lines + (of_service(run.ecs.service(), min(task.created for task in tasks)) if tasks else [])


def how_it_ended(run: Run, task: Task, definition: TaskDefinition, container: str) -> list[str]:
    """A task without the service's events."""
    run.recorder.task_state(task.arn, task.status)
    lines = [f"task {task.id}: {task.status}" + (f", {why}" if (why := stopped_because(task)) else "")]
    lines += [f"container {container.name}: {_ended(container)}" for container in task.containers]
    ended = culprit(task, definition, container)
    failed = ended.name if ended else container
    wanted = run.settings.reports.log_lines
    tail = run.logs.tail(task, definition, failed, wanted) if wanted else []
    if tail:
        lines += [f"last lines of {failed}:", *(f"  {line}" for line in tail)]
        run.recorder.record.log_tail = [f"{failed} of task {task.id}", *tail]
    return lines


def of_service(service: Service, since: datetime | None) -> list[str]:
    """The service's last events since then, in the order of time."""
    recent = [event for event in service.events if since is None or event.at >= since][:EVENTS]
    return [f"event {event.at:%H:%M:%S}: {event.message}" for event in reversed(recent)]


def stopped_because(task: Task) -> str:
    """AWS' code and reason, in a line."""
    return ": ".join(filter(None, (task.stop_code, task.stopped_reason)))


def first_cause(task: Task, definition: TaskDefinition | None = None, container: str = "") -> str:
    """The one thing to say about a stopped task: AWS' reason, and the container that failed first.

    `container` is the one that gets releases.
    """
    ended = culprit(task, definition, container)
    why = task.stopped_reason or task.stop_code or "stopped"
    return f"{why} ({ended.name}: {', '.join(_why(ended))})" if ended else why


def culprit(task: Task, definition: TaskDefinition | None = None, container: str = "") -> Container | None:
    """The container that ended a task: the essential or released one that failed first; None when none did.

    AWS tells no times of containers. But those that it stops because another one ended, it stops by a signal. One that
    is not in the definition was put there by AWS (GuardDuty's agent) and ends no task.
    """
    entries = definition.definition["containerDefinitions"] if definition else ()
    known = {str(entry["name"]): entry for entry in entries}

    def rank(ended: Container) -> tuple[bool, bool, bool]:
        essential = bool(known.get(ended.name, {}).get("essential", True)) or ended.name == container
        return not essential, _was_stopped(ended), ended.name != container

    failed = [ended for ended in task.containers if ended.exit_code or ended.reason]
    ours = [ended for ended in failed if (ended.name in known if known else not ended.name.startswith(INJECTED))]
    return min(ours, key=rank, default=None)


def _was_stopped(container: Container) -> bool:
    """Whether it ended by ECS' signal; one that was killed for want of memory was not stopped for another's sake."""
    return container.exit_code in STOPPED_BY_SIGNAL and OUT_OF_MEMORY not in container.reason


def end_of(task: Task) -> str:
    """How a canary's task ended, in words: AWS took it away, or it stopped."""
    taken = stops.taken_away(task)
    if taken:
        return f"AWS took its task {task.id} away ({taken})"
    return f"its task {task.id} stopped ({first_cause(task)})"


def stopped(tasks: Iterable[Task]) -> list[Task]:
    """Those that have stopped or are about to."""
    return [task for task in tasks if not task.alive]


def _ended(container: Container) -> str:
    health = [container.health] if container.health != "UNKNOWN" else []
    return ", ".join([container.status, *_why(container), *health])


def _why(container: Container) -> list[str]:
    code = [f"exit code {container.exit_code}"] if container.exit_code is not None else []
    return code + ([container.reason] if container.reason else [])
