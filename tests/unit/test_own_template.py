"""Provision with a template of the user's own: what CloudFormation would not take, and whether an image is wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.provision.template import MOST_BYTES, Template, parse
from tests.unit.provision_world import Account, provision

BUCKET = {"Bucket": {"Type": "AWS::S3::Bucket"}}
ROLE = {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "deploy"}}}


def template(resources: Mapping[str, Any] = BUCKET, **more: Any) -> Template:
    return parse(json.dumps({"Resources": resources, **more}), "own.json")


def test_a_template_that_is_too_large_is_told_before_anything() -> None:
    large = parse(f"# {60_000 * 'x'}\nResources:\n  Bucket: {{Type: 'AWS::S3::Bucket'}}\n", "own.yml")
    with pytest.raises(InvalidInput, match=r"^own.yml: 60,\d\d\d bytes; CloudFormation takes templates of 51,200"):
        large.refuse_unfit(["CAPABILITY_IAM"])
    fits = "Resources: {B: {Type: T}} #"
    parse(fits + (MOST_BYTES - len(fits)) * "x", "own.yml").refuse_unfit([])
    with pytest.raises(InvalidInput, match="51,201 bytes"):
        parse(fits + (MOST_BYTES - len(fits) - 1) * "x" + "é", "own.yml").refuse_unfit([])


@pytest.mark.parametrize(
    ("made", "capability", "why"),
    [
        (template(ROLE), "CAPABILITY_NAMED_IAM", "Role (AWS::IAM::Role) has a name of its own"),
        (
            template({"P": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": {"Ref": "X"}}}}),
            "CAPABILITY_NAMED_IAM",
            "P (AWS::IAM::ManagedPolicy) has a name of its own",
        ),
        (template(Transform="AWS::Serverless-2016-10-31"), "CAPABILITY_AUTO_EXPAND", "it uses a macro (Transform)"),
        (
            template({"B": {"Type": "T", "Properties": {"Fn::Transform": {"Name": "M"}}}}),
            "CAPABILITY_AUTO_EXPAND",
            "it uses a macro (Transform)",
        ),
    ],
)
def test_a_capability_that_is_missing_is_told_with_the_key_to_set(made: Template, capability: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        made.refuse_unfit(["CAPABILITY_IAM"])
    allowed = ", ".join(sorted(["CAPABILITY_IAM", capability]))
    assert str(caught.value) == (
        f"own.json: {why}, so CloudFormation wants {capability}; allow it: `provision: {{capabilities: [{allowed}]}}`"
    )
    made.refuse_unfit(["CAPABILITY_IAM", capability])


@pytest.mark.parametrize("resources", [BUCKET, {"R": {"Type": "AWS::IAM::Role"}}, {"R": None}, {"R": []}, {"R": "x"}])
def test_a_template_without_them_needs_none(resources: dict[str, Any]) -> None:
    template(resources).refuse_unfit(["CAPABILITY_IAM"])


OWN = "Parameters: {VpcId: {Type: String}}\nResources: {Bucket: {Type: 'AWS::S3::Bucket'}}\n"


def own(folder: Path, text: str = OWN) -> str:
    """The path of a template with this text."""
    path = folder / "own.yml"
    path.write_text(text)
    return str(path)


def test_a_template_that_takes_no_image_wants_none(tmp_path: Path) -> None:
    """There is no Dockerfile, and no parameter Image."""
    account = Account()
    assert provision(account, template=own(tmp_path), parameters={"VpcId": "vpc-1"}).code == 0
    assert account.given == [{"VpcId": "vpc-1"}]
    assert provision(account, template=own(tmp_path), parameters={"VpcId": "vpc-2"}, dry_run=True).code == 0
    assert len(account.given) == 1


def test_an_image_for_it_is_bad_input(tmp_path: Path) -> None:
    end = provision(Account(), template=own(tmp_path), image="nginx:1")
    assert (end.code, "own.yml has no parameter Image; leave --image out" in end.text) == (2, True)


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    "text",
    [OWN + f"# {60_000 * 'x'}\n", OWN + "Transform: AWS::Serverless-2016-10-31\n"],
)
def test_what_cloudformation_would_not_take_is_told_before_aws_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, *, dry_run: bool
) -> None:
    monkeypatch.setattr(Account, "stack", lambda _self: pytest.fail("AWS was asked"))
    assert provision(Account(), template=own(tmp_path, text), dry_run=dry_run).code == 2
