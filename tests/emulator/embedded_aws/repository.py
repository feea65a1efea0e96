"""A repository of the embedded ECR, over its own protocol."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import docker

from embedded_aws import images

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment


class Repository:
    """A repository and the engine that pushes to it."""

    def __init__(self, environment: Environment, **members: Any) -> None:
        self.name = environment.name
        self.ecr = environment.client("ecr")
        self.uri = self.ecr.create_repository(repositoryName=self.name, **members)["repository"]["repositoryUri"]
        self.engine = docker.from_env(version="auto")

    def credentials(self) -> dict[str, str]:
        token = self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        user, password = base64.b64decode(token).decode().split(":")
        return {"username": user, "password": password}

    def push(self, variant: str, tag: str, credentials: dict[str, str] | None = None) -> str:
        """Push an image; give the engine's error, or nothing."""
        self.engine.images.get(images.build_app(variant)).tag(self.uri, tag)
        login = credentials or self.credentials()
        lines = self.engine.images.push(self.uri, tag=tag, stream=True, decode=True, auth_config=login)
        return " ".join(line["error"] for line in lines if "error" in line)

    def digest(self, tag: str) -> str:
        found = self.ecr.describe_images(repositoryName=self.name, imageIds=[{"imageTag": tag}])
        return str(found["imageDetails"][0]["imageDigest"])
