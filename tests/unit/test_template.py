"""The template of an environment: the package's own reads well; what is wrong with another is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.stages.template import parse, read


def test_the_packages_own_takes_names_and_makes_a_service() -> None:
    template = read(Path(), "")
    assert {"ClusterName", "ServiceName", "Image"} <= set(template.parameters)
    assert "add     Service (AWS::ECS::Service)" in [str(one) for one in template.additions()]


def test_another_one_is_read_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(
        "Parameters: {A: {}}\nResources: {Topic: {Type: AWS::SNS::Topic, Name: !Ref A}}\n"
    )
    template = read(tmp_path, "own.yml")
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


@pytest.mark.parametrize(
    ("new", "parameters", "lines"),
    [
        (OLD, (), []),
        (OLD.replace('""', "''").replace("80}}", "'80'}}  # the same"), (), []),
        (OLD, ("Cpu",), ["modify  Definition (T)"]),
        (OLD, ("Name",), ["modify  Definition (T)"]),
        (OLD, ("Image",), ["modify  Service (S)"]),
        (OLD.replace("80", "81"), (), ["modify  Group (G)"]),
        (OLD.replace("!Not [!Equals", "!And [!Equals"), (), ["modify  Service (S)"]),
        (OLD.replace("Group:", "Other:"), (), ["remove  Group (G)", "add     Other (G)"]),
    ],
)
def test_what_another_template_or_other_parameters_may_change(
    new: str, parameters: tuple[str, ...], lines: list[str]
) -> None:
    changes = parse(new, "new").changes(parse(OLD, "old"), parameters)
    assert [str(one) for one in changes] == lines
