"""Task definitions as documents: the new revision is the old one with another image, and what differs between two."""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ecs_pipeline import text
from ecs_pipeline.documents import suggestions
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.release import Service, TaskDefinition

SHOWN = frozenset(
    (
        *("appProtocol", "condition", "containerName", "containerPath", "containerPort", "containerPortRange", "cpu"),
        *("cpuArchitecture", "enableFaultInjection", "enabled", "essential", "executionRoleArn", "family", "hardLimit"),
        *("hostPort", "ignoredExitCodes", "image", "initProcessEnabled", "interactive", "interval", "ipcMode"),
        *("logDriver", "maxSwap", "memory", "memoryReservation", "name", "networkMode", "operatingSystemFamily"),
        *("pidMode", "privileged", "protocol", "pseudoTerminal", "readOnly", "readonlyRootFilesystem"),
        *("requiresCompatibilities", "restartAttemptPeriod", "retries", "sharedMemorySize", "size", "sizeInGiB"),
        *("softLimit", "sourceContainer", "sourceVolume", "startPeriod", "startTimeout", "stopTimeout", "swappiness"),
        *("taskRoleArn", "timeout", "type", "user", "versionConsistency", "workingDirectory"),
    )
)
"""Members whose values hold no secret. Of all others, those that AWS adds later too, only the names are shown."""

STRUCTURE = frozenset(
    (
        *("containerDefinitions", "dependsOn", "dockerVolumeConfiguration", "efsVolumeConfiguration"),
        *("ephemeralStorage", "firelensConfiguration", "healthCheck", "host", "linuxParameters", "logConfiguration"),
        *("mountPoints", "placementConstraints", "portMappings", "proxyConfiguration", "resourceRequirements"),
        *("restartPolicy", "runtimePlatform", "ulimits", "volumes", "volumesFrom"),
    )
)
"""Members that are made of members. What is inside any other one (labels, options) is named by somebody else."""

MOST_TEXT = 60

DEFAULTS: Mapping[str, Any] = {
    "cpu": 0,
    "disableNetworking": False,
    "enableFaultInjection": False,
    "essential": True,
    "hostPort": 0,
    "initProcessEnabled": False,
    "interactive": False,
    "interval": 30,
    "networkMode": "bridge",
    "privileged": False,
    "protocol": "tcp",
    "pseudoTerminal": False,
    "readOnly": False,
    "readonlyRootFilesystem": False,
    "restartAttemptPeriod": 300,
    "retries": 3,
    "rootDirectory": "/",
    "startPeriod": 0,
    "timeout": 5,
}
"""What AWS takes, and describes, for members that were not given (RegisterTaskDefinition, Amazon ECS API reference)."""


def chosen_container(definition: Mapping[str, Any], service: Service | None, wanted: str) -> str:
    """The container that gets the image: the one named, else the one behind the load balancer, else the only one."""
    names = [str(container["name"]) for container in definition["containerDefinitions"]]
    if wanted:
        if wanted not in names:
            near = suggestions.closest(wanted, names)
            raise InvalidInput(
                f"no container {wanted} in the task definition{near}", cure=f"use one of: {', '.join(names)}"
            )
        return wanted
    behind = {entry.container for entry in service.load_balancing} if service else set()
    for candidates in (behind & set(names), set(names)):
        if len(candidates) == 1:
            return candidates.pop()
    raise InvalidInput(
        f"which container gets the image is not clear: {', '.join(names)}", cure="name it: `container:` in the config"
    )


def with_image(definition: Mapping[str, Any], container: str, image: str) -> dict[str, Any]:
    """The definition with the image of one container changed and nothing else."""
    changed = copy.deepcopy(dict(definition))
    for entry in changed["containerDefinitions"]:
        if entry["name"] == container:
            entry["image"] = image
    return changed


def image_of(definition: TaskDefinition, container: str) -> str:
    """The image that a container of a revision has."""
    return str((definition.container(container) or {}).get("image", ""))


def deployed_image(definition: TaskDefinition, service: Service, wanted: str) -> str:
    """The image of the container that gets releases; '' when which one that is cannot be told."""
    try:
        return image_of(definition, chosen_container(definition.definition, service, wanted))
    except InvalidInput:
        return ""


def without(definition: Mapping[str, Any], members: Collection[str]) -> dict[str, Any]:
    """The definition without members that only a description has."""
    return {key: value for key, value in definition.items() if key not in members}


def changes(old: TaskDefinition, new: TaskDefinition, read_only: Collection[str]) -> list[str]:
    """One line for each member that a new revision has otherwise; those that only a description has do not count."""
    return list(difference(without(old.definition, read_only), without(new.definition, read_only)))


def difference(old: Any, new: Any, place: str = "", *, shown: bool = True) -> Iterator[str]:
    """One line for each member in which two definitions differ; of what may be secret only the names are shown.

    `shown`: whether a value here may be shown.
    """
    if old is None and isinstance(new, Mapping | list):
        old = type(new)()
    elif new is None and isinstance(old, Mapping | list):
        new = type(old)()
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            inner = f"{place}.{key}" if place else str(key)
            yield from difference(old.get(key), new.get(key), inner, shown=shown and key in SHOWN | STRUCTURE)
    elif isinstance(old, list) and isinstance(new, list) and _has_parts([*old, *new]):
        yield from _listed(old, new, place, shown=shown)
    elif old != new:
        yield text.one_line(f"{place}: {_short(old)} → {_short(new)}" if shown else f"{place}: changed")


def _has_parts(items: list[Any]) -> bool:
    """Whether entries are made of members; a list of texts (a command) is told as one value."""
    return any(isinstance(item, Mapping | list) for item in items)


def _listed(old: list[Any], new: list[Any], place: str, *, shown: bool) -> Iterator[str]:
    """Entry by entry: by their names where all have one. Of an entry that may be secret only its name is told."""
    before, after = _by_name(old), _by_name(new)
    if before is not None and after is not None:
        for name in dict.fromkeys((*before, *after)):
            yield from _entry(before.get(name), after.get(name), f"{place}.{name}", shown=shown)
        return
    for index in range(max(len(old), len(new))):
        left, right = (items[index] if index < len(items) else None for items in (old, new))
        yield from _entry(left, right, f"{place}[{index}]", shown=shown)


def _entry(old: Any, new: Any, place: str, *, shown: bool) -> Iterator[str]:
    if shown:
        yield from difference(old, new, place)
    elif old != new:
        yield text.one_line(f"{place}: changed")


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    """Entries by their names; None when they have none or share one."""
    found = {str(item["name"]): item for item in items if isinstance(item, Mapping) and item.get("name")}
    return found if len(found) == len(items) else None


def lost(given: Any, kept: Any, place: str = "") -> Iterator[str]:
    """The members that were given and are missing or other in what was kept; added ones are AWS' defaults."""
    if isinstance(given, Mapping) and isinstance(kept, Mapping):
        for key, value in given.items():
            yield from lost(value, kept.get(key), f"{place}.{key}" if place else str(key))
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for index, pair in enumerate(zip(given, kept, strict=True)):
            yield from lost(*pair, f"{place}[{index}]")
    elif given != kept:
        yield place


def made_of(given: Mapping[str, Any], described: Mapping[str, Any], read_only: Collection[str] = ()) -> bool:
    """Whether a described revision is what a registration of `given` makes: what it has beside are AWS' defaults.

    A default that is not known here makes it another one: whoever asks registers once more then.
    """
    return _made_of(without(given, read_only), without(described, read_only))


def _made_of(given: Any, kept: Any) -> bool:
    if isinstance(given, Mapping) and isinstance(kept, Mapping):
        return all(
            _default(key, kept) if _is_open(key, given.get(key)) else _made_of(given[key], kept.get(key))
            for key in {*given, *kept}
        )
    if isinstance(given, list) and isinstance(kept, list):
        before, after = _by_name(given), _by_name(kept)
        if before is not None and after is not None:
            return before.keys() == after.keys() and all(_made_of(before[name], after[name]) for name in before)
        return len(given) == len(kept) and all(_made_of(*pair) for pair in zip(given, kept, strict=True))
    return bool(given == kept) or (given in ([], {}) and kept is None)


def _is_open(key: str, value: Any) -> bool:
    """Whether AWS chooses a member: it was not given, or is the port 0."""
    return value is None or (key == "hostPort" and value == 0)


def _default(key: str, kept: Mapping[str, Any]) -> bool:
    """Whether a member that was not given has the value that AWS gives it; a task's own port is the container's."""
    value = kept.get(key)
    if value is None or value in ([], {}):
        return True
    return value == DEFAULTS.get(key) or (key == "hostPort" and value == kept.get("containerPort"))


def without_nulls(value: Any) -> Any:
    """The value without members that are null: to AWS they are the same as absent ones."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def _short(value: Any) -> str:
    if value is None or value in ([], {}):
        return "nothing"
    said = value if isinstance(value, str) else json.dumps(value, default=str)
    return said if len(said) <= MOST_TEXT or "@sha256:" in said else said[: MOST_TEXT - 1] + "…"


def secrets_named_in(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The place of each secret of a task definition, and what names it: an ARN, or a parameter's name."""
    for container in definition["containerDefinitions"]:
        name = container.get("name", "")
        logging = (container.get("logConfiguration") or {}).get("secretOptions") or ()
        for secret in (*(container.get("secrets") or ()), *logging):
            yield f"secret {secret.get('name', '')} of container {name}", str(secret.get("valueFrom", ""))
        login = (container.get("repositoryCredentials") or {}).get("credentialsParameter")
        if login:
            yield f"repositoryCredentials of container {name}", str(login)
