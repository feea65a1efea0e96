"""Amazon ECR: all images of a repository, and their removal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecs_pipeline.aws import image_manifest
from ecs_pipeline.aws.session import AwsClient
from ecs_pipeline.batches import batches
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import Repository, StoredImage

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
GONE, OF_AN_INDEX = "ImageNotFound", "ImageReferencedByManifestList"


class StoredImages:
    """The images of one repository."""

    at_once = 100
    """BatchGetImage and BatchDeleteImage take so many."""

    def __init__(self, client: AwsClient, repository: Repository) -> None:
        self._client = client
        account = repository.registry.account
        self._of: dict[str, Any] = {"repositoryName": repository.name, **({"registryId": account} if account else {})}

    def all(self) -> list[StoredImage]:
        """Every image that is not archived (DescribeImages)."""
        return [
            StoredImage(
                digest=detail["imageDigest"],
                tags=tuple(detail.get("imageTags", ())),
                pushed=detail["imagePushedAt"],
                is_index=detail.get("imageManifestMediaType") in INDEXES,
            )
            for detail in self._client.pages("DescribeImages", "imageDetails", **self._of)
        ]

    def members(self, indexes: Sequence[str]) -> set[str]:
        """Digests of what these image indexes refer to (BatchGetImage); ECR deletes none of it before its index."""
        found: set[str] = set()
        for digests in batches(indexes, self.at_once):
            asked = [{"imageDigest": digest} for digest in digests]
            for image in self._client.call("BatchGetImage", imageIds=asked, **self._of).get("images", []):
                found.update(image_manifest.members(image["imageManifest"]))
        return found

    def delete(self, digests: Sequence[str]) -> list[str]:
        """BatchDeleteImage of `at_once` at most; those that stay, as an image index refers to them.

        Raises Trouble for any other failure; one that is gone already is none.
        """
        asked = [{"imageDigest": digest} for digest in digests]
        answer = self._client.call("BatchDeleteImage", imageIds=asked, **self._of)
        failures = [failure for failure in answer.get("failures", []) if failure.get("failureCode") != GONE]
        others = [failure for failure in failures if failure.get("failureCode") != OF_AN_INDEX]
        if others:
            first = others[0]
            told = (
                f"{first['imageId'].get('imageDigest', '')}: {first.get('failureCode')}: {first.get('failureReason')}"
            )
            raise Trouble(f"ecr:BatchDeleteImage: {told}", cure="run it again")
        return [str(failure["imageId"]["imageDigest"]) for failure in failures]
