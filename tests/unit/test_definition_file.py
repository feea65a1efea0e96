"""A task definition from a file: read as AWS' own commands write it, its mistakes told with their places."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.config.lookups import EnvironmentSource, Lookups
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.load_balancing import LoadBalancing
from ecs_pipeline.task_definitions import definition_file
from tests.unit.facts import GROUP

TOP = frozenset(("family", "containerDefinitions", "cpu", "memory", "networkMode", "taskDefinitionArn", "tags"))
CONTAINER = frozenset(("name", "image", "cpu", "environment", "portMappings", "restartPolicy", "dockerLabels"))

Read = Callable[[Any], dict[str, Any]]


def members(place: Sequence[str]) -> frozenset[str]:
    return {(): TOP, ("containerDefinitions",): CONTAINER}.get(tuple(place), frozenset())


def type_of(place: Sequence[str]) -> str:
    return "integer" if tuple(place) == ("containerDefinitions", "cpu") else "string"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a document, or a text, from a file."""
    file = tmp_path / "taskdef.json"

    def reading(document: Any) -> dict[str, Any]:
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return definition_file.read(file, members, type_of, Lookups(EnvironmentSource({"CPU": "256"})))

    return reading


def told(read: Read, document: Any) -> str:
    """What is said of it, without the folder."""
    with pytest.raises(InvalidInput) as caught:
        read(document)
    assert caught.value.exit_code == 2
    return str(caught.value).rpartition("/taskdef.json")[2]


def containers(*names: str, **more: Any) -> dict[str, Any]:
    return {"containerDefinitions": [{"name": name, "image": f"old/{name}", **more} for name in names]}


@pytest.mark.parametrize("indent", [None, 2, "\t"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_file_is_read_as_the_aws_command_writes_it(read: Read, *, indent: Any, wrapped: bool) -> None:
    document = {"family": "web", "cpu": None, **containers("app"), "taskDefinitionArn": "arn", "tags": []}
    document["containerDefinitions"][0] |= {"command": ["sh", "-c", "echo 'é😀\\ \" \n\t#: {}'"], "cpu": 0}
    assert read(json.dumps({"taskDefinition": document} if wrapped else document, indent=indent)) == document


def test_the_tags_that_are_described_beside_the_definition_are_its_own(read: Read) -> None:
    tags = [{"key": "team", "value": "lab"}]
    assert read({"taskDefinition": containers("app"), "tags": tags})["tags"] == tags


def test_yaml_with_comments_will_do(read: Read) -> None:
    assert read("# ours\ncontainerDefinitions:\n  - name: app  # the one\n") == {
        "containerDefinitions": [{"name": "app"}]
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '{\n "family": "web",\n "containerDefinition": [],\n "containerDefinitions": [{"name": "a"}]\n}',
            ":3: containerDefinition: no such member of a task definition (did you mean containerDefinitions?)",
        ),
        (
            '{"containerDefinitions": [\n{"name": "a"},\n{"name": "b",\n"portMapping": []}]}',
            ":4: containerDefinitions.1.portMapping: no such member of a task definition (did you mean portMappings?)",
        ),
        (
            '{"containerDefinitions": [{"name": "a", "Image": "x"}]}',
            ":1: containerDefinitions.0.Image: no such member of a task definition (did you mean image?)",
        ),
    ],
)
def test_a_member_that_is_misspelt_is_told_with_its_line(read: Read, text: str, line: str) -> None:
    assert told(read, text) == line


def test_members_that_aws_added_later_come_through_at_any_depth(read: Read) -> None:
    document = {
        "anotherThing": {"a": 1},
        **containers("app", restartPolicyV2={"b": [2]}, dockerLabels={"imag": "x", "Name": "y"}),
    }
    assert read(document) == document


@pytest.mark.parametrize("text", ["[]", '"x"', "{}", '{"containerDefinitions": {}}', "", '{"taskDefinition": []}'])
def test_a_file_that_is_no_task_definition_is_told(read: Read, text: str) -> None:
    assert told(read, text) == ": not a task definition; a JSON object with containerDefinitions is expected"


def test_a_broken_file_is_told_with_its_line(read: Read) -> None:
    assert told(read, '{\n"family": "web"\n"cpu": "1"}').startswith(":3: ")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([], ":1: containerDefinitions: there is no container; add one"),
        ([{"name": ""}], ":1: containerDefinitions.0: a container with a name is expected"),
        (["app"], ":1: containerDefinitions.0: a container with a name is expected"),
        (
            [{"name": "a"}, {"name": "a"}],
            ":1: containerDefinitions.1: there is a container a already; name it otherwise",
        ),
    ],
)
def test_containers_that_ecs_could_not_tell_apart_are_told(read: Read, given: list[Any], line: str) -> None:
    assert told(read, {"containerDefinitions": given}) == line


BEHIND = [LoadBalancing(GROUP, "app", 8000)]


@pytest.mark.parametrize("port", [{"containerPort": 8000}, {"containerPortRange": "7000-8000"}])
def test_what_the_load_balancer_finds_its_port_in_fits(port: dict[str, Any]) -> None:
    definition_file.refuse_unfit(containers("side", "app", portMappings=[port]), BEHIND)
    definition_file.refuse_unfit(containers("side"), [])


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (containers("web"), "no container app, which the service's load balancer sends requests to; name it so"),
        (containers("app"), "container app does not open port 8000, which the service's load balancer sends"),
        (containers("app", portMappings=[{"containerPort": 80}]), "container app does not open port 8000"),
        (containers("app", portMappings=[{"containerPortRange": "80-90"}]), "container app does not open port 8000"),
    ],
)
def test_what_the_load_balancer_would_not_find_is_told(document: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{words}"):
        definition_file.refuse_unfit(document, BEHIND)


def test_members_that_are_null_are_known_by_their_places() -> None:
    document: dict[str, Any] = {"cpu": None, "a": {"b": [1, None, {"c": None}]}, "d": 0, "e": "", "f": []}
    assert list(definition_file.nulls(document)) == ["cpu", "a.b.1", "a.b.2.c"]


def test_look_ups_are_filled_in_as_what_the_member_takes(read: Read) -> None:
    document = {**containers("app", cpu="${env:CPU}"), "cpu": "${env:CPU}", "memory": "$${env:CPU}"}
    filled = read(document)
    assert (filled["containerDefinitions"][0]["cpu"], filled["cpu"], filled["memory"]) == (256, "256", "${env:CPU}")


@pytest.mark.parametrize(
    ("member", "line"),
    [
        ('"cpu": "${env:CPUS}"', "CPUS is not set; set it, or give a default: ${env:CPUS:-…}"),
        ('"cpu": "${env:CPU} units"', "what ${env:CPU} units says is not a number, true or false"),
        (
            '"image": "${secret:db}"',
            "a secret may stand in `secrets`, `repository_credentials`, `headers` and `valueFrom`",
        ),
    ],
)
def test_a_look_up_that_fails_is_told_with_its_line(read: Read, member: str, line: str) -> None:
    text = f'{{"containerDefinitions": [\n{{"name": "app",\n{member}}}\n]}}'
    told_line = told(read, text)
    assert told_line.startswith(":3: containerDefinitions.0.")
    assert told_line.endswith(line)
