"""The service scheduler: one thread that moves every service towards what it should be.

It looks when something changed, and twice a second for what only time changes.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws import behaviour
from embedded_aws.ecs import (
    circuit_breaker,
    deployments,
    history,
    launching,
    pause_hooks,
    records,
    revision_groups,
    rollout,
    service_events,
    service_targets,
    tags,
    task_health,
    task_life,
    task_protection,
    task_record,
)
from embedded_aws.load_balancing import target_groups

if TYPE_CHECKING:
    from embedded_aws.ecs.records import Record, Tags

TICK_SECONDS = 0.5
_PLACEMENT_PAUSE = 1.0
_log = logging.getLogger(__name__)


def start() -> None:
    """Schedule all services for as long as the process lives."""
    target_groups.on_change(records.wake.set)
    threading.Thread(target=_run, daemon=True, name="service-scheduler").start()


def _run() -> None:
    while True:
        records.wake.wait(TICK_SECONDS)
        records.wake.clear()
        task_life.take_away()
        for service in records.services():
            if service["status"] != "INACTIVE":
                try:
                    reconcile(service)
                except Exception:  # noqa: BLE001 - one service must not stop the others
                    _log.exception("service %s", service["serviceName"])


def reconcile(service: Record) -> None:
    """Bring one service a step further."""
    with records.lock:
        tasks = records.service_tasks(service)
        service_targets.register(service, tasks)
        if service["status"] == "DRAINING":
            _drain(service, tasks)
        else:
            _look_at_health(service, tasks)
            circuit_breaker.count_failures(service, tasks)
            _act(service, tasks)
        _settle(service, records.service_tasks(service))
        deployments.show_current(service)
        history.record_service(service["serviceArn"], records.shown(service))


def _drain(service: Record, tasks: list[Record]) -> None:
    for task in tasks:
        task_life.stop(task, "Service deleted", "ServiceSchedulerInitiated")
    if all(task["lastStatus"] == "STOPPED" for task in tasks):
        service["status"] = "INACTIVE"


def _look_at_health(service: Record, tasks: list[Record]) -> None:
    deployment = deployments.primary(service)
    for task in tasks:
        was_healthy, task["_healthy"] = task["_healthy"], task_health.is_healthy(task)
        if task["_deployment"] != deployment["id"]:
            continue
        if not task["_healthy"]:
            task_health.stop_unhealthy(service, task)
        elif not was_healthy:
            circuit_breaker.note_healthy(service, deployment)


def _act(service: Record, tasks: list[Record]) -> None:
    deployment = deployments.primary(service)
    by_arn = {task["taskArn"]: task for task in tasks if task["desiredStatus"] == "RUNNING"}
    views = [
        rollout.TaskView(arn, task["_deployment"] == deployment["id"], task["_healthy"], task["createdAt"])
        for arn, task in by_arn.items()
    ]
    configuration = service["deploymentConfiguration"]
    plan = rollout.plan(
        service["desiredCount"],
        configuration["minimumHealthyPercent"],
        configuration["maximumPercent"],
        views,
        may_start=deployment["rolloutState"] != "FAILED",
    )
    _stop(service, deployment, _unprotected(service, deployment, [by_arn[arn] for arn in plan.stop]))
    if plan.start and time.monotonic() >= deployment["_not_before"]:
        _launch(service, deployment, plan.start)


def _unprotected(service: Record, deployment: Record, tasks: list[Record]) -> list[Record]:
    """Leave out the tasks that are protected from scale-in, and say so."""
    protected = [task for task in tasks if task_protection.is_protected(task)]
    if protected:
        reason = f"(reason {len(protected)} tasks under protection)"
        service_events.add_once(service, f"(taskSet {deployment['id']}) was unable to scale in due to {reason}")
    return [task for task in tasks if task not in protected]


def _stop(service: Record, deployment: Record, tasks: list[Record]) -> None:
    service_events.add_for_tasks(service, "has stopped", "running tasks", tasks)
    for task in tasks:
        reason = f"Scaling activity initiated by (deployment {deployment['id']})"
        task_life.stop(task, reason, "ServiceSchedulerInitiated")


def _launch(service: Record, deployment: Record, number: int) -> None:
    cluster = ecs._clusters[ecs._cluster_name_from_arn(service["clusterArn"])]
    definition = ecs._task_defs[deployment["taskDefinition"].rpartition("/")[2]]
    chosen = {name: service.get(name) for name in ("launchType", "capacityProviderStrategy")}
    placement = launching.placement(chosen, cluster, service.get("platformVersion"))
    started = []
    for _ in range(number):
        if behaviour.take("placement_failures"):
            _note_unplaced(service, deployment, placement["launchType"])
            break
        members = {**_members(service, deployment), **placement}
        started.append(task_record.create(cluster, definition, members, _tags(service, cluster, definition)))
    service_events.add_for_tasks(service, "has started", "tasks", started)
    for task in started:
        task_life.TaskLife(task, definition, deployment["_revision"]["_pinned"], service_targets.drain).begin()


def _members(service: Record, deployment: Record) -> Record:
    return {
        "group": f"service:{service['serviceName']}",
        "startedBy": deployment["id"],
        "networkConfiguration": service.get("networkConfiguration"),
        "enableExecuteCommand": service.get("enableExecuteCommand", False),
        "_service": service["serviceArn"],
        "_deployment": deployment["id"],
        "_load_balancers": revision_groups.resolved(service),
        "_healthy": False,
    }


def _note_unplaced(service: Record, deployment: Record, launch_type: str) -> None:
    reason = behaviour.current.placement_reason
    if launch_type == "FARGATE":
        service_events.add_once(service, f"was unable to place a task. Reason: {reason or launching.FARGATE_FULL}")
    else:
        service_events.add_once(service, f"was unable to place a task because {reason or launching.INSTANCES_FULL}")
    circuit_breaker.count(service, deployment)
    deployment["_not_before"] = max(deployment["_not_before"], time.monotonic() + _PLACEMENT_PAUSE)


def _tags(service: Record, cluster: Record, definition: Record) -> Tags:
    source = {"SERVICE": service["serviceArn"], "TASK_DEFINITION": definition["taskDefinitionArn"]}
    found = tags.read(source.get(service.get("propagateTags", "NONE"), ""))
    if service.get("enableECSManagedTags"):
        found += [
            {"key": "aws:ecs:clusterName", "value": cluster["clusterName"]},
            {"key": "aws:ecs:serviceName", "value": service["serviceName"]},
        ]
    return found


def _settle(service: Record, tasks: list[Record]) -> None:
    """Count, drop deployments that have ended, and end the newest one when it is done."""
    deployment = deployments.primary(service)
    for each in service["deployments"]:
        own = [task for task in tasks if task["_deployment"] == each["id"]]
        wanted = [task for task in own if task["desiredStatus"] == "RUNNING"]
        each["runningCount"] = sum(task["lastStatus"] == "RUNNING" for task in wanted)
        each["pendingCount"] = sum(task["lastStatus"] in task_record.STARTING for task in wanted)
        each["desiredCount"] = service["desiredCount"] if each is deployment else len(wanted)
        each["_over"] = each is not deployment and all(task["lastStatus"] == "STOPPED" for task in own)
    service["deployments"] = [each for each in service["deployments"] if not each["_over"]]
    for name in ("runningCount", "pendingCount"):
        service[name] = sum(each[name] for each in service["deployments"])
    current = [task for task in tasks if task["_deployment"] == deployment["id"] and task["desiredStatus"] == "RUNNING"]
    steady = (
        len(current) == service["desiredCount"]
        and all(task["_healthy"] for task in current)
        and service["deployments"] == [deployment]
    )
    if steady and deployment["rolloutState"] == "IN_PROGRESS" and not pause_hooks.holds(service):
        deployments.complete(service)
    steady = steady and deployment["rolloutState"] != "IN_PROGRESS"
    if steady and not service["_steady"] and service["status"] == "ACTIVE":
        service_events.add(service, service_events.STEADY)
    service["_steady"] = steady
