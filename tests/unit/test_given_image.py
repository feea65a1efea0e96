"""An image that is given: never built, never tagged, pinned by its digest."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.errors import InvalidInput, PipelineError, Trouble
from ecs_pipeline.images import registry
from ecs_pipeline.model.release import EcrRegistry, Image, Repository
from ecs_pipeline.ports import OWN_REGISTRY
from ecs_pipeline.steps import image as images
from ecs_pipeline.steps.image import GivenImage
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.world import World
from tests.unit.image_runs import DIGEST, carried_out, run_of
from tests.unit.stage_runs import canary


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


def denied(_name: str, _registry: EcrRegistry = OWN_REGISTRY) -> Repository:
    raise Trouble("ecr:DescribeRepositories: AccessDenied")


def test_an_image_that_only_ecr_may_know_is_trouble_without_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = run_of(World())
    monkeypatch.setattr(run.repositories, "repository", denied)
    with pytest.raises(Trouble, match="AccessDenied"):
        images.given(run, "registry.invalid/app:v1")


@pytest.mark.parametrize("error", [InvalidInput("image docker.io/library/demo-v5:latest: no such image"), Trouble("x")])
def test_an_image_without_a_registry_says_that_docker_hub_was_asked(
    error: PipelineError, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = run_of(World())

    def refuse(*_: Any) -> str:
        raise error

    monkeypatch.setattr(registry, "digest_of", refuse)
    said = str(error)
    with pytest.raises(type(error)) as caught:
        images.given(run, "demo-v5")
    assert str(caught.value) == (
        f"{said} (Docker Hub was asked, as demo-v5 names no registry); "
        "write REGISTRY/REPOSITORY:TAG, or give a tag of the service's own repository as `canary --tag`"
    )
    error.message = "no"
    with pytest.raises(type(error), match=r"^no;"):
        images.given(run, "registry.invalid/demo:v5")


def test_a_tag_is_one_of_the_repository_that_the_service_uses() -> None:
    world = World(images={"v1": DIGEST, "v5": digest_of("v5")})
    end = canary(world, tag="v5")
    assert end.code == 0, end.text
    assert end.run.recorder.record.release.image == f"{REGISTRY}/web@{digest_of('v5')}"
    assert "ECR repository web has no image v6" in canary(World(), tag="v6").text


def test_what_is_no_tag_is_told_before_aws_is_asked() -> None:
    world = World()
    end = canary(world, tag="web:v5")
    assert (end.code, world.log) == (2, [])
    assert end.text == "'web:v5' is not an image tag; give the tag alone, or the whole image as --image"


def test_a_given_image_that_ecr_does_not_have_is_bad_input() -> None:
    run, _ = run_of(World())
    with pytest.raises(InvalidInput, match="ECR repository web has no image v9; push it first"):
        images.given(run, f"{REGISTRY}/web:v9")
