"""What AWS holds of a service, in words that are the same from run to run."""

from __future__ import annotations

import time
from typing import Any

from tests.emulator.stages.scene import Scene

OF_A_RUN = ("ecs-pipeline:turn", "ecs-pipeline:build", "ecs-pipeline:commit", "ecs-pipeline:bake-began")
"""Tags that are others in each run; an epoch tells how often something was cancelled."""

SETTLES_WITHIN = 30.0


def picture(scene: Scene) -> dict[str, Any]:
    """Service, deployments, tasks, targets, revisions, images and tags."""
    service = scene.service(include=["TAGS"])
    return {
        "service": (_image(scene, service["taskDefinition"]), service["desiredCount"], service["runningCount"]),
        "deployments": [(deployment["status"], deployment["rolloutState"]) for deployment in service["deployments"]],
        "service tags": _tags(scene, service["tags"]),
        "service tasks": sorted(_image(scene, task["taskDefinitionArn"]) for task in scene.tasks()),
        "canaries": sorted(
            (_image(scene, task["taskDefinitionArn"]), *_tags(scene, task["tags"])) for task in _ours(scene)
        ),
        "targets": _targets(scene),
        "revisions": sorted(_revision(scene, number) for number in scene.revisions()),
        "image tags": _image_tags(scene),
    }


def left_over(scene: Scene) -> list[str]:
    """What is still there after a while: an interrupted rollout may have to end."""
    until = time.monotonic() + SETTLES_WITHIN
    while (found := as_before(scene)) and time.monotonic() < until:
        time.sleep(0.3)
    return found


def as_before(scene: Scene) -> list[str]:
    """What differs from a service that never had another release."""
    found: dict[str, Any] = picture(scene)
    first = found["revisions"][0][0]
    wanted = {
        "service": (first, 1, 1),
        "deployments": [("PRIMARY", "COMPLETED")],
        "service tasks": [first],
        "canaries": [],
        "targets": ["service healthy"],
        "revisions": [(first, "team=lab")],
    }
    return [f"{key}: {found[key]}, not {value}" for key, value in wanted.items() if found[key] != value]


def _ours(scene: Scene) -> list[Any]:
    """Every task of the cluster that is none of the service's and does not stop."""
    arns = scene.ecs.list_tasks(cluster=scene.name)["taskArns"]
    found = scene.ecs.describe_tasks(cluster=scene.name, tasks=arns, include=["TAGS"])["tasks"] if arns else []
    return [item for item in found if not item["group"].startswith("service:")]


def _targets(scene: Scene) -> list[str]:
    """Whose address each target has, and its state."""
    owners = dict.fromkeys(scene.service_addresses(), "service")
    owners.update({_address(task): "canary" for task in _ours(scene)})
    return sorted(
        f"{owners.get(target['Target']['Id'], 'nobody')} {target['TargetHealth']['State']}"
        for target in scene.health()
        if target["TargetHealth"]["State"] != "draining"
    )


def _address(task: Any) -> str:
    details = [detail for attachment in task["attachments"] for detail in attachment["details"]]
    return next((str(detail["value"]) for detail in details if detail["name"] == "privateIPv4Address"), "")


def _revision(scene: Scene, number: int) -> tuple[str, ...]:
    answer = scene.ecs.describe_task_definition(taskDefinition=f"{scene.name}:{number}", include=["TAGS"])
    return _image(scene, f"{scene.name}:{number}"), *_tags(scene, answer["tags"])


def _image(scene: Scene, revision: str) -> str:
    """By digest; what was built for the service, whose labels name it, by its tags."""
    name, _, digest = scene.image_of(revision).rpartition("/")[2].partition("@")
    if name != scene.name:
        return f"{name}@{digest}"
    identifiers = [{"imageDigest": digest}]
    (found,) = scene.client("ecr").describe_images(repositoryName=name, imageIds=identifiers)["imageDetails"]
    return f"REPOSITORY:{' '.join(found.get('imageTags', ['untagged']))}"


def _tags(scene: Scene, tags: list[dict[str, str]]) -> list[str]:
    """Without those of a run; a revision by its image, an address not at all."""
    found = []
    for tag in tags:
        key, value = tag["key"], tag["value"]
        if not value or key in OF_A_RUN or key.startswith(("aws:", "ecs-pipeline:targets:")):
            continue
        if key == "ecs-pipeline:service":
            value = value.replace(scene.name, "SERVICE")
        if ":task-definition/" in value:
            value = _image(scene, value)
        found.append(f"{key}={value}")
    return sorted(found)


def _image_tags(scene: Scene) -> list[str]:
    """Of the repository that the service's own images are pushed to; none when it takes others."""
    ecr = scene.client("ecr")
    try:
        found = ecr.describe_images(repositoryName=scene.name)["imageDetails"]
    except ecr.exceptions.RepositoryNotFoundException:
        return []
    return sorted(tag for item in found for tag in item.get("imageTags", ["untagged"]))
