"""What a canary refuses as bad input before it touches anything: image, repository, definition, container."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecs_pipeline.engine.recorder import Recorder
from ecs_pipeline.errors import InvalidInput
from tests.fakes.ecs import FakeDefinitions
from tests.fakes.names import REGISTRY, digest_of
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (f"{REGISTRY}/web:gone", "ECR repository web has no image gone; push it first"),
        (f"{REGISTRY}/web@{digest_of('gone')}", f"ECR repository web has no image {digest_of('gone')}"),
        ("not an image", "is not an image reference"),
    ],
)
def test_an_image_that_there_is_not_is_bad_input(image: str, words: str) -> None:
    end = canary(start_of("P runs"), image=image)
    assert (end.code, end.writes) == (2, [])
    assert words in end.text


def test_a_repository_that_there_is_not_is_bad_input() -> None:
    end = canary(start_of("P runs"), settings={"image": {"repository": "gone"}})
    assert (end.code, end.writes) == (2, [])
    assert end.text.startswith("no ECR repository gone; ")


def test_a_wrong_id_is_bad_input_before_any_call() -> None:
    world = start_of("P runs")
    calls = len(world.log)
    end = canary(world, release="a b")
    assert (end.code, len(world.log)) == (2, calls)
    assert "is not a release id" in end.text


def test_without_a_dockerfile_nothing_is_touched() -> None:
    world = start_of("P runs")
    end = canary(world, release="A", settings={"image": {"repository": "web", "dockerfile": "gone"}})
    assert (end.code, end.writes) == (2, [])
    assert end.text.startswith("no Dockerfile ")
    assert "check image.context and image.dockerfile in the config" in end.text


def test_without_a_dockerfile_an_image_that_ecr_has_is_taken() -> None:
    world = start_of("P runs")
    world.images["A"] = digest_of("A")
    assert canary(world, release="A", settings={"image": {"repository": "web", "dockerfile": "gone"}}).code == 0


def test_a_percentage_that_asks_for_a_crowd_is_bad_input() -> None:
    end = canary(start_of("P runs"), release="A", settings={"canary": {"percent": 99.9}})
    assert (end.code, end.writes) == (2, [])
    assert end.text == (
        "canary.percent: 99.9 % beside 3 tasks of prd/web would be 2997 canary tasks; 100 are the most; lower it"
    )


APP = '"containerDefinitions": [{"name": "app", "portMappings": [{"containerPort": 8000}]}]'


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (None, "No such file or directory; check task_definition in the config"),
        ("{}", "not a task definition"),
        (
            '{"containerDefinitions": [{"image": "x"}]}',
            ":1: containerDefinitions.0: a container with a name is expected",
        ),
        ('{"containerDefinitions": ["app"]}', ":1: containerDefinitions.0: a container with a name is expected"),
        ('{"containerDefinitions": [{"name": "other"}]}', ": no container app, which the service's load balancer"),
        (f'{{{APP}, "cpu": 256}}', "Invalid type for parameter cpu; write it as"),
        (f'{{{APP}, "tags": [{{"Key": "a"}}]}}', "tags: each has a key and a value"),
        (f'{{{APP}, "cpuu": "256"}}', ":1: cpuu: no such member of a task definition"),
    ],
)
def test_a_wrong_task_definition_file_is_bad_input(tmp_path: Path, document: str | None, words: str) -> None:
    file = tmp_path / "taskdef.json"
    if document is not None:
        file.write_text(document)
    end = canary(start_of("P runs"), release="A", settings={"task_definition": str(file)})
    assert (end.code, end.writes) == (2, [])
    assert end.text.startswith(str(file))
    assert words in end.text


def test_what_a_file_says_and_aws_does_not_take_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "taskdef.json"
    container = {"name": "app", "portMappings": [{"containerPort": 8000}], "cpu": None}
    file.write_text(json.dumps({"containerDefinitions": [container]}))
    told: list[str] = []
    monkeypatch.setattr(Recorder, "progress", lambda _self, line: told.append(line))
    end = canary(start_of("P runs"), release="A", settings={"task_definition": str(file)})
    assert end.code == 0
    assert f"{file}: null and so left out: containerDefinitions.0.cpu" in told


def test_a_task_definition_that_only_ecs_finds_wrong_is_bad_input_and_the_release_did_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "taskdef.json"
    file.write_text(f'{{{APP}, "networkMode": "none"}}')

    def refuse(*_: object) -> None:
        raise InvalidInput("ECS does not take the task definition web: Fargate only supports awsvpc.")

    monkeypatch.setattr(FakeDefinitions, "register", refuse)
    world = start_of("P runs")
    end = canary(world, release="A", settings={"task_definition": str(file)})
    assert end.code == 2
    assert end.text == (
        f"{file}: ECS does not take the task definition web: Fargate only supports awsvpc.; correct the task definition"
    )
    assert world.marks() == start_of("P runs").marks()


def test_a_container_that_there_is_not_is_bad_input() -> None:
    end = canary(start_of("P runs"), settings={"container": "ap"})
    assert (end.code, end.text) == (2, "no container ap in the task definition (did you mean app?); use one of: app")


@pytest.mark.parametrize("image", ["r/web:v2\n", "r/web\r\n:v2", "r/web:v2\x1b[31m", "r/web:v2 ", "r/web:\u0662"])
def test_an_image_that_is_no_reference_is_told_before_aws_is_asked(image: str) -> None:
    world = start_of("P runs")
    asked = len(world.log)
    end = canary(world, release="B", image=image)
    assert (end.code, world.log[asked:]) == (2, [])
    assert end.text.isprintable()
