"""Why AWS found no place for a task, in words (Amazon ECS Developer Guide, "API failures reasons")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

SHORT_OF = {
    "MEMORY": "memory",
    "CPU": "CPU",
    "PORTS": "a free port",
    "PORTS_TCP": "a free TCP port",
    "PORTS_UDP": "a free UDP port",
    "ENI": "a network interface to attach",
    "GPU": "a GPU",
    "INFERENTIA": "an Inferentia device",
    "FPGA": "an FPGA",
}
"""By what follows `RESOURCE:`."""

REASONS = {
    "AGENT": "the ECS agent of the container instance is not connected",
    "ATTRIBUTE": "no container instance has an attribute that the task definition asks for",
    "INACTIVE": "the container instance is not active any more",
    "LOCATION": "the container instance is in another zone than the subnets",
    "MemberOf placement constraint unsatisfied.": "no container instance satisfies the placement constraint memberOf",
}


def in_words(failures: Iterable[Mapping[str, Any]], definition: Mapping[str, Any]) -> str:
    """The reasons of RunTask's failures[], each once; `definition` tells how much the task asks for, if it is known."""
    return ", ".join(sorted({_reason(failure, definition) for failure in failures}))


def _reason(failure: Mapping[str, Any], definition: Mapping[str, Any]) -> str:
    reason, detail = str(failure.get("reason", "")), str(failure.get("detail", ""))
    words = REASONS.get(reason, "")
    kind, _, resource = reason.partition(":")
    if kind == "RESOURCE":
        amount = _amount(resource, definition)
        what = SHORT_OF.get(resource, resource.lower() or "resources")
        words = f"no container instance has enough {what} for the task{amount}"
        words = words.replace("enough a ", "a ").replace("enough an ", "an ")
    said = f"{words} ({reason})" if words else reason
    return " ".join(filter(None, (said, detail))) or "no reason given"


def _amount(resource: str, definition: Mapping[str, Any]) -> str:
    """How much of a resource the task asks for: the task's own size, else that of its containers."""
    containers = definition.get("containerDefinitions", ())
    if resource == "MEMORY":
        asked = definition.get("memory") or sum(_memory(container) for container in containers)
        return f"'s {asked} MiB" if asked else ""
    if resource == "CPU":
        asked = definition.get("cpu") or sum(int(container.get("cpu") or 0) for container in containers)
        return f"'s {asked} CPU units" if asked else ""
    return ""


def _memory(container: Mapping[str, Any]) -> int:
    return int(container.get("memoryReservation") or container.get("memory") or 0)
