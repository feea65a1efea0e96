"""The app's variants, built and pushed once for all tests."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cached_property
from typing import Any

import docker

from embedded_aws import images

REPOSITORY = "stages"


class Images:
    """The app's variants, pushed to a repository of the embedded AWS when they are first used."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._ecr = client("ecr")
        self._uris: dict[str, str] = {}

    @cached_property
    def repository(self) -> str:
        """The repository's URI."""
        try:
            made = self._ecr.create_repository(repositoryName=REPOSITORY)["repository"]
        except self._ecr.exceptions.RepositoryAlreadyExistsException:
            made = self._ecr.describe_repositories(repositoryNames=[REPOSITORY])["repositories"][0]
        return str(made["repositoryUri"])

    def uri(self, variant: str) -> str:
        """REPOSITORY:VARIANT."""
        if variant not in self._uris:
            self._uris[variant] = self._push(variant)
        return self._uris[variant]

    def digest(self, variant: str) -> str:
        """REPOSITORY@sha256:…"""
        self.uri(variant)
        return self.digest_of_tag(variant)

    def digest_of_tag(self, tag: str) -> str:
        """The same of any tag."""
        found = self._ecr.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])
        return f"{self.repository}@{found['imageDetails'][0]['imageDigest']}"

    def _push(self, variant: str) -> str:
        token = self._ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(token).decode().partition(":")
        engine = docker.from_env()
        engine.images.get(images.build_app(variant)).tag(self.repository, tag=variant)
        login = {"username": user, "password": password}
        for event in engine.images.push(self.repository, tag=variant, auth_config=login, stream=True, decode=True):
            assert "error" not in event, event
        engine.close()
        return f"{self.repository}:{variant}"
