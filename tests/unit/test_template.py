"""The template of an environment: the package's own reads well; what is wrong with another is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.provision.template import parse, read


def test_the_packages_own_takes_names_and_makes_a_service() -> None:
    template = read(Path(), "")
    assert {"ClusterName", "ServiceName", "Image"} <= set(template.parameters)
    made = [str(change) for change in template.additions({**template.defaults, "Image": "app:1"})]
    assert "add     Service (AWS::ECS::Service)" in made
    assert not any("DeployRole" in change for change in made)
    assert template.packaged


def test_another_one_is_read_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(
        "Parameters: {A: {}}\nResources: {Topic: {Type: AWS::SNS::Topic, Name: !Ref A}}\n"
    )
    template = read(tmp_path, "own.yml")
    assert not template.packaged
    assert (template.parameters, template.resources) == (("A",), {"Topic": "AWS::SNS::Topic"})
    with pytest.raises(InvalidInput, match=r"^provision\.parameters\.B: the template has no such parameter; it has A$"):
        template.refuse_unknown({"A": 1, "B": 2})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "own.yml: No such file or directory; check provision.template"),
        (b"\xff", "own.yml: not UTF-8 text; check provision.template"),
        (b"a: [\n", "own.yml:2: expected the node content"),
        (b"- a\n", "own.yml: not a CloudFormation template; a map with Resources is expected"),
        (b"{}", "own.yml: not a CloudFormation template"),
    ],
)
def test_what_is_no_template_is_bad_input(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "own.yml").write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path, "own.yml")
    assert words in str(caught.value)


OLD = """
Parameters: {Cpu: {}, Name: {}, Image: {}}
Conditions: {Made: !Not [!Equals [!Ref Image, ""]]}
Resources:
  Definition: {Type: T, Properties: {Cpu: !Ref Cpu, Family: !Sub "${Name}-x"}}
  Service: {Type: S, Condition: Made, Properties: {Definition: !Ref Definition}}
  Group: {Type: G, Properties: {Port: 80}}
"""
MADE = '!Not [!Equals [!Ref Image, ""]]'
VALUES = {"Cpu": "256", "Name": "a", "Image": "one"}


@pytest.mark.parametrize(
    ("new", "values", "lines"),
    [
        (OLD, {}, []),
        (OLD.replace('""', "''").replace("80}}", "'80'}}  # the same"), {}, []),
        (OLD, {"Cpu": "512"}, ["modify  Definition (T)"]),
        (OLD, {"Name": "b"}, ["modify  Definition (T)"]),
        (OLD, {"Image": "two"}, ["modify  Service (S)"]),
        (OLD, {"Image": ""}, ["remove  Service (S)"]),
        (OLD.replace("80", "81"), {}, ["modify  Group (G)"]),
        (OLD.replace("!Not [!Equals", "!Or [!Condition Gone, !Equals"), {}, ["modify  Service (S)"]),
        (
            OLD.replace('!Not [!Equals [!Ref Image, ""]]', "{Fn::Equals: [{Ref: Image}, x]}"),
            {},
            ["remove  Service (S)"],
        ),
        (OLD.replace("Group:", "Other:"), {}, ["remove  Group (G)", "add     Other (G)"]),
    ],
)
def test_what_another_template_or_other_values_may_change(new: str, values: dict[str, str], lines: list[str]) -> None:
    changes = parse(new, "new").changes(parse(OLD, "old"), VALUES, {**VALUES, **values})
    assert [str(change) for change in changes] == lines


@pytest.mark.parametrize(
    ("condition", "there"),
    [
        ("!Equals [!Ref Image, one]", True),
        ("!And [!Condition Other, !Equals [!Ref Name, b]]", False),
        ("!Or [!Condition Other, !Equals [!Ref Name, b]]", True),
        ('!Equals [!Join ["", !Ref Listed], ""]', False),
        ("!Equals [!Ref AWS::Region, eu-west-1]", True),  # it may be: only AWS knows
        ("!Equals [!FindInMap [A, B, C], x]", True),
    ],
)
def test_a_resource_is_there_when_its_condition_holds_or_may_hold(condition: str, *, there: bool) -> None:
    conditions = f"Conditions: {{Made: {condition}, Other: !Equals [a, a]}}"
    template = parse(f"{conditions}\nResources: {{Thing: {{Type: T, Condition: Made}}}}\n", "own.yml")
    assert bool(template.additions({**VALUES, "Listed": "a,b"})) == there
