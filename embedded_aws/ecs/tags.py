"""Tags of ECS resources: TagResource, UntagResource, ListTagsForResource and what all tags must keep to.

API reference, data type Tag; Developer Guide, "Tagging Amazon ECS resources".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws.api import ApiError, json_action
from embedded_aws.ecs import history, records, service_arns

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Tags

_ALLOWED = re.compile(r"[\w\s+\-=.:/@]*")
_LIMIT = 50


def install() -> None:
    """Replace ministack's operations."""
    ecs._ACTION_MAP.update(
        TagResource=json_action(_tag_resource),
        UntagResource=json_action(_untag_resource),
        ListTagsForResource=json_action(_list_tags_for_resource),
    )


def check(tags: Tags) -> Tags:
    """Give the tags back if a resource may be created with them; raise InvalidParameterException."""
    keys = [tag.get("key", "") for tag in tags]
    if len(tags) > _LIMIT:
        raise ApiError("InvalidParameterException", f"The maximum number of tags is {_LIMIT}.")
    if len(set(keys)) != len(keys):
        raise ApiError("InvalidParameterException", "Duplicate tag keys found.")
    for tag in tags:
        _check_one(tag.get("key", ""), tag.get("value", ""))
    return tags


def check_number(tags: Tags) -> Tags:
    """Give the tags back if they are not too many, those of AWS aside; raise InvalidParameterException."""
    if sum(not tag["key"].startswith("aws:") for tag in tags) > _LIMIT:
        raise ApiError("InvalidParameterException", f"The maximum number of tags is {_LIMIT}.")
    return tags


def read(resource: str) -> Tags:
    """Give a resource's tags as they are."""
    return [dict(tag) for tag in ecs._tags.get(resource) or []]


def write(resource: str, tags: Tags) -> None:
    """Set all tags of a resource, unchecked."""
    with records.lock:
        ecs._tags[resource] = [dict(tag) for tag in tags]
        history.record_tags(resource, read(resource))


def add(resource: str, tags: Tags) -> None:
    """Add tags to a resource, replacing those with the same keys; raise when they are too many then."""
    with records.lock:
        merged = {**{tag["key"]: tag for tag in read(resource)}, **{tag["key"]: tag for tag in check(tags)}}
        check_number(list(merged.values()))
        write(resource, list(merged.values()))


def remove_all(resource: str) -> None:
    """Take all tags from a resource that is ending."""
    with records.lock:
        ecs._tags.pop(resource, None)


def _check_one(key: str, value: str) -> None:
    if not 1 <= len(key) <= 128 or len(value) > 256:
        raise ApiError("InvalidParameterException", "Tag keys take 1 to 128 characters, tag values up to 256.")
    if key.lower().startswith("aws:"):
        raise ApiError("InvalidParameterException", "Tag keys that begin with aws: are reserved for AWS use.")
    if not _ALLOWED.fullmatch(key) or not _ALLOWED.fullmatch(value):
        raise ApiError(
            "InvalidParameterException",
            "Some of the tags contain invalid characters. "
            "Valid characters: UTF-8 letters, spaces, numbers and _ . / = + - : @.",
        )


def _tag_resource(request: Members) -> Members:
    resource = _existing(request)
    task = ecs._tasks.get(resource)
    if task and task["desiredStatus"] == "STOPPED":
        raise ApiError("InvalidParameterException", "The specified task is stopped. Specify a running task.")
    add(resource, request.get("tags", []))
    return {}


def _untag_resource(request: Members) -> Members:
    resource = _existing(request)
    gone = set(request.get("tagKeys", []))
    with records.lock:
        write(resource, [tag for tag in read(resource) if tag["key"] not in gone])
    return {}


def _list_tags_for_resource(request: Members) -> Members:
    resource = _existing(request)
    return {"tags": history.tags_as_of_now(resource, read(resource))}


def _existing(request: Members) -> str:
    resource = str(request.get("resourceArn", ""))
    stores = {
        "cluster": (ecs._clusters, "clusterArn"),
        "task-definition": (ecs._task_defs, "taskDefinitionArn"),
        "service": (ecs._services, "serviceArn"),
        "task": (ecs._tasks, "taskArn"),
        "capacity-provider": (ecs._capacity_providers, "capacityProviderArn"),
    }
    kind = resource.split(":", 5)[-1].split("/", maxsplit=1)[0]
    if kind == "service":
        resource = service_arns.for_tags(resource)
    store, member = stores.get(kind, ({}, ""))
    found = next((each for each in store.values() if each[member] == resource), None)
    if found is None:
        raise ApiError("ResourceNotFoundException", "The specified resource wasn't found.")
    return resource
