"""What a config may say of an image that is built: `image` and `provision.images` (docs/configuration.md)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ecs_pipeline.config.types import Argument, Duration, Section, Word
from ecs_pipeline.images import cache

REPOSITORY = re.compile(r"(?=.{1,256}$)(?:[a-z0-9]+(?:[._-]+[a-z0-9]+)*/)*[a-z0-9]+(?:[._-]+[a-z0-9]+)*")
REGISTRY = re.compile(r"[0-9]{12}(?:/[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2})?")
STAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
SECRET_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,254}")
OUR_LABELS = "ecs-pipeline."
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


def _target(name: str) -> str:
    if name and not STAGE.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is not the name of a stage; write what stands behind AS in the Dockerfile")
    return name


def _variable(name: str) -> str:
    if name and not VARIABLE.fullmatch(name):
        raise ValueError("this is not the name of a variable; write the name, such as NPM_TOKEN, and not the secret")
    return name


def _cache(entry: str) -> str:
    cache.attributes(entry)
    return entry


def _labels(labels: dict[str, str]) -> dict[str, str]:
    for name in labels:
        if not LABEL.fullmatch(name):
            raise ValueError(f"{name[:60]!r} is not the name of a label; write letters, digits, `.`, `-`, `_` and `/`")
        if name.startswith(OUR_LABELS):
            raise ValueError(f"labels {OUR_LABELS}… are written by ecs-pipeline itself; take {name[:60]} out")
    return labels


class BuildSecret(Section):
    """A secret of the build, from a file or from a variable of the environment."""

    src: str = Field("", description="a file, relative to the config file")
    env: Annotated[str, AfterValidator(_variable)] = Field("", description="the name of a variable of the environment")

    @model_validator(mode="after")
    def _one_place(self) -> BuildSecret:
        if bool(self.src) == bool(self.env):
            raise ValueError("give either src, a file, or env, the name of a variable")
        return self


def _secrets(secrets: dict[str, BuildSecret]) -> dict[str, BuildSecret]:
    for name in secrets:
        if not SECRET_ID.fullmatch(name):
            raise ValueError(f"{name[:60]!r} is not the id of a secret; write what stands behind id= in the Dockerfile")
    return secrets


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
    target: Annotated[str, AfterValidator(_target)] = Field(
        "", description="the stage of the Dockerfile that is built; default: its last"
    )
    secrets: Annotated[dict[str, BuildSecret], AfterValidator(_secrets)] = Field(
        default_factory=dict, description="secrets of the build by their id, for RUN --mount=type=secret; needs buildx"
    )
    cache_from: tuple[Annotated[str, AfterValidator(_cache)], ...] = Field(
        (), description="caches that the build may use, as `docker buildx build --cache-from` takes them"
    )
    cache_to: tuple[Annotated[str, AfterValidator(_cache)], ...] = Field(
        (), description="caches that the build writes, as `docker buildx build --cache-to` takes them"
    )
    labels: Annotated[dict[str, Word], AfterValidator(_labels)] = Field(
        default_factory=dict, description="labels of the image, beside or instead of those that it gets by itself"
    )


class ScanSettings(Section):
    """ECR's scan of the image, and what in it refuses the image."""

    fail_on: Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"] = Field(
        "CRITICAL", description="findings of this severity and of worse ones refuse the image"
    )
    within: Duration = Field(120.0, gt=0, description="time for the scan, from the push on")


class SignatureSettings(Section):
    """Who verifies the signature of the image, and by what: a key or an identity for cosign, notation has its own."""

    program: Literal["cosign", "notation"] = Field(..., description="looked for in the absolute folders of PATH")
    key: str = Field("", description="cosign: the public key, a file relative to the config file or the URI of a KMS")
    identity: str = Field("", description="cosign without a key: who signed, as the certificate names it")
    issuer: str = Field("", description="cosign without a key: the OIDC issuer of that identity")
    transparency_log: bool = Field(
        default=True, strict=True, description="cosign: false for signatures that are in no transparency log"
    )
    within: Duration = Field(60.0, gt=0, description="time for the program")

    @property
    def key_is_file(self) -> bool:
        """Whether the key is a file, and no URI."""
        return bool(self.key) and "://" not in self.key

    @model_validator(mode="after")
    def _one_way(self) -> SignatureSettings:
        if self.program == "notation":
            if self.key or self.identity or self.issuer or not self.transparency_log:
                raise ValueError("notation takes program and within only; its own trust policy says whom to trust")
            return self
        if bool(self.key) == bool(self.identity) or bool(self.identity) != bool(self.issuer):
            raise ValueError("cosign takes either a key, or an identity with its issuer")
        if "://" in self.key and "@" in self.key.partition("://")[2].partition("/")[0]:
            raise ValueError("a key's URI has no password in it: arguments of programs are public")
        return self


class ReleaseImageSettings(ImageSettings):
    """The image of the release: how it is built, and what it has to pass before it is deployed."""

    scan: ScanSettings | None = Field(None, description="wait for ECR's scan, and refuse what it finds; default: no")
    signature: SignatureSettings | None = Field(None, description="verify the image's signature; default: no")
