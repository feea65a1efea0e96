"""What RunTask is given so that a task of ours is like the service's own: a function of service, release and turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecs_pipeline import marks
from ecs_pipeline.model import Service, Turn

MOST_OURS = 6
"""Tags of ours that a task gets in its life."""


def run_parameters(
    service: Service, *, revision: str, release: str, turn: Turn, role: str, index: int
) -> dict[str, Any]:
    """RunTask's parameters but cluster and clientToken.

    Of the service's tags those that are neither ours nor AWS' go along; tags have to be given at creation.
    """
    raw = service.raw
    parameters: dict[str, Any] = {
        "taskDefinition": revision,
        "count": 1,
        "startedBy": marks.started_by(service.name),
        "enableExecuteCommand": raw.get("enableExecuteCommand", False),
        "enableECSManagedTags": raw.get("enableECSManagedTags", False),
        "tags": [{"key": key, "value": value} for key, value in _tags(service, release, turn, role, index).items()],
        **_capacity(raw),
    }
    for key in ("networkConfiguration", "placementConstraints", "placementStrategy"):
        if raw.get(key):
            parameters[key] = raw[key]
    if raw.get("platformVersion") and not _on_instances(raw):
        parameters["platformVersion"] = raw["platformVersion"]
    if raw.get("propagateTags") == "TASK_DEFINITION":
        parameters["propagateTags"] = "TASK_DEFINITION"
    volumes = _volumes(raw)
    if volumes:
        parameters["volumeConfigurations"] = volumes
    return parameters


def _tags(service: Service, release: str, turn: Turn, role: str, index: int) -> dict[str, str]:
    ours = {
        marks.SERVICE: marks.tag_value(service.name),
        marks.RELEASE: release,
        marks.TURN: marks.turn_value(turn),
        marks.ROLE: role,
        marks.INDEX: str(index),
    }
    copied = marks.theirs(service.raw.get("tags") or {})
    room = marks.MOST_TAGS - len(ours) - MOST_OURS
    return {**dict(sorted(copied.items())[:room]), **ours}


def _capacity(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Launch type or capacity providers, as the service has them; they exclude each other."""
    if raw.get("capacityProviderStrategy"):
        return {"capacityProviderStrategy": raw["capacityProviderStrategy"]}
    return {"launchType": raw["launchType"]} if raw.get("launchType") else {}


def _on_instances(raw: Mapping[str, Any]) -> bool:
    return raw.get("launchType") in ("EC2", "EXTERNAL")


def _volumes(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Amazon EBS volumes that the service attaches at launch; a task's own is deleted with it."""
    primary: Mapping[str, Any] = next((one for one in raw.get("deployments", []) if one.get("status") == "PRIMARY"), {})
    found = []
    for one in primary.get("volumeConfigurations") or []:
        volume = dict(one)
        if volume.get("managedEBSVolume"):
            volume["managedEBSVolume"] = {
                **volume["managedEBSVolume"],
                "terminationPolicy": {"deleteOnTermination": True},
            }
        found.append(volume)
    return found
