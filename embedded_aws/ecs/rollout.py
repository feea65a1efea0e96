"""Which tasks a service starts and stops next; pure, so that the rules can be read and tested alone.

Data type DeploymentConfiguration (minimumHealthyPercent, maximumPercent); Developer Guide, "Deploy Amazon ECS services
by replacing tasks".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TaskView:
    """A task that is not told to stop; `current`: of the newest deployment."""

    arn: str
    current: bool
    healthy: bool
    created: float


@dataclass(frozen=True)
class Plan:
    """How many tasks of the newest deployment to start, and which tasks to stop."""

    start: int = 0
    stop: tuple[str, ...] = ()


def plan(desired: int, minimum_percent: int, maximum_percent: int, tasks: list[TaskView], *, may_start: bool) -> Plan:
    """Decide the next step towards `desired` tasks of the newest deployment and none of the others.

    A deployment that failed may not start any task, and then nothing of the others is stopped for it.
    """
    current = sorted((task for task in tasks if task.current), key=_keep_first)
    others = sorted((task for task in tasks if not task.current), key=_keep_first)
    excess = current[desired:]
    if not may_start:
        return Plan(stop=_arns(excess))
    healthy = [task for task in [*current[:desired], *others] if task.healthy]
    floor = -(-desired * minimum_percent // 100)
    surplus = _replaced(others, len(healthy), max(desired, floor))
    missing = desired - len(current)
    ceiling = max(1, desired * maximum_percent // 100)
    room = ceiling - min(len(current), desired) - (len(others) - len(surplus))
    if missing > room:
        rest = others[: len(others) - len(surplus)]
        still_healthy = len(healthy) - sum(task.healthy for task in surplus)
        freed = _freed(rest, missing - max(0, room), still_healthy - floor)
        surplus = [*surplus, *freed]
        room = max(0, room) + len(freed)
    return Plan(start=max(0, min(missing, room)), stop=_arns([*excess, *surplus]))


def _replaced(others: list[TaskView], healthy: int, needed: int) -> list[TaskView]:
    """Choose what may go because enough others are healthy: from the end of the list, the unhealthy ones first."""
    gone: list[TaskView] = []
    for task in reversed(others):
        if healthy - task.healthy < needed:
            break
        gone.append(task)
        healthy -= task.healthy
    return gone


def _freed(others: list[TaskView], wanted: int, spare: int) -> list[TaskView]:
    """Choose what goes to make room for new tasks without falling below the healthy minimum."""
    gone: list[TaskView] = []
    for task in reversed(others):
        if len(gone) >= wanted or (task.healthy and spare <= 0):
            break
        gone.append(task)
        spare -= task.healthy
    return gone


def _keep_first(task: TaskView) -> tuple[bool, float]:
    return not task.healthy, task.created


def _arns(tasks: list[TaskView]) -> tuple[str, ...]:
    return tuple(task.arn for task in tasks)
