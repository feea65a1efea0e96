"""What a builder is told to build, and what it needs for that."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ecs_pipeline.documents import yaml
from ecs_pipeline.errors import InvalidInput

LARGEST_SECRET = 500 * 1024
"""Bytes that BuildKit takes of a secret (moby/buildkit, session/secrets)."""


@dataclass(frozen=True)
class Secret:
    """A secret of the build, from a file or from a variable of the environment; the other one is None."""

    file: Path | None = None
    variable: str | None = None

    def value(self) -> str:
        """Its text. Raises InvalidInput, without a value, when there is none."""
        if self.variable is not None:
            found = os.environ.get(self.variable)
            if found is None:
                raise InvalidInput(f"{self.variable} is not set", cure="set it in the job's environment")
            return found
        assert self.file is not None  # noqa: S101 - the settings take one or the other
        if not self.file.is_file():
            raise InvalidInput(f"there is no file {self.file}", cure="the path is relative to the config file")
        return yaml.read_bytes(self.file, "make it readable", LARGEST_SECRET).decode(errors="replace")


@dataclass(frozen=True)
class Build:
    """What is built: paths as they are on this machine. `cache_from` and `cache_to` are as buildx takes them."""

    context: Path
    dockerfile: str
    arguments: Mapping[str, str | None]
    platform: str
    tag: str
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    cache_from: Sequence[str] = ()
    cache_to: Sequence[str] = ()

    @property
    def needs_buildx(self) -> list[str]:
        """The keys of the config that the engine's own builder knows nothing of."""
        return [key for key in ("secrets", "cache_from", "cache_to") if getattr(self, key)]


def refuse_without_secrets(build: Build) -> None:
    """A secret that is not there. Raises InvalidInput, naming its key."""
    for name, secret in build.secrets.items():
        try:
            secret.value()
        except InvalidInput as error:
            error.message = f"image.secrets.{name}: {error.message}"
            raise


def refuse_without_buildx(build: Build) -> None:
    """What is asked for takes BuildKit, and there is no buildx. Raises InvalidInput."""
    if build.needs_buildx:
        keys = " and ".join(f"image.{key}" for key in build.needs_buildx)
        raise InvalidInput(
            f"{keys} need{'s' if len(build.needs_buildx) == 1 else ''} `docker buildx`, which is not on this machine",
            cure="install Docker's buildx plugin here, build elsewhere and give --image, or take the key out",
        )
