"""Every member of a task definition comes through a new revision: those of botocore's model, and later ones.

The answers come from a stub on loopback, for no local AWS takes every member; adapter and step are the real ones.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from ecs_pipeline.aws.task_definitions import TaskDefinitions
from ecs_pipeline.engine.converge import converge
from ecs_pipeline.engine.run import Origin, Run
from ecs_pipeline.model.release import Image, TaskDefinition
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.steps.revision import RevisionStep, base_of
from ecs_pipeline.timing.wait import Deadline
from tests.fakes.ports import new_run
from tests.fakes.world import World
from tests.unit.aws_stub import AwsStub, aws_stub, ok, session

ARN = "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/web"
IMAGE = Image("registry.example.com/web@sha256:" + "0a" * 32, "sha256:" + "0a" * 32)
TAGS = {"team": "lab", "aws:cloudformation:stack-name": "s", release_tags.RELEASE: "before"}

MODEL = botocore.session.Session().get_service_model("ecs")
DESCRIBED = MODEL.operation_model("DescribeTaskDefinition").output_shape.members["taskDefinition"]
REGISTERED = MODEL.operation_model("RegisterTaskDefinition").input_shape
READ_ONLY = {
    "compatibilities",
    "deleteRequestedAt",
    "deregisteredAt",
    "registeredAt",
    "registeredBy",
    "requiresAttributes",
    "revision",
    "status",
    "taskDefinitionArn",
}
MOST_VALUES = 15
"""The longest list of values that a member is limited to: so many documents show each of them."""


@dataclass
class Filler:
    """Gives a shape a value with every member, and with members that no model knows yet, at every depth."""

    variant: int
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def value(self, shape: Any) -> Any:
        """A value of any shape."""
        fill: Callable[[Any], Any] = getattr(self, shape.type_name)
        return fill(shape)

    def structure(self, shape: Any) -> dict[str, Any]:
        members = list(shape.members.items())
        if shape.is_tagged_union:
            members = [members[self.variant % len(members)]]
        document = {key: self.value(member) for key, member in members}
        return document if shape.is_tagged_union else {**document, **self._unknown()}

    def _unknown(self) -> dict[str, Any]:
        return {"addedLater": {"deep": [f"later {next(self._numbers)}", {"x": next(self._numbers)}], "off": False}}

    def list(self, shape: Any) -> Any:
        return [self.value(shape.member), self.value(shape.member)]

    def map(self, shape: Any) -> dict[str, Any]:
        return {f"Key {next(self._numbers)}": self.value(shape.value), "": self.value(shape.value)}

    def string(self, shape: Any) -> str:
        enum = getattr(shape, "enum", None)
        return str(enum[self.variant % len(enum)]) if enum else f"é text {next(self._numbers)}"

    def boolean(self, _shape: Any) -> bool:
        return next(self._numbers) % 2 == self.variant % 2

    def integer(self, _shape: Any) -> int:
        return next(self._numbers)

    def timestamp(self, _shape: Any) -> float:
        return 1_800_000_000.5


def described(variant: int = 0) -> dict[str, Any]:
    """A task definition as DescribeTaskDefinition would answer it."""
    document: dict[str, Any] = Filler(variant).value(DESCRIBED)
    document.update(taskDefinitionArn=f"{ARN}:1", family="web", revision=1, status="ACTIVE")
    for container, name in zip(document["containerDefinitions"], ("app", "proxy"), strict=True):
        container["name"] = name
    return document


def expected(document: dict[str, Any]) -> dict[str, Any]:
    """What has to be registered: all but read-only members, with another image of one container."""
    kept: dict[str, Any] = json.loads(
        json.dumps({key: member for key, member in document.items() if key not in READ_ONLY})
    )
    kept["containerDefinitions"][0]["image"] = IMAGE.reference
    return kept


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStub]:
    with aws_stub(monkeypatch) as stub:
        yield stub


def registered(
    aws: AwsStub, document: dict[str, Any], folder: Path, file: str = "", made: dict[str, Any] | None = None
) -> tuple[dict[str, Any], Run]:
    """Let the step make a revision of a definition; the body of its request, and the run.

    `made` is what AWS makes of it, when that is not just what it is given.
    """
    added = {"taskDefinitionArn": f"{ARN}:2", "status": "ACTIVE", "compatibilities": ["EC2"]}
    tags = [{"key": key, "value": value} for key, value in TAGS.items()]
    aws.on("DescribeTaskDefinition", ok({"taskDefinition": document, "tags": tags}))
    aws.on("ListTaskDefinitions", ok({"taskDefinitionArns": []}))
    aws.on("RegisterTaskDefinition", ok({"taskDefinition": {**(made or expected(document)), **added}}))
    run = new_run(World(), "canary", ["task-definition"], {"task_definition": file, "container": "app"})
    definitions = TaskDefinitions(session(run.clock).client("ecs"))
    run = replace(run, definitions=definitions, folder=folder, origin=Origin("c0ffee", build="https://ci/7/"))
    behind_nothing = replace(run.ecs.service(), load_balancing=())
    base = base_of(run, definitions.get(f"{ARN}:1"), behind_nothing, "app")
    step = RevisionStep(run, Fence(run.ecs, run.clock, run.ecs.service()), base, IMAGE, "r7", 0)
    result: TaskDefinition = converge(step, run, Deadline.after(run.clock, 60))
    assert result.revision.arn == f"{ARN}:2"
    (asked,) = aws.asked("RegisterTaskDefinition")
    return asked.json, run


def without_tags(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "tags"}


def test_the_members_that_are_left_out_are_those_that_only_a_description_has() -> None:
    assert set(DESCRIBED.members) - set(REGISTERED.members) == READ_ONLY
    assert set(REGISTERED.members) - set(DESCRIBED.members) == {"tags"}


@pytest.mark.parametrize("variant", range(MOST_VALUES))
def test_only_the_image_of_the_one_container_differs(aws: AwsStub, tmp_path: Path, variant: int) -> None:
    document = described(variant)
    body, run = registered(aws, document, tmp_path)
    assert without_tags(body) == expected(document)
    assert run.recorder.record.notes == []


def test_members_that_no_model_knows_are_there_at_every_depth(aws: AwsStub, tmp_path: Path) -> None:
    body, _ = registered(aws, described(), tmp_path)
    document = json.dumps(expected(described()))
    assert document.count('"addedLater"') > 50
    assert json.dumps(body).count('"addedLater"') == document.count('"addedLater"')


def test_tags_of_others_go_along_and_ours_are_those_of_this_release(aws: AwsStub, tmp_path: Path) -> None:
    body, _ = registered(aws, described(), tmp_path)
    assert {tag["key"]: tag["value"] for tag in body["tags"]} == {
        "team": "lab",
        "ecs-pipeline:release": "r7",
        "ecs-pipeline:turn": "0/",
        "ecs-pipeline:promoted": "",
        "ecs-pipeline:commit": "c0ffee",
        "ecs-pipeline:build": "https://ci/7/",
    }
    assert aws.asked("DescribeTaskDefinition")[0].json["include"] == ["TAGS"]


@pytest.mark.parametrize("whole", [True, False])
def test_a_file_that_was_described_is_registered_the_same(aws: AwsStub, tmp_path: Path, *, whole: bool) -> None:
    document = described()
    (tmp_path / "taskdef.json").write_text(json.dumps({"taskDefinition": document} if whole else document, indent=1))
    body, _ = registered(aws, document, tmp_path, "taskdef.json")
    assert without_tags(body) == expected(document)


def test_what_aws_did_not_keep_is_told_by_its_place(aws: AwsStub, tmp_path: Path) -> None:
    made = expected(described())
    del made["addedLater"]
    made["containerDefinitions"][1]["linuxParameters"]["initProcessEnabled"] ^= True
    _, run = registered(aws, described(), tmp_path, made=made)
    places = ("containerDefinitions[1].linuxParameters.initProcessEnabled", "addedLater")
    notes = [f"web:2: AWS did not keep {place} as it was given" for place in places]
    assert run.recorder.record.notes == notes
