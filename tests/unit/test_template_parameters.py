"""Values of a template's parameters: what they may not be is told by its place in the config, without the value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.provision import template_parameters
from ecs_pipeline.provision.template import read

OURS = read(Path(), "").body["Parameters"]
NAMES = {"ClusterName": "prd", "ServiceName": "web", "RepositoryName": "shop/web", "VpcId": "vpc-1", "SubnetIds": "a,b"}


def told(definitions: Any, given: dict[str, str], kept: tuple[str, ...] = ()) -> str:
    with pytest.raises(InvalidInput) as caught:
        template_parameters.refuse(definitions, given, kept)
    assert "hunter2" not in str(caught.value)
    return str(caught.value)


def test_good_values_and_those_that_the_stack_has_will_do() -> None:
    template_parameters.refuse(OURS, {**NAMES, "Cpu": "1024", "DesiredCount": "0", "HealthCheckPath": "/"}, ())
    template_parameters.refuse(OURS, {"ClusterName": "prd"}, tuple(NAMES))


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("ClusterName", "my_cluster", "cluster: up to 32 letters, digits and hyphens, for the load balancer"),
        ("ClusterName", 33 * "a", "cluster: up to 32 letters"),
        ("RepositoryName", "Web", "image.repository: small letters and digits"),
        ("RepositoryName", "w", "image.repository: 2 to 248 characters are expected"),
        ("Cpu", "hunter2", "provision.parameters.Cpu: one of 256, 512, 1024"),
        ("DesiredCount", "hunter2", "provision.parameters.DesiredCount: a number is expected"),
        ("DesiredCount", "-1", "provision.parameters.DesiredCount: a number of 0 or more is expected"),
        ("DeregistrationDelay", "3601", "provision.parameters.DeregistrationDelay: a number of 3600 or less is"),
        ("HealthCheckPath", "health", "provision.parameters.HealthCheckPath: a path that begins with a slash"),
    ],
)
def test_a_value_that_a_parameter_does_not_take_is_told(key: str, value: str, line: str) -> None:
    assert told(OURS, {**NAMES, key: value}).startswith(line)


def test_a_value_that_is_missing_is_told() -> None:
    assert (
        told(OURS, {"ClusterName": "prd"})
        == "service: it has no default; ServiceName of the template takes it from there"
    )


def test_a_pattern_that_only_cloudformation_understands_is_left_to_it() -> None:
    template_parameters.refuse({"A": {"Type": "String", "AllowedPattern": "\\p{Alpha}++["}}, {"A": "1"}, ())
    assert told({"A": {"AllowedPattern": "[a-z]+"}}, {"A": "1"}).startswith(
        "provision.parameters.A: text that matches [a-z]+ is expected"
    )


@pytest.mark.parametrize("name", ["my_cluster", "1st", "", 129 * "a"])
def test_what_cannot_be_a_stacks_name_is_told(name: str) -> None:
    template_parameters.refuse_name("sample-app-prd")
    with pytest.raises(InvalidInput, match="cannot be the name of a stack"):
        template_parameters.refuse_name(name)
