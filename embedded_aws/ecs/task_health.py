"""Whether a service may count on a task, and which tasks it must replace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from embedded_aws.ecs import service_events, service_targets, task_life

if TYPE_CHECKING:
    from embedded_aws.ecs.records import Record

#: A task without any health check counts when it has run for so long: a crash at the start shows until then.
START_SECONDS = 1.0
_STOP_CODE = "ServiceSchedulerInitiated"


def is_healthy(task: Record) -> bool:
    """Whether a task runs, passes its container health checks and is healthy in all its target groups."""
    if task["lastStatus"] != "RUNNING" or task["desiredStatus"] != "RUNNING":
        return False
    is_checked = any(each["_essential"] and each["_checked"] for each in task["containers"])
    if is_checked and task["healthStatus"] != "HEALTHY":
        return False
    if task["_load_balancers"]:
        states = [health.state for _, health in service_targets.health(task)]
        return len(states) == len(task["_load_balancers"]) and set(states) <= {"healthy", "unused", "unavailable"}
    return is_checked or time.time() - task["startedAt"] >= START_SECONDS


def stop_unhealthy(service: Record, task: Record) -> None:
    """Stop a task of the newest deployment that fails its health checks after the grace period."""
    if task["lastStatus"] != "RUNNING" or task["desiredStatus"] != "RUNNING":
        return
    if time.time() - task["startedAt"] < (service["healthCheckGracePeriodSeconds"] or 0):
        return
    name = task["taskArn"].rpartition("/")[2]
    if task["healthStatus"] == "UNHEALTHY":
        service_events.add(service, f"(task {name}) failed container health checks.")
        _stop(task, "Task failed container health checks")
        return
    for arn, health in service_targets.health(task):
        if health.state == "unhealthy":
            text = f"(task {name}) is unhealthy in (target-group {arn}) due to (reason {health.description})."
            service_events.add(service, text)
            _stop(task, f"Task failed ELB health checks in (target-group {arn})")
            return


def _stop(task: Record, reason: str) -> None:
    task["_unhealthy"] = True
    task_life.stop(task, reason, _STOP_CODE)
