"""Amazon ECR: repositories, the digests of images, and the password for a push."""

from __future__ import annotations

import base64
from typing import Any

from ecs_pipeline.aws import image_manifest
from ecs_pipeline.aws.answers import CURE
from ecs_pipeline.aws.blobs import download
from ecs_pipeline.aws.failures import DENIED
from ecs_pipeline.aws.session import AwsError, AwsSession
from ecs_pipeline.clock import Clock
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model import Repository


class Ecr:
    """The operations of Amazon ECR that the image step uses; region and account may be another's."""

    def __init__(self, session: AwsSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def repository(self, name: str) -> Repository | None:
        """DescribeRepositories; None when there is no such repository, or can be none of that name."""
        if not _possible(name):
            return None
        try:
            answer = self._session.client("ecr").call("DescribeRepositories", repositoryNames=[name])
        except AwsError as error:
            if error.code in ("RepositoryNotFoundException", "InvalidParameterException"):
                return None
            raise
        return Repository(name, answer["repositories"][0]["repositoryUri"])

    def digest(self, repository: str, *, tag: str = "", digest: str = "", account: str = "", region: str = "") -> str:
        """The digest of an image (DescribeImages), '' when the repository has none of that tag or digest.

        A digest that is given is taken where the repository's account does not let us look.
        """
        if not _possible(repository):
            return ""
        wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
        request: dict[str, Any] = {"repositoryName": repository, "imageIds": [wanted]}
        if account:
            request["registryId"] = account
        try:
            answer = self._session.client("ecr", region).call("DescribeImages", **request)
        except AwsError as error:
            if error.code in ("ImageNotFoundException", "RepositoryNotFoundException"):
                return ""
            if digest and error.code in DENIED:
                return digest  # nothing has to be looked up: ECS takes an image of another account by its digest
            raise
        return next((str(one["imageDigest"]) for one in answer["imageDetails"]), "")

    def labels(self, repository: str, digest: str, platform: str) -> dict[str, str]:
        """The labels of an image, of an index those of the platform's (BatchGetImage, GetDownloadUrlForLayer).

        The Docker engine could tell them only once it has pulled the whole image, and need not be there.
        """
        manifest = self._manifest(repository, digest)
        entries = image_manifest.children(manifest)
        if entries:
            chosen = image_manifest.of_platform(entries, platform)
            manifest = self._manifest(repository, chosen) if chosen else ""
        config = image_manifest.config_of(manifest)
        if not config:
            return {}
        answer = self._session.client("ecr").call(
            "GetDownloadUrlForLayer", repositoryName=repository, layerDigest=config
        )
        return image_manifest.labels_of(download(answer["downloadUrl"], config, self._clock))

    def _manifest(self, repository: str, digest: str) -> str:
        """A manifest as it was pushed. Raises Trouble when the repository has it no more."""
        answer = self._session.client("ecr").call(
            "BatchGetImage", repositoryName=repository, imageIds=[{"imageDigest": digest}]
        )
        for image in answer.get("images", []):
            return str(image["imageManifest"])
        raise Trouble(f"ECR repository {repository} has no image {digest} any more", cure="run it again")

    def credentials(self) -> tuple[str, str]:
        """User and password for Docker (GetAuthorizationToken); good for twelve hours, never to be printed."""
        answer = self._session.client("ecr").call("GetAuthorizationToken")
        try:
            token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"], validate=True).decode()
        except ValueError:
            why = "its token cannot be read: what answers is not AWS"
            raise AwsError("ecr:GetAuthorizationToken", "", why, cure=CURE) from None
        user, _, password = token.partition(":")
        return user, password


def _possible(repository: str) -> bool:
    """Whether ECR takes a name of this length; boto3 refuses to ask for others."""
    return 2 <= len(repository) <= 256
