"""What `provision` refuses before it makes or removes anything."""

from __future__ import annotations

import shutil

import pytest

from embedded_aws.images import FOLDER
from tests.emulator.stages.provision_scene import write
from tests.emulator.stages.scene import Scene


@pytest.fixture
def environment(scene: Scene) -> Scene:
    """A project with an app and two sidecars, and a config for `provision`."""
    shutil.copytree(FOLDER / "app", scene.folder / "app")
    shutil.copytree(FOLDER / "sidecar", scene.folder / "sidecar")
    write(scene)
    return scene


@pytest.mark.parametrize(
    ("words", "parameters", "told"),
    [
        ((), {"Cpus": "1024"}, "provision.parameters.Cpus: the template has no such parameter (did you mean Cpu?)"),
        ((), {"DesiredCount": "many"}, "provision.parameters.DesiredCount: a number is expected"),
        (("--dry-run",), {"Cpu": "300"}, "provision.parameters.Cpu: one of 256, 512, "),
        (("--cluster", "my_cluster"), {}, "'my_cluster' cannot be the name of a stack"),
        (("--release", "a b"), {}, "'a b' is not a release id"),
        (("--image", "127.0.0.1:1/a:b@c"), {}, "is not an image reference"),
    ],
)
def test_a_mistake_is_told_before_anything_is_made(
    environment: Scene, words: tuple[str, ...], parameters: dict[str, str], told: str
) -> None:
    write(environment, **parameters)
    refuses(environment, told, *words)


def test_a_missing_dockerfile_is_told_before_anything_is_made(environment: Scene) -> None:
    shutil.rmtree(environment.folder / "sidecar")
    refuses(environment, "no Dockerfile")


def refuses(scene: Scene, told: str, *words: str) -> None:
    """It is bad input, and there is no stack."""
    wrong = scene.ecs_pipeline("provision", *words)
    assert wrong.code == 2, wrong.stderr
    assert told in wrong.stderr
    stacks = scene.client("cloudformation").list_stacks()["StackSummaries"]
    assert [
        stack for stack in stacks if stack["StackName"] == scene.name and stack["StackStatus"] != "DELETE_COMPLETE"
    ] == []


def test_a_live_canary_stands_in_the_way_of_a_removal(environment: Scene) -> None:
    scene = environment
    scene.ecs_pipeline("provision")
    scene.ecs_pipeline("canary", "--image", scene.images.uri("v2"), "--release", "v2")
    refused = scene.ecs_pipeline("provision", "--delete", "--confirm", scene.name)
    assert refused.code == 3
    assert "live canary" in refused.stderr
