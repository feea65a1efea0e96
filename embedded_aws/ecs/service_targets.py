"""The targets of a service's tasks: registered when the task runs, drained before it is stopped.

Developer Guide, "Use load balancing to distribute Amazon ECS service traffic" and "Amazon ECS task lifecycle".
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ministack.services import alb, ecs

from embedded_aws.ecs import container_instances, records, service_events, task_record
from embedded_aws.load_balancing import target_groups

if TYPE_CHECKING:
    from embedded_aws.ecs.records import Record
    from embedded_aws.load_balancing.target_groups import TargetKey
    from embedded_aws.load_balancing.targets import Health

POLL_SECONDS = 0.1


def targets(task: Record) -> list[tuple[str, TargetKey]]:
    """Give the target groups of a running service task and what it is in each; none when it died too soon."""
    if task["attachments"] and not task.get("_addresses"):
        return []
    found = [
        (each["targetGroupArn"], _key(task, each))
        for each in task.get("_load_balancers", [])
        if each.get("targetGroupArn") in alb._tgs
    ]
    return [(arn, key) for arn, key in found if key[0]]


def register(service: Record, tasks: list[Record]) -> None:
    """Register the tasks that run and are not registered yet."""
    numbers: dict[str, int] = {}
    for task in tasks:
        if task["lastStatus"] != "RUNNING" or task["desiredStatus"] != "RUNNING" or task.get("_registered"):
            continue
        task["_registered"] = True
        for arn, key in targets(task):
            target_groups.register(arn, [key])
            numbers[arn] = numbers.get(arn, 0) + 1
    for arn, number in numbers.items():
        service_events.add(service, f"registered {number} targets in (target-group {arn})")


def health(task: Record) -> list[tuple[str, Health]]:
    """Give the health of a task's targets by their groups."""
    found = [(arn, target_groups.find(arn, key)) for arn, key in targets(task)]
    return [(arn, target_groups.health(arn, target)) for arn, target in found if target is not None]


def drain(task: Record) -> None:
    """Take a stopping task out of its target groups; return when its last request had its time.

    A task whose container ended by itself is not waited for.
    """
    if not task.get("_registered"):
        return
    with records.lock:
        service = next(each for each in records.services() if each["serviceArn"] == task["_service"])
        for arn, key in targets(task):
            target_groups.deregister(arn, [key])
            service_events.add(service, f"deregistered 1 targets in (target-group {arn})")
        if targets(task):
            service_events.add(service, "has begun draining connections on 1 tasks.")
    while _lives(task) and any(_drains(arn, key) for arn, key in targets(task)):
        time.sleep(POLL_SECONDS)


def _drains(arn: str, key: TargetKey) -> bool:
    target = target_groups.find(arn, key)
    return target is not None and target.draining


def _lives(task: Record) -> bool:
    with records.lock:
        return all(each["lastStatus"] != "STOPPED" for each in task["containers"] if each["_essential"])


def _key(task: Record, load_balancer: Record) -> TargetKey:
    port = int(load_balancer["containerPort"])
    if task["attachments"]:
        kind = alb._tgs[load_balancer["targetGroupArn"]].get("IpAddressType", "ipv4")
        return task["_addresses"][kind], port
    cluster = ecs._clusters[ecs._cluster_name_from_arn(task["clusterArn"])]
    bindings = task_record.container(task, load_balancer["containerName"])["networkBindings"]
    host_port = next((each["hostPort"] for each in bindings if each["containerPort"] == port), port)
    return container_instances.instance_id(cluster), host_port
