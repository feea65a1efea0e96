"""Amazon ECR at this server's own address, with the rules for immutable tags and the token that pushes need."""

from __future__ import annotations

import base64
import fnmatch
import hmac
import json
import os
import secrets
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ministack.services import ecr

from embedded_aws import registry_images, registry_scans
from embedded_aws.api import ApiError, json_action
from embedded_aws.iam import enforcement
from embedded_aws.iam.needs import Need
from embedded_aws.registry_address import PASSWORD, address

if TYPE_CHECKING:
    from embedded_aws.api import Members, Response

_TOKEN = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
_TOKEN_SECONDS = 12 * 60 * 60
_KEY, _SIGNATURE = secrets.token_bytes(32), "X-Amz-Signature"
_FILTERS = "imageTagMutabilityExclusionFilters"
_ACTIONS = {
    ("HEAD", "blobs"): "BatchCheckLayerAvailability",
    ("GET", "blobs"): "GetDownloadUrlForLayer",
    ("POST", "blobs/uploads"): "InitiateLayerUpload",
    ("PATCH", "blobs/uploads"): "UploadLayerPart",
    ("PUT", "blobs/uploads"): "CompleteLayerUpload",
    ("HEAD", "manifests"): "BatchGetImage",
    ("GET", "manifests"): "BatchGetImage",
    ("PUT", "manifests"): "PutImage",
}


def tag_is_immutable(repository: Members, tag: str) -> bool:
    """Whether a tag may not move (ECR User Guide, "Preventing image tags from being overwritten")."""
    mode = repository.get("imageTagMutability", "MUTABLE")
    excluded = any(fnmatch.fnmatchcase(tag, each["filter"]) for each in repository.get(_FILTERS) or [])
    return excluded if mode == "MUTABLE_WITH_EXCLUSION" else mode.startswith("IMMUTABLE") and not excluded


def install() -> None:
    """Replace ministack's operations."""
    ecr._repo_uri = lambda name: f"{address()}/{name}"
    ecr._repo_shape = _shape
    ecr._create_repository = _creating(ecr._create_repository)
    ecr._put_image_tag_mutability = json_action(_put_image_tag_mutability)
    ecr._get_authorization_token = json_action(_get_authorization_token)
    ecr._get_download_url_for_layer = json_action(_get_download_url_for_layer)
    ecr._put_image = _putting(ecr._put_image)
    ecr._v2_put_manifest = _pushing(ecr._v2_put_manifest)
    ecr.handle_registry_request = _asking_for_token(ecr.handle_registry_request)
    ecr.handle_request = _with_more_operations(ecr.handle_request)
    registry_images.install()


def _shape(repository: Members) -> Members:
    return {name: value for name, value in repository.items() if name != "tags"}


def _creating(create: Any) -> Any:
    def create_repository(request: Members) -> Response:
        status, headers, body = create(request)
        if status == 200:
            repository = ecr._repositories[request["repositoryName"]]
            repository.update({_FILTERS: request[_FILTERS]} if request.get(_FILTERS) else {})
            body = json.dumps({"repository": _shape(repository)}).encode()
        return status, headers, body

    return create_repository


def _put_image_tag_mutability(request: Members) -> Members:
    repository = registry_images.repository(request)
    changes = {name: request[name] for name in ("imageTagMutability", _FILTERS) if name in request}
    repository.update(changes)
    return {"registryId": repository["registryId"], "repositoryName": repository["repositoryName"], **changes}


def _get_authorization_token(_request: Members) -> Members:
    key = enforcement.caller.get()
    data = {
        "authorizationToken": _token_of(key) if enforcement.is_limited(key) else _TOKEN,
        "expiresAt": time.time() + _TOKEN_SECONDS,
        "proxyEndpoint": f"http://{address()}",
    }
    return {"authorizationData": [data]}


def _get_download_url_for_layer(request: Members) -> Members:
    """A presigned URL, for layers and configurations "that are referenced in an image" (ECR API Reference)."""
    name, digest = registry_images.repository(request)["repositoryName"], request.get("layerDigest", "")
    if not registry_images.refers_to(name, digest):
        raise ApiError(
            "LayersNotFoundException",
            f"The layer with digest '{digest}' does not exist in the repository with name '{name}'",
        )
    path = f"/v2/{name}/blobs/{digest}"
    return {"downloadUrl": f"http://{address()}{path}?{_SIGNATURE}={_signature(path)}", "layerDigest": digest}


def _signature(path: str) -> str:
    return hmac.new(_KEY, path.encode(), "sha256").hexdigest()


def _is_signed(method: str, path: str, query: Members) -> bool:
    """Whether a request is for the blob that its presigned URL was made for; such a URL is good for GET only."""
    given = query.get(_SIGNATURE, "")
    text = given[0] if isinstance(given, list) else given
    return method == "GET" and hmac.compare_digest(str(text), _signature(path))


def _putting(put: Any) -> Any:
    def put_image(request: Members) -> Members:
        repository = registry_images.repository(request)
        name, tag = repository["repositoryName"], request.get("imageTag", "")
        digest = request.get("imageDigest") or ecr._image_digest(request.get("imageManifest", ""))
        held = registry_images.find(name, {"imageTag": tag} if tag else {"imageDigest": digest})
        if held and held["imageDigest"] == digest:
            raise ApiError(
                "ImageAlreadyExistsException",
                f"Image with digest '{digest}' and tag '{tag}' already exists in the repository with name '{name}'",
            )
        if held and tag_is_immutable(repository, tag):
            raise ApiError("ImageTagAlreadyExistsException", _immutable_message(name, tag))
        ecr._manifest_blobs.setdefault(name, {})[digest] = request["imageManifest"].encode()
        is_new = registry_images.find(name, {"imageDigest": digest}) is None
        answer: Members = json.loads(put(request)[2])
        if is_new:
            registry_scans.begin(repository, ecr._images[name][-1])
        return answer

    return json_action(put_image)


def _pushing(put: Any) -> Any:
    def put_manifest(name: str, reference: str, headers: Members, body: bytes) -> Response:
        repository = ecr._repositories.get(name)
        held = registry_images.find(name, {"imageTag": reference}) if repository else None
        if held and held["imageDigest"] != ecr._content_digest(body) and tag_is_immutable(repository, reference):
            refused: Response = ecr._registry_error(400, "TAG_INVALID", _immutable_message(name, reference))
            return refused
        is_new = repository and not registry_images.find(name, {"imageDigest": ecr._content_digest(body)})
        answer: Response = put(name, reference, headers, body)
        if is_new and answer[0] == HTTPStatus.CREATED:
            registry_scans.begin(repository, ecr._images[name][-1])
        return answer

    return put_manifest


def _immutable_message(name: str, tag: str) -> str:
    return (
        f"The image tag '{tag}' already exists in the '{name}' repository "
        "and cannot be overwritten because the tag is immutable."
    )


def _token_of(key: str) -> str:
    """The token of somebody whose policies count for what is done with it, too."""
    return base64.b64encode(f"AWS:{PASSWORD}/{key}".encode()).decode()


def _owner(headers: Members) -> str | None:
    """The access key whose token a request has: '' for the account's own, None for no token of ours."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    if (kind, token) == ("Basic", _TOKEN):
        return ""
    try:
        user, _, password = base64.b64decode(token).decode().partition(":")
    except ValueError:
        return None
    secret, _, key = password.partition("/")
    return key if (kind, user, secret) == ("Basic", "AWS", PASSWORD) and enforcement.is_limited(key) else None


def _needed(method: str, path: str) -> list[Need]:
    """Say what a request of a push needs (ECR User Guide, "IAM permissions for pushing an image")."""
    kind = next((each for each in ("blobs/uploads", "blobs", "manifests") if f"/{each}/" in path), "")
    name, action = path.removeprefix("/v2/").partition(f"/{kind}/")[0], _ACTIONS.get((method, kind))
    arn = f"arn:aws:ecr:{os.environ['MINISTACK_REGION']}:{os.environ['MINISTACK_ACCOUNT_ID']}:repository/{name}"
    return [Need(f"ecr:{action}", arn)] if action else []


def _with_more_operations(handle: Any) -> Any:
    """Answer the operations that ministack does not know."""
    more = {
        "UpdateImageStorageClass": json_action(registry_images.update_storage_class),
        "DescribeImageScanFindings": json_action(registry_scans.describe),
    }

    async def handle_request(method: str, path: str, headers: Members, body: bytes, query: Members) -> Response:
        operation = more.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if operation:
            return operation(json.loads(body))
        answer: Response = await handle(method, path, headers, body, query)
        return answer

    return handle_request


def _asking_for_token(handle: Any) -> Any:
    async def handle_request(method: str, path: str, headers: Members, body: bytes, query: Members) -> Response:
        owner = _owner(headers)
        if owner is None and not _is_signed(method, path, query):
            status, answer_headers, answer = ecr._registry_error(401, "UNAUTHORIZED", "Not Authorized")
            realm = f'Basic realm="http://{address()}/",service="ecr.amazonaws.com"'
            return status, {**answer_headers, "WWW-Authenticate": realm}, answer
        denied = enforcement.first_denied(owner, _needed(method, path)) if owner else None
        if denied:
            refused: Response = ecr._registry_error(403, "DENIED", denied[1])
            return refused
        response: Response = await handle(method, path, headers, body, query)
        return response

    return handle_request
