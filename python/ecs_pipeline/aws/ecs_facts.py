"""What Amazon ECS answers, as the model's facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ecs_pipeline.model.load_balancing import LoadBalancing, canonical
from ecs_pipeline.model.release import Container, Deployment, Event, Revision, Service, Task
from ecs_pipeline.protocol import release_tags

OF_AWS = ("aws-guardduty-agent", "ecs-service-connect")
"""How containers are named that AWS adds to a task (GuardDuty user guide, "Runtime Monitoring")."""


def parse_service(raw: Mapping[str, Any], cluster: str) -> Service:
    """A service as DescribeServices answers it."""
    tags = {tag["key"]: tag.get("value", "") for tag in raw.get("tags", [])}
    return Service(
        arn=raw["serviceArn"],
        name=raw["serviceName"],
        cluster=cluster.rpartition("/")[2],
        status=raw["status"],
        revision=raw.get("taskDefinition", ""),
        desired=raw.get("desiredCount", 0),
        running=raw.get("runningCount", 0),
        pending=raw.get("pendingCount", 0),
        marks=release_tags.parse_service(tags, raw["serviceName"]),
        deployments=tuple(_deployment(deployment) for deployment in raw.get("deployments", [])),
        events=tuple(
            Event(event.get("id", ""), _utc(event.get("createdAt")), event.get("message", ""))
            for event in raw.get("events", [])
        ),
        load_balancing=tuple(
            LoadBalancing(_with_traffic(entry, raw), entry.get("containerName", ""), int(entry.get("containerPort", 0)))
            for entry in raw.get("loadBalancers", [])
            if entry.get("targetGroupArn")
        ),
        raw={**raw, "tags": tags},
    )


def _with_traffic(entry: Mapping[str, Any], raw: Mapping[str, Any]) -> str:
    """The target group that has the traffic: after a blue/green deployment it may be the alternate one."""
    alternate = (entry.get("advancedConfiguration") or {}).get("alternateTargetGroupArn", "")
    return str(alternate if alternate in raw.get("resolvedTargetGroups", ()) else entry["targetGroupArn"])


def parse_revision(definition: Mapping[str, Any], tags: Mapping[str, str]) -> Revision:
    """A revision's marks, from its definition and tags."""
    arn = definition["taskDefinitionArn"]
    active = definition.get("status", "ACTIVE") == "ACTIVE"
    return Revision(arn=arn, active=active, **release_tags.parse_revision(tags, Revision(arn).name))


def parse_task(raw: Mapping[str, Any]) -> Task:
    """A task as DescribeTasks answers it."""
    tags = {tag["key"]: tag.get("value", "") for tag in raw.get("tags", [])}
    return Task(
        arn=raw["taskArn"],
        revision=raw["taskDefinitionArn"],
        status=raw.get("lastStatus", ""),
        desired_status=raw.get("desiredStatus", ""),
        created=_utc(
            raw.get("createdAt") or datetime.now(timezone.utc)
        ),  # of two tasks the one without it is the younger
        started=_utc(raw["startedAt"]) if raw.get("startedAt") else None,
        started_by=raw.get("startedBy", ""),
        group=raw.get("group", ""),
        **release_tags.parse_task(tags, raw["taskArn"].rpartition("/")[2]),
        health=raw.get("healthStatus", "UNKNOWN"),
        address=_address(raw),
        ipv6=_ipv6(raw),
        container_instance=raw.get("containerInstanceArn", ""),
        containers=tuple(_container(container) for container in raw.get("containers", [])),
        stop_code=raw.get("stopCode", ""),
        stopped_reason=raw.get("stoppedReason", ""),
        overridden=_overridden(raw.get("overrides") or {}),
        commands=_commands(raw.get("overrides") or {}),
        exec_enabled=bool(raw.get("enableExecuteCommand")),
    )


def _overridden(overrides: Mapping[str, Any]) -> bool:
    """Whether RunTask was given overrides; without any, AWS lists the containers by name alone (type TaskOverride)."""
    return _commands(overrides) != ()


def _commands(overrides: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """Containers and their commands; None when anything else was overridden.

    Containers that AWS itself puts beside those of the revision do not count.
    """
    given = overrides.get("containerOverrides") or []
    containers = [container for container in given if not str(container.get("name", "")).startswith(OF_AWS)]
    members = (pair for container in containers for pair in container.items() if pair[0] not in ("name", "command"))
    others = (pair for pair in overrides.items() if pair[0] != "containerOverrides")
    if any(value for _, value in (*members, *others)):
        return None
    changed = (container for container in containers if container.get("command"))
    return tuple((str(container.get("name", "")), tuple(container["command"])) for container in changed)


def _deployment(raw: Mapping[str, Any]) -> Deployment:
    return Deployment(
        id=raw.get("id", ""),
        status=raw.get("status", ""),
        revision=raw.get("taskDefinition", ""),
        desired=raw.get("desiredCount", 0),
        running=raw.get("runningCount", 0),
        pending=raw.get("pendingCount", 0),
        failed=raw.get("failedTasks", 0),
        rollout=raw.get("rolloutState", ""),
        reason=raw.get("rolloutStateReason", ""),
        created=_utc(raw.get("createdAt")),
    )


def _container(raw: Mapping[str, Any]) -> Container:
    return Container(
        name=raw.get("name", ""),
        status=raw.get("lastStatus", ""),
        health=raw.get("healthStatus", "UNKNOWN"),
        exit_code=raw.get("exitCode"),
        reason=raw.get("reason", ""),
        runtime_id=raw.get("runtimeId", ""),
        host_ports=_bound(raw, udp=False),
        udp_ports=_bound(raw, udp=True),
    )


def _bound(raw: Mapping[str, Any], *, udp: bool) -> dict[int, int]:
    """Host ports by container port (data type NetworkBinding): two tasks may have one number, by TCP and by UDP."""
    bindings = [binding for binding in raw.get("networkBindings", []) if (binding.get("protocol") == "udp") is udp]
    return {
        int(binding["containerPort"]): int(binding["hostPort"])
        for binding in bindings
        if binding.get("containerPort") and binding.get("hostPort")
    }


def _address(raw: Mapping[str, Any]) -> str:
    """The private IPv4 address of an awsvpc task's network interface; '' before it has one."""
    for attachment in raw.get("attachments", []):
        for detail in attachment.get("details", []):
            if detail.get("name") == "privateIPv4Address":
                return str(detail.get("value", ""))
    return ""


def _ipv6(raw: Mapping[str, Any]) -> str:
    """The IPv6 address of a task's network interface (data type NetworkInterface); '' for none."""
    interfaces = [
        interface for container in raw.get("containers", []) for interface in container.get("networkInterfaces", [])
    ]
    return next((canonical(interface["ipv6Address"]) for interface in interfaces if interface.get("ipv6Address")), "")


def _utc(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc)
    return datetime.fromtimestamp(0, timezone.utc)


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as ECS takes them."""
    return [{"key": key, "value": value} for key, value in tags.items()]
