"""What a config may say of an image that is built: `image` and `provision.images` (docs/configuration.md)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from ecs_pipeline.setting_types import Argument, Section

REPOSITORY = re.compile(r"(?=.{1,256}$)(?:[a-z0-9]+(?:[._-]+[a-z0-9]+)*/)*[a-z0-9]+(?:[._-]+[a-z0-9]+)*")
REGISTRY = re.compile(r"[0-9]{12}(?:/[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2})?")
PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9.]+)?")


def _repository(name: str) -> str:
    if name and not REPOSITORY.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is not the name of an ECR repository; write it alone, such as sample/app")
    return name


def _registry(text: str) -> str:
    if text and not REGISTRY.fullmatch(text):
        raise ValueError(
            f"{text[:60]!r} is not an ECR registry; write ACCOUNT or ACCOUNT/REGION, 123456789012/eu-west-1"
        )
    return text


def _platform(name: str) -> str:
    if name and not PLATFORM.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is not a platform; write linux/amd64 or linux/arm64")
    return name


class ImageSettings(Section):
    """Where the image comes from when it is built here; paths are relative to the config file."""

    repository: Annotated[str, AfterValidator(_repository)] = Field(
        "", description="ECR repository; default: the app's name"
    )
    registry: Annotated[str, AfterValidator(_registry)] = Field(
        "", description="ACCOUNT or ACCOUNT/REGION of the ECR registry; default: the job's own account and region"
    )
    context: str = Field(".", description="folder that is built")
    dockerfile: str = Field("Dockerfile", description="relative to the context")
    build_args: dict[str, Argument] = Field(
        default_factory=dict, description="build arguments; null takes the value from the environment"
    )
    platform: Annotated[str, AfterValidator(_platform)] = Field(
        "", description="e.g. linux/amd64; default: what the task definition runs on"
    )
