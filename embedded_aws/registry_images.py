"""Amazon ECR's image operations: one identifier a tag, errors for what is missing, sizes of the layers."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from ministack.services import ecr

from embedded_aws.api import ApiError, json_action, page

if TYPE_CHECKING:
    from embedded_aws.api import Members


_AT_ONCE = 100


def install() -> None:
    """Replace ministack's operations."""
    ecr._describe_repositories = json_action(describe_repositories)
    ecr._describe_images = json_action(_describe_images)
    ecr._list_images = json_action(_list_images)
    ecr._batch_get_image = json_action(_batch_get_image)
    ecr._batch_delete_image = json_action(_batch_delete_image)


def repository(request: Members) -> Members:
    """Find the repository that a request names; raise RepositoryNotFoundException."""
    name = request.get("repositoryName", "")
    found: Members | None = ecr._repositories.get(name)
    if found is None or (request.get("registryId") or registry()) != registry():
        raise ApiError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id "
            f"'{request.get('registryId') or registry()}'",
        )
    return found


def describe_repositories(request: Members) -> Members:
    """DescribeRepositories of this registry; another one has none that anybody here may see."""
    names = request.get("repositoryNames")
    found = [repository({**request, "repositoryName": name}) for name in names or ecr._repositories]
    shown, more = page(found, request)
    return {"repositories": [ecr._repo_shape(each) for each in shown], **more}


def update_storage_class(request: Members) -> Members:
    """UpdateImageStorageClass: an image into the archive, or back at once (AWS takes its time)."""
    name = repository(request)["repositoryName"]
    image = find(name, request["imageId"])
    if image is None:
        raise not_found(name, request["imageId"])
    image["imageStatus"] = "ARCHIVED" if request["targetStorageClass"] == "ARCHIVE" else "ACTIVE"
    return {"repositoryName": name, "imageId": request["imageId"], "imageStatus": image["imageStatus"]}


def find(name: str, identifier: Members) -> Members | None:
    """Find the image that matches all that the identifier names (imageTag, imageDigest)."""
    tag, digest = identifier.get("imageTag"), identifier.get("imageDigest")
    for image in ecr._images.get(name, []):
        if (not tag or tag in image["imageTags"]) and (not digest or digest == image["imageDigest"]):
            found: Members = image
            return found
    return None


def refers_to(name: str, digest: str) -> bool:
    """Whether an image of the repository has this layer or configuration."""
    manifests = (json.loads(image["imageManifest"]) for image in ecr._images.get(name, []))
    return any(
        digest == blob.get("digest")
        for manifest in manifests
        for blob in [manifest.get("config") or {}, *manifest.get("layers", [])]
    )


def registry() -> str:
    """Give the id of the one registry."""
    return os.environ["MINISTACK_ACCOUNT_ID"]


def _describe_images(request: Members) -> Members:
    name = repository(request)["repositoryName"]
    wanted = request.get("imageIds")
    if wanted:
        images = [_found(name, identifier, request) for identifier in wanted]
        return {"imageDetails": [_detail(name, image) for image in images]}
    images = [image for image in ecr._images.get(name, []) if _has_status(image, request)]
    shown, more = page(images, request)
    return {"imageDetails": [_detail(name, image) for image in shown], **more}


def _found(name: str, identifier: Members, request: Members) -> Members:
    image = find(name, identifier)
    if image is None or not _has_status(image, request):
        raise not_found(name, identifier)
    return image


def not_found(name: str, identifier: Members) -> ApiError:
    """Make the error for an image that a repository does not have."""
    return ApiError(
        "ImageNotFoundException",
        f"The image with imageId {named(identifier)} does not exist within "
        f"the repository with name '{name}' in the registry with id '{registry()}'",
    )


def named(identifier: Members) -> str:
    """Write an identifier as ECR's messages have it."""
    digest, tag = identifier.get("imageDigest", "null"), identifier.get("imageTag", "null")
    return f"{{imageDigest:'{digest}', imageTag:'{tag}'}}"


def _has_status(image: Members, request: Members) -> bool:
    """Data type DescribeImagesFilter: "If not specified, only images with ACTIVE status are returned"."""
    asked = request.get("filter") or {}
    status, archived = asked.get("tagStatus", "ANY"), asked.get("imageStatus", "ACTIVE")
    is_tagged = status == "ANY" or (status == "TAGGED") == bool(image["imageTags"])
    return bool(is_tagged and archived in {"ANY", image.get("imageStatus", "ACTIVE")})


def _detail(name: str, image: Members) -> Members:
    tags = {"imageTags": list(image["imageTags"])} if image["imageTags"] else {}
    return {
        "registryId": registry(),
        "repositoryName": name,
        "imageDigest": image["imageDigest"],
        **tags,
        "imageSizeInBytes": _size(image),
        "imagePushedAt": image.get("imagePushedAt", time.time()),
        "imageManifestMediaType": image["imageManifestMediaType"],
        "imageStatus": image.get("imageStatus", "ACTIVE"),
    }


def _size(image: Members) -> int:
    manifest = json.loads(image["imageManifest"])
    return sum(int(layer["size"]) for layer in [manifest.get("config") or {"size": 0}, *manifest.get("layers", [])])


def _list_images(request: Members) -> Members:
    name = repository(request)["repositoryName"]
    identifiers = []
    for image in ecr._images.get(name, []):
        if _has_status(image, request):
            digest = {"imageDigest": image["imageDigest"]}
            identifiers += [{**digest, "imageTag": tag} for tag in image["imageTags"]] or [digest]
    shown, more = page(identifiers, request)
    return {"imageIds": shown, **more}


def _batch_get_image(request: Members) -> Members:
    name = repository(request)["repositoryName"]
    images, failures = [], []
    for identifier in request.get("imageIds", []):
        image = find(name, identifier)
        if image is None:
            failures.append(_failure(identifier))
            continue
        tag = {"imageTag": identifier["imageTag"]} if identifier.get("imageTag") else {}
        images.append(
            {
                "registryId": registry(),
                "repositoryName": name,
                "imageId": {"imageDigest": image["imageDigest"], **tag},
                "imageManifest": image["imageManifest"],
                "imageManifestMediaType": image["imageManifestMediaType"],
            }
        )
    return {"images": images, "failures": failures}


def _batch_delete_image(request: Members) -> Members:
    name = repository(request)["repositoryName"]
    if len(request.get("imageIds", [])) > _AT_ONCE:
        raise ApiError("InvalidParameterException", f"imageIds: at most {_AT_ONCE} items")
    deleted, failures = [], []
    for identifier in request.get("imageIds", []):
        image = find(name, identifier)
        if image is None:
            failures.append(_failure(identifier))
            continue
        tag = identifier.get("imageTag")
        goes = not tag or image["imageTags"] == [tag]
        if goes and image["imageDigest"] in _referred_to(name):
            failures.append(_referenced(identifier, image["imageDigest"]))
            continue
        if tag and not identifier.get("imageDigest"):  # takes the tag away, and the image with its last tag
            image["imageTags"].remove(tag)
        if not tag or not image["imageTags"]:
            ecr._images[name].remove(image)
            ecr._manifest_blobs.get(name, {}).pop(image["imageDigest"], None)
        deleted.append({"imageDigest": image["imageDigest"], **({"imageTag": tag} if tag else {})})
    return {"imageIds": deleted, "failures": failures}


def _referred_to(name: str) -> set[str]:
    """Digests that the image indexes of a repository refer to."""
    manifests = [json.loads(image["imageManifest"]) for image in ecr._images.get(name, [])]
    return {entry["digest"] for manifest in manifests for entry in manifest.get("manifests", [])}


def _referenced(identifier: Members, digest: str) -> Members:
    """Data type ImageFailure; an image of a manifest list goes after the list (ECR User Guide, "Deleting an image")."""
    return {
        "imageId": {**identifier, "imageDigest": digest},
        "failureCode": "ImageReferencedByManifestList",
        "failureReason": f"Requested image referenced by manifest list: [{digest}]",
    }


def _failure(identifier: Members) -> Members:
    return {"imageId": identifier, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
