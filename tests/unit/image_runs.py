"""The step `image` on a world whose engine is a list of what was asked of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ecs_pipeline.config.images import ImageSettings
from ecs_pipeline.engine.converge import converge
from ecs_pipeline.engine.run import Run
from ecs_pipeline.images.build import Build
from ecs_pipeline.model.release import Image, Repository
from ecs_pipeline.steps.image import BuiltImage
from ecs_pipeline.timing.wait import Deadline
from tests.fakes.images import FakeEngine
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.ports import new_run
from tests.fakes.world import World

WEB = Repository("web", f"{REGISTRY}/web")
DIGEST = digest_of("v1")


class Engine(FakeEngine):
    """Remembers what it built and pushed."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.built: list[Build] = []
        self.pushed: list[tuple[str, tuple[str, str]]] = []

    def build(self, build: Build, told: Any) -> None:
        super().build(build, told)
        self.built.append(build)

    def push(self, tag: str, login: tuple[str, str], told: Any) -> None:
        self.pushed.append((tag, login))
        super().push(tag, login, told)


def run_of(world: World) -> tuple[Run, Engine]:
    engine = Engine(world)
    return replace(new_run(world, "canary", ["image"]), engine=engine, folder=Path("/somewhere")), engine


def carried_out(step: Any, run: Run) -> Image:
    image: Image = converge(step, run, Deadline.after(run.clock, 60))
    return image


def building(run: Run, tag: str = "v1", platform: str = "linux/amd64", **settings: Any) -> BuiltImage:
    return BuiltImage(run, ImageSettings.model_validate(settings), WEB, tag, platform)
