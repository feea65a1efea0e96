"""The image: taken when the registry has it, else built and pushed; a given one is never built or tagged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.converge import converge
from ecs_pipeline.docker_engine import Build
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.model import Image, Repository
from ecs_pipeline.run import Run
from ecs_pipeline.settings import ImageSettings
from ecs_pipeline.steps import image as images
from ecs_pipeline.steps.image import BuiltImage, GivenImage, platform_of
from ecs_pipeline.wait import Deadline
from tests.fakes.ports import FakeEngine, new_run
from tests.fakes.world import REGISTRY, World, digest_of

WEB = Repository("web", f"{REGISTRY}/web")
DIGEST = digest_of("v1")


class Engine(FakeEngine):
    """Remembers what it built and pushed."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.built: list[Build] = []
        self.pushed: list[tuple[str, tuple[str, str]]] = []

    def build(self, build: Build, told: Any) -> None:
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


def test_an_image_of_that_tag_is_taken_and_pinned_by_digest() -> None:
    world = World(images={"v1": DIGEST})
    run, engine = run_of(world)
    image = carried_out(building(run), run)
    assert image == Image(f"{REGISTRY}/web@{DIGEST}", DIGEST)
    assert (engine.built, engine.pushed) == ([], [])
    assert not run.recorder.record.changed


def test_else_it_is_built_from_the_config_and_pushed_under_the_tag() -> None:
    run, engine = run_of(World())
    step = building(run, context="app", dockerfile="Dockerfile.prd", build_args={"A": "1", "B": None})
    assert carried_out(step, run).reference == f"{REGISTRY}/web@{DIGEST}"
    tag = f"{REGISTRY}/web:v1"
    assert engine.built == [Build(Path("/somewhere/app"), "Dockerfile.prd", {"A": "1", "B": None}, "linux/amd64", tag)]
    assert engine.pushed == [(tag, ("AWS", "password"))]
    assert run.recorder.record.changed


def test_the_platform_of_the_config_goes_before_that_of_the_task_definition() -> None:
    run, engine = run_of(World())
    carried_out(building(run, platform="linux/amd64"), run)
    run, engine = run_of(World())
    step = BuiltImage(run, ImageSettings.model_validate({"platform": "linux/arm64"}), WEB, "v1", "linux/amd64")
    carried_out(step, run)
    assert engine.built[0].platform == "linux/arm64"


@pytest.mark.parametrize(
    ("definition", "platform"),
    [
        ({}, "linux/amd64"),
        ({"runtimePlatform": None}, "linux/amd64"),
        ({"runtimePlatform": {"cpuArchitecture": "X86_64"}}, "linux/amd64"),
        ({"runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}}, "linux/arm64"),
    ],
)
def test_it_is_built_for_what_the_tasks_run_on(definition: dict[str, Any], platform: str) -> None:
    assert platform_of(definition) == platform


def test_an_image_that_ecr_lists_late_is_waited_for() -> None:
    world = World()
    run, engine = run_of(world)
    shown_from = world.now + 3
    listed = run.repositories.digest
    lagging = replace_method(run.repositories, lambda *a, **k: listed(*a, **k) if world.now >= shown_from else "")
    assert carried_out(building(replace(run, repositories=lagging)), run).digest == DIGEST
    assert len(engine.pushed) == 1


def replace_method(repositories: Any, digest: Any) -> Any:
    """The repositories with another way to tell a digest."""
    repositories.digest = digest
    return repositories


def test_a_given_image_is_neither_built_nor_pushed() -> None:
    run, engine = run_of(World())
    image = Image("r/web@sha256:1", "sha256:1")
    assert carried_out(GivenImage(image), run) == image
    assert (engine.built, engine.pushed) == ([], [])


@pytest.mark.parametrize("text", [f"{REGISTRY}/web:v1", f"{REGISTRY}/web@{DIGEST}", f"{REGISTRY}/web:v1@{DIGEST}"])
def test_a_given_image_of_ecr_is_pinned_by_what_ecr_says(text: str) -> None:
    run, _ = run_of(World(images={"v1": DIGEST, DIGEST: DIGEST}))
    assert images.given(run, text) == Image(f"{REGISTRY}/web@{DIGEST}", DIGEST)


def test_a_given_image_of_another_registry_is_taken_by_its_digest_without_asking() -> None:
    run, _ = run_of(World())
    text = f"registry.invalid/team/app@{DIGEST}"
    assert images.given(run, text) == Image(text, DIGEST)


def test_ecr_without_permission_does_not_keep_another_registrys_image_out(monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = run_of(World())

    monkeypatch.setattr(run.repositories, "repository", denied)
    assert images.given(run, f"registry.invalid/app@{DIGEST}").digest == DIGEST


def denied(_name: str) -> Repository:
    raise Trouble("ecr:DescribeRepositories: AccessDenied")


def test_an_image_that_only_ecr_may_know_is_trouble_without_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = run_of(World())
    monkeypatch.setattr(run.repositories, "repository", denied)
    with pytest.raises(Trouble, match="AccessDenied"):
        images.given(run, "registry.invalid/app:v1")


def test_a_given_image_that_ecr_does_not_have_is_bad_input() -> None:
    run, _ = run_of(World())
    with pytest.raises(InvalidInput, match="ECR repository web has no image v9; push it first"):
        images.given(run, f"{REGISTRY}/web:v9")
