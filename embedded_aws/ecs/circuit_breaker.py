"""Failed tasks of a rollout: counted always, and acted upon where the circuit breaker is on.

Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures"; data type Deployment (failedTasks).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws.ecs import deployments, service_events

if TYPE_CHECKING:
    from embedded_aws.ecs.records import Record

_FAILURES = {"TaskFailedToStart", "EssentialContainerExited"}
#: A crash loop is retried at once so often; then the scheduler waits longer and longer.
_PATIENCE = 5
_LONGEST_PAUSE = 30.0


def is_enabled(service: Record) -> bool:
    """Whether the service's deployments are given up after too many failures."""
    return bool(service["deploymentConfiguration"]["deploymentCircuitBreaker"]["enable"])


def count_failures(service: Record, tasks: list[Record]) -> None:
    """Count the tasks that failed since the last look, and give the deployment up when they are too many."""
    deployment = deployments.primary(service)
    for task in tasks:
        if task["desiredStatus"] != "STOPPED" or task.get("_counted"):
            continue
        task["_counted"] = True
        if task["_deployment"] == deployment["id"] and (task["stopCode"] in _FAILURES or task.get("_unhealthy")):
            count(service, deployment)
    is_watched = deployment["rolloutState"] == "IN_PROGRESS" and is_enabled(service)
    if is_watched and deployment["failedTasks"] >= ecs._circuit_breaker_threshold(service):
        deployments.fail(service)


def count(service: Record, deployment: Record) -> None:
    """Count one task of the newest deployment that failed or could not be placed."""
    deployment["_streak"] += 1
    if deployment["rolloutState"] == "IN_PROGRESS":
        deployment.update(failedTasks=deployment["failedTasks"] + 1, updatedAt=time.time())
    over = deployment["_streak"] - _PATIENCE
    if over >= 0 and not (is_enabled(service) and deployment["rolloutState"] == "IN_PROGRESS"):
        deployment["_not_before"] = time.monotonic() + min(2.0**over, _LONGEST_PAUSE)
    if over == 0:
        service_events.add(service, service_events.UNABLE_TO_START)


def note_healthy(service: Record, deployment: Record) -> None:
    """A task has become healthy: the failures before it are forgotten (resetOnHealthyTask)."""
    deployment["_streak"] = 0
    breaker = service["deploymentConfiguration"]["deploymentCircuitBreaker"]
    if deployment["rolloutState"] == "IN_PROGRESS" and breaker.get("resetOnHealthyTask", True):
        deployment["failedTasks"] = 0
