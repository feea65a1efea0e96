"""Why AWS did not place a task, in words, and whether that can pass by itself. Pure.

The reasons are those of RunTask's failures[], of stopped tasks and of service events: Amazon ECS Developer Guide, "API
failure reasons" and "Service event messages".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

HOPELESS = re.compile(
    r"\bATTRIBUTE\b|missing an attribute|\bLOCATION\b|placement constraint unsatisfied"
    r"|unable to assume the role|above your limit"
)
"""Nothing but a change of the cluster, the task definition or the account makes these go away."""
UNPLACED = re.compile(
    r"\bRESOURCE:\w+|\bAGENT\b|\bATTRIBUTE\b|\bLOCATION\b|placement constraint unsatisfied"
    r"|\bNO ACTIVE INSTANCES\b|\bEMPTY CAPACITY PROVIDER\b|[Cc]apacity is unavailable"
)
"""The task found no place; other reasons of a task that did not start are its own."""
RESOURCE = re.compile(r"\bRESOURCE:(\w+)")

WORDS = {
    "AGENT": "the agent of the container instance is not connected",
    "ATTRIBUTE": "no container instance has an attribute that the task definition requires",
    "LOCATION": "the container instances are in other zones than the subnets of the task",
    "INACTIVE": "the container instance is not active any more",
    "MemberOf placement constraint unsatisfied.": "no container instance satisfies the placement constraint memberOf",
    "NO ACTIVE INSTANCES": "the capacity provider has no active instance",
    "EMPTY CAPACITY PROVIDER": "the cluster has no container instance of the capacity provider",
}


def may_pass(reason: str) -> bool:
    """Whether waiting can help: capacity comes and goes, a missing attribute does not."""
    return HOPELESS.search(reason) is None


def explained(reason: str, definition: Mapping[str, Any]) -> str:
    """A reason in words, with what the task definition asks for; AWS' own text where it is words already."""
    resource = RESOURCE.search(reason)
    code = next((code for code in WORDS if f"{reason.strip()} ".startswith(f"{code} ")), "")
    words = _missing(resource[1], definition) if resource else WORDS.get(code, "")
    return f"{words} ({reason.strip()})" if words else reason.strip()


def _missing(resource: str, definition: Mapping[str, Any]) -> str:
    if resource == "MEMORY":
        return f"no container instance has enough memory for {_figure(_memory(definition), 'MiB')}"
    if resource == "CPU":
        return f"no container instance has enough CPU for {_figure(_cpu(definition), 'units')}"
    if resource.startswith("PORTS"):
        ports = sorted({port for port in _host_ports(definition) if port})
        return f"on every container instance a task has the host port already: {', '.join(map(str, ports))}"
    if resource == "ENI":
        return "no container instance can take another network interface"
    return f"no container instance has enough {resource} left"


def _figure(asked: int, unit: str) -> str:
    return f"the task's {asked} {unit}" if asked else "the task"


def _memory(definition: Mapping[str, Any]) -> int:
    """What a task reserves, in MiB: its own figure, else what its containers reserve."""
    containers = definition.get("containerDefinitions") or ()
    of_containers = sum(
        int(container.get("memoryReservation") or container.get("memory") or 0) for container in containers
    )
    return int(definition.get("memory") or of_containers)


def _cpu(definition: Mapping[str, Any]) -> int:
    containers = definition.get("containerDefinitions") or ()
    return int(definition.get("cpu") or sum(int(container.get("cpu") or 0) for container in containers))


def _host_ports(definition: Mapping[str, Any]) -> Iterable[int]:
    """Host ports that the containers ask for; in host mode that is the container's own port."""
    in_host_mode = definition.get("networkMode") == "host"
    for container in definition.get("containerDefinitions") or ():
        for mapping in container.get("portMappings") or ():
            yield int(mapping.get("hostPort") or (mapping.get("containerPort") if in_host_mode else 0) or 0)
