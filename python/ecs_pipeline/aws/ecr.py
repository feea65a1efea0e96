"""Amazon ECR: repositories, the digests of images, and the password for a push."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ecs_pipeline.aws import image_manifest
from ecs_pipeline.aws.answers import CURE
from ecs_pipeline.aws.blobs import download
from ecs_pipeline.aws.failures import DENIED
from ecs_pipeline.aws.session import AwsClient, AwsError, AwsSession
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.model.release import EcrRegistry, Repository
from ecs_pipeline.timing.clock import Clock

OWN = EcrRegistry()


class Ecr:
    """The operations of Amazon ECR that the image step uses; region and account may be another's."""

    def __init__(self, session: AwsSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def repository(self, name: str, registry: EcrRegistry = OWN) -> Repository | None:
        """DescribeRepositories; None when there is no such repository, or can be none of that name."""
        if not _possible(name):
            return None
        client = self._session.client("ecr", registry.region)
        try:
            answer = client.call("DescribeRepositories", repositoryNames=[name], **_of(registry))
        except AwsError as error:
            if error.code in ("RepositoryNotFoundException", "InvalidParameterException"):
                return None
            raise
        return Repository(name, answer["repositories"][0]["repositoryUri"], registry)

    def digest(self, repository: str, *, tag: str = "", digest: str = "", registry: EcrRegistry = OWN) -> str:
        """The digest of an image (DescribeImages), '' when the repository has none of that tag or digest.

        A digest that is given is taken where the repository's account does not let us look.
        Raises InvalidInput for an image in the archive, which nothing can pull.
        """
        if not _possible(repository):
            return ""
        wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
        request: dict[str, Any] = {"repositoryName": repository, "imageIds": [wanted], **_of(registry)}
        client = self._session.client("ecr", registry.region)
        try:
            answer = client.call("DescribeImages", **request)
        except AwsError as error:
            if error.code == "ImageNotFoundException":
                _refuse_archived(client, request)
            if error.code in ("ImageNotFoundException", "RepositoryNotFoundException"):
                return ""
            if digest and error.code in DENIED:
                return digest  # nothing has to be looked up: ECS takes an image of another account by its digest
            raise
        return next((str(detail["imageDigest"]) for detail in answer["imageDetails"]), "")

    def labels(self, repository: str, digest: str, platform: str, registry: EcrRegistry = OWN) -> dict[str, str]:
        """The labels of an image, of an index those of the platform's (BatchGetImage, GetDownloadUrlForLayer).

        The Docker engine could tell them only once it has pulled the whole image, and need not be there.
        """
        client, request = self._session.client("ecr", registry.region), {"repositoryName": repository, **_of(registry)}
        manifest = _manifest(client, request, digest)
        entries = image_manifest.children(manifest)
        if entries:
            chosen = image_manifest.of_platform(entries, platform)
            manifest = _manifest(client, request, chosen) if chosen else ""
        return image_manifest.labels_of(self._configuration(client, request, manifest))

    def platforms(self, repository: str, digest: str, registry: EcrRegistry = OWN) -> list[str]:
        """The platforms that an image is for, such as linux/arm64 or linux/arm64/v8; [] when it does not tell.

        BatchGetImage; of an image for one platform GetDownloadUrlForLayer, too.
        """
        client, request = self._session.client("ecr", registry.region), {"repositoryName": repository, **_of(registry)}
        manifest = _manifest(client, request, digest)
        if image_manifest.children(manifest):
            return image_manifest.platforms(manifest)
        found = image_manifest.platform_of(self._configuration(client, request, manifest))
        return [found] if found else []

    def _configuration(self, client: AwsClient, request: Mapping[str, Any], manifest: str) -> bytes:
        """The configuration that a manifest names; empty when it names none."""
        config = image_manifest.config_of(manifest)
        if not config:
            return b""
        answer = client.call("GetDownloadUrlForLayer", layerDigest=config, **request)
        return download(answer["downloadUrl"], config, self._clock)

    def credentials(self, registry: EcrRegistry = OWN) -> tuple[str, str]:
        """User and password for Docker (GetAuthorizationToken); good for twelve hours, never to be printed.

        They are good for every registry of the region that the caller's role may use.
        """
        answer = self._session.client("ecr", registry.region).call("GetAuthorizationToken")
        try:
            token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"], validate=True).decode()
        except ValueError:
            why = "its token cannot be read: what answers is not AWS"
            raise AwsError("ecr:GetAuthorizationToken", "", why, cure=CURE) from None
        user, _, password = token.partition(":")
        return user, password


def _of(registry: EcrRegistry) -> dict[str, Any]:
    """The member that names another account's registry."""
    return {"registryId": registry.account} if registry.account else {}


def _manifest(client: AwsClient, request: Mapping[str, Any], digest: str) -> str:
    """A manifest as it was pushed. Raises Trouble when the repository has it no more."""
    answer = client.call("BatchGetImage", imageIds=[{"imageDigest": digest}], **request)
    for image in answer.get("images", []):
        return str(image["imageManifest"])
    raise Trouble(f"ECR repository {request['repositoryName']} has no image {digest} any more", cure="run it again")


def _refuse_archived(client: AwsClient, request: Mapping[str, Any]) -> None:
    """DescribeImages shows ACTIVE images only, unless it is asked for others."""
    try:
        answer = client.call("DescribeImages", filter={"imageStatus": "ANY"}, **request)
    except AwsError as error:
        if error.code in ("ImageNotFoundException", "InvalidParameterException"):
            return
        raise
    for image in answer["imageDetails"]:
        if image.get("imageStatus", "ACTIVE") != "ACTIVE":
            name, (wanted,) = request["repositoryName"], request["imageIds"]
            raise InvalidInput(
                f"image {next(iter(wanted.values()))} of ECR repository {name} is {image['imageStatus']}",
                cure="bring it back: `aws ecr update-image-storage-class --target-storage-class STANDARD`",
            )


def _possible(repository: str) -> bool:
    """Whether ECR takes a name of this length; boto3 refuses to ask for others."""
    return 2 <= len(repository) <= 256
