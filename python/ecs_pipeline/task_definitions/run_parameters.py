"""What RunTask is given so that a task of ours is like the service's own: a function of service, release and epoch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ecs_pipeline.model.release import CANARY, Epoch, Service
from ecs_pipeline.protocol import release_tags

OF_REVISION = "TASK_DEFINITION"


def run_parameters(
    service: Service,
    *,
    revision: str,
    revision_tags: Mapping[str, str],
    release: str,
    epoch: Epoch,
    role: str,
    index: int,
) -> dict[str, Any]:
    """RunTask's parameters but cluster and clientToken.

    Of the service's tags those that are neither ours nor AWS' go along; tags have to be given at creation. Where the
    service's tasks have the tags of their revision, so has ours: by AWS, or copied where AWS' way would be too many.
    """
    raw = service.raw
    ours = {
        release_tags.SERVICE: release_tags.tag_value(service.name),
        release_tags.RELEASE: release,
        release_tags.EPOCH: release_tags.epoch_value(epoch),
        release_tags.ROLE: role,
        release_tags.INDEX: str(index),
        **(release_tags.unjudged() if role == CANARY else {}),
    }
    room = release_tags.MOST_TAGS - len(ours)
    of_revision = set(revision_tags) - set(ours) if raw.get("propagateTags") == OF_REVISION else set()
    propagated = 0 < len(of_revision) <= room
    parameters: dict[str, Any] = {
        "taskDefinition": revision,
        "count": 1,
        "startedBy": release_tags.started_by(service.name),
        "enableExecuteCommand": raw.get("enableExecuteCommand", False),
        "enableECSManagedTags": raw.get("enableECSManagedTags", False),
        "tags": _tag_list({**_copied(service, revision_tags, of_revision, room), **ours}),
        **_capacity(raw),
    }
    for key in ("networkConfiguration", "placementConstraints", "placementStrategy"):
        if raw.get(key):
            parameters[key] = raw[key]
    if raw.get("platformVersion") and not _on_instances(raw):
        parameters["platformVersion"] = raw["platformVersion"]
    if propagated:
        parameters["propagateTags"] = OF_REVISION
    volumes = _volumes(raw)
    if volumes:
        parameters["volumeConfigurations"] = volumes
    return parameters


def _copied(
    service: Service, revision_tags: Mapping[str, str], of_revision: Collection[str], room: int
) -> dict[str, str]:
    """Tags of the service, and of the revision where they are too many to be propagated, as far as there is room."""
    copied = sorted(release_tags.theirs(service.raw.get("tags") or {}).items())
    if len(of_revision) <= room:
        return dict([pair for pair in copied if pair[0] not in of_revision][: room - len(of_revision)])
    first = dict(sorted(release_tags.theirs(revision_tags).items())[:room])
    return {**dict([pair for pair in copied if pair[0] not in first][: room - len(first)]), **first}


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _capacity(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Launch type or capacity providers, as the service has them; they exclude each other."""
    if raw.get("capacityProviderStrategy"):
        return {"capacityProviderStrategy": raw["capacityProviderStrategy"]}
    return {"launchType": raw["launchType"]} if raw.get("launchType") else {}


def _on_instances(raw: Mapping[str, Any]) -> bool:
    return raw.get("launchType") in ("EC2", "EXTERNAL")


def _of_task(specification: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """The tags of a volume: those that come from the service are given, for RunTask takes them from no service.

    Data type EBSTagSpecification: "Tags can only propagate to a SERVICE specified in ServiceVolumeConfiguration".
    """
    if specification.get("propagateTags") != "SERVICE":
        return dict(specification)
    given = {tag["key"]: tag.get("value", "") for tag in specification.get("tags") or []}
    of_service = sorted(release_tags.theirs(raw.get("tags") or {}).items())[
        : max(0, release_tags.MOST_TAGS - len(given))
    ]
    tags = _tag_list({**dict(of_service), **given})
    plain = {key: value for key, value in specification.items() if key not in ("propagateTags", "tags")}
    return {**plain, **({"tags": tags} if tags else {})}


def _volumes(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Amazon EBS volumes that the service attaches at launch; a task's own is deleted with it."""
    primary: Mapping[str, Any] = next(
        (deployment for deployment in raw.get("deployments", []) if deployment.get("status") == "PRIMARY"), {}
    )
    found = []
    for configured in primary.get("volumeConfigurations") or []:
        volume = dict(configured)
        if volume.get("managedEBSVolume"):
            managed = {**volume["managedEBSVolume"], "terminationPolicy": {"deleteOnTermination": True}}
            specifications = [_of_task(each, raw) for each in managed.pop("tagSpecifications", None) or []]
            tagged = [each for each in specifications if set(each) != {"resourceType"}]
            volume["managedEBSVolume"] = {**managed, "tagSpecifications": tagged} if tagged else managed
        found.append(volume)
    return found
