"""The ports of images on a World: repositories, scans, and the engine that builds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ecs_pipeline.images.build import Build
from ecs_pipeline.model.image_scan import ImageScan
from ecs_pipeline.model.release import EcrRegistry, Repository
from ecs_pipeline.ports import OWN_REGISTRY
from tests.fakes.names import REGISTRY, SERVICE, digest_of
from tests.fakes.world import World


class FakeRepositories:
    """RepositoryPort: tags are versions, so that a digest tells which."""

    def __init__(self, world: World) -> None:
        self.world = world

    def repository(self, name: str, registry: EcrRegistry = OWN_REGISTRY) -> Repository | None:
        return Repository(name, f"{REGISTRY}/{name}", registry) if name == SERVICE else None

    def digest(self, repository: str, *, tag: str = "", digest: str = "", registry: EcrRegistry = OWN_REGISTRY) -> str:
        def found() -> str:
            known = {**self.world.images, **{image: image for image in self.world.images.values()}}
            return known.get(digest or tag, "")

        return self.world.call("DescribeImages", found, write=False)

    def labels(
        self, repository: str, digest: str, platform: str, registry: EcrRegistry = OWN_REGISTRY
    ) -> Mapping[str, str]:
        self.world.call("BatchGetImage", lambda: None, write=False)
        return self.world.call("GetDownloadUrlForLayer", lambda: self.world.labels.get(digest, {}), write=False)

    def platforms(self, repository: str, digest: str, registry: EcrRegistry = OWN_REGISTRY) -> list[str]:
        return self.world.call("BatchGetImage", lambda: self.world.platforms.get(digest, []), write=False)

    def credentials(self, registry: EcrRegistry = OWN_REGISTRY) -> tuple[str, str]:
        return "AWS", "password"


class FakeScans:
    """ScansPort: the scans that a test lined up, the last one is repeated."""

    def __init__(self, world: World) -> None:
        self.world = world

    def scanned(self, repository: Repository, digest: str, platform: str) -> str:
        return digest

    def scan(self, repository: Repository, digest: str) -> ImageScan | None:
        scans = self.world.image_scans

        def next_scan() -> ImageScan | None:
            return scans.pop(0) if len(scans) > 1 else scans[0]

        return self.world.call("DescribeImageScanFindings", next_scan, write=False)


class FakeEngine:
    """EnginePort: the version that is built is the release's tag."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.labels: Mapping[str, str] = {}

    def has_dockerfile(self, context: Path, dockerfile: str) -> bool:
        return dockerfile != "gone"

    def has_buildx(self) -> bool:
        return self.world.has_buildx

    def problem(self) -> str:
        return self.world.engine_problem

    def build(self, build: Build, told: Callable[[str], None]) -> None:
        self.labels = build.labels
        told("built")

    def push(self, tag: str, login: tuple[str, str], told: Callable[[str], None]) -> None:
        name = tag.rpartition(":")[2]
        self.world.images[name] = digest_of(name)
        self.world.labels[digest_of(name)] = self.labels
