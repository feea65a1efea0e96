"""The health that containers report themselves, and what a task's health is made of.

The engine runs the checks, as ECS' own agent has it done; Developer Guide, "Determine Amazon ECS task health using
container health checks".
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from docker.errors import APIError, NotFound

from embedded_aws.ecs import records

if TYPE_CHECKING:
    from docker.models.containers import Container

    from embedded_aws.ecs.records import Record

POLL_SECONDS = 0.25
_STATES = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}


def watch(task: Record, shown: Record, container: Container) -> None:
    """Follow a container's health check in the background for as long as the container runs."""
    threading.Thread(target=_follow, args=(task, shown, container), daemon=True, name="container-health").start()


def of_task(task: Record) -> str:
    """Give a task's health: that of its essential containers that are checked."""
    states = {each["healthStatus"] for each in task["containers"] if each["_essential"] and each["_checked"]}
    if "UNHEALTHY" in states:
        return "UNHEALTHY"
    return "HEALTHY" if states == {"HEALTHY"} else "UNKNOWN"


def _follow(task: Record, shown: Record, container: Container) -> None:
    while True:
        try:
            container.reload()
        except (NotFound, APIError):
            return
        state = container.attrs["State"]
        if not state["Running"]:
            return
        _note(task, shown, _STATES.get(state.get("Health", {}).get("Status", ""), "UNKNOWN"))
        time.sleep(POLL_SECONDS)


def _note(task: Record, shown: Record, health: str) -> None:
    with records.lock:
        if shown["healthStatus"] == health:
            return
        shown["healthStatus"] = health
        task["healthStatus"] = of_task(task)
    records.wake.set()
