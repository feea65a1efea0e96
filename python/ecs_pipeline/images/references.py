"""Image references: `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`, as Docker writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.text import cut

DOCKER_HUB = "docker.io"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
"""The one kind that ECR and ECS take."""
HOST = re.compile(
    r"(?=.{1,260}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)
TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*")
LONGEST = 512
"""Characters of a whole reference."""
ECR_HOST = re.compile(
    r"([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)"
)


@dataclass(frozen=True)
class Reference:
    """An image reference in its parts; `tag` is `latest` when neither tag nor digest is given."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """REGISTRY/REPOSITORY."""
        return f"{self.registry}/{self.repository}"

    def pinned(self, digest: str) -> str:
        """The reference by digest."""
        return f"{self.name}@{digest}"

    @property
    def ecr(self) -> tuple[str, str] | None:
        """(account, region) when the registry is a private one of Amazon ECR."""
        found = ECR_HOST.fullmatch(self.registry)
        return (found[1], found[2]) if found else None


def checked_tag(text: str) -> str:
    """The tag as it is. Raises InvalidInput for what is none."""
    if not TAG.fullmatch(text):
        raise InvalidInput(
            f"{cut(text)!r} is not an image tag", cure="give the tag alone, or the whole image as --image"
        )
    return text


def parse(text: str) -> Reference:
    """The parts of a reference. Raises InvalidInput for what is none."""
    rest, _, digest = text.partition("@")
    head, slash, tail = rest.rpartition("/")
    path, _, tag = tail.partition(":")
    path = f"{head}{slash}{path}"
    first, slash, remainder = path.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, repository = first, remainder
    else:
        registry, repository = DOCKER_HUB, path
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    good = (
        len(text) <= LONGEST
        and HOST.fullmatch(registry)
        and REPOSITORY.fullmatch(repository)
        and (not tag or TAG.fullmatch(tag))
        and (not digest or DIGEST.fullmatch(digest))
    )
    if not good or (("@" in text) and not digest) or (":" in tail and not tag):
        raise InvalidInput(
            f"{cut(text)!r} is not an image reference", cure="write REGISTRY/REPOSITORY:TAG or …@sha256:…"
        )
    return Reference(registry, repository, tag if tag or digest else "latest", digest)
