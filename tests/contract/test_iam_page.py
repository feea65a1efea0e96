"""The policies of docs/iam.md allow the AWS operations that the package calls: none is missing, none is too much."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

import ecs_pipeline

PACKAGE = Path(ecs_pipeline.__file__).parent
ROOT = PACKAGE.parents[1]
PAGE = (ROOT / "docs" / "iam.md").read_text(encoding="utf-8")
TEMPLATE = (ROOT / "resources" / "ecs_pipeline" / "environment.yml").read_text(encoding="utf-8")

PREFIXES = {"elbv2": "elasticloadbalancing"}
"""IAM's prefix of a service where it is not boto3's name (Service Authorization Reference)."""

PROVISION_ONLY = {"cloudformation", "ec2"}
"""Modules of aws/ that no other command uses."""

CALLS = {"call", "_call", "pages", "_pages"}
"""Functions whose first argument is an operation's name."""

DELEGATES = {"pages", "_call", "_pages"}
"""Those that hand on an operation that was given to them."""

PUSHED_BY_THE_ENGINE = {
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
}
"""What Docker's push needs: Amazon ECR User Guide, "IAM permissions for pushing an image"."""

PASSED_TO_TASKS = {"iam:PassRole"}
"""What RegisterTaskDefinition and RunTask ask for beside themselves: Service Authorization Reference, Amazon ECS."""

CURE = "change the statement in docs/iam.md: the least resources and conditions that AWS offers for it"


def policies() -> list[dict[str, Any]]:
    """The policies of the page, in its order: the stages', the one to assume a role, provision's."""
    return [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


STAGES, ASSUME, PROVISION = policies()


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allowed(policy: dict[str, Any]) -> set[str]:
    return {action for one in policy["Statement"] for action in as_list(one["Action"])}


def operations(module: Path) -> Iterator[str]:
    """The operations that a module calls; one whose name is not written down where it is called fails the test."""
    for function in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value
                elif isinstance(first, ast.Name) and first.id == "operation":
                    assert function.name in DELEGATES, f"{module}: {function.name} hides its operation"


def services() -> dict[str, set[str]]:
    """The operations of each service that the package makes a client of, by boto3's name."""
    text = "\n".join(one.read_text(encoding="utf-8") for one in PACKAGE.rglob("*.py"))
    session = botocore.session.Session()
    return {
        one: set(session.get_service_model(one).operation_names) for one in set(re.findall(r'client\("(\w+)"', text))
    }


def called(*, provision: bool) -> set[str]:
    """The IAM actions of the operations that the stages call, or those that provision alone calls.

    A module of aws/ speaks to one service: the one that has all of its operations.
    """
    known = services()
    found = set()
    for module in (PACKAGE / "aws").glob("*.py"):
        its = set(operations(module))
        if its and (module.stem in PROVISION_ONLY) == provision:
            [service] = [name for name, all_of_it in known.items() if its <= all_of_it]
            found |= {f"{PREFIXES.get(service, service)}:{operation}" for operation in its}
    return found


def test_the_stages_policy_allows_what_the_package_calls_and_no_more() -> None:
    needed = called(provision=False) | PUSHED_BY_THE_ENGINE | PASSED_TO_TASKS
    assert len(needed) > 20
    assert sorted(needed - allowed(STAGES)) == [], f"called, but not allowed; {CURE}"
    assert sorted(allowed(STAGES) - needed) == [], f"allowed, but not called; {CURE}"


def test_provision_s_policy_allows_what_provision_calls_itself() -> None:
    direct = {
        action
        for one in PROVISION["Statement"]
        if one["Sid"] in ("ChangeTheStack", "FindTheDefaultNetwork")
        for action in as_list(one["Action"])
    }
    assert direct == called(provision=True), CURE


def test_provision_s_policy_speaks_of_each_service_that_the_template_has_resources_of() -> None:
    types = set(re.findall(r"^ {4}Type: AWS::(\w+)::\w+$", TEMPLATE, re.MULTILINE)) - {"SSM"}
    others = {"ChangeTheStack", "FindTheDefaultNetwork", "PassTheTasksRoles", "ReadWhatTheyAre"}
    assert types == {one["Sid"] for one in PROVISION["Statement"]} - others - {
        "RolesThatTheseServicesHaveInEveryAccount"
    }


def test_only_calls_of_cloudformation_may_make_or_delete_what_the_template_has() -> None:
    of_cloudformation = {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}
    for one in PROVISION["Statement"]:
        if any(re.search(r":(Create|Delete|Put|Register|Update)", action) for action in as_list(one["Action"])):
            named = one["Resource"] != "*" and "iam:AWSServiceName" in json.dumps(one)
            assert one["Sid"] == "ChangeTheStack" or named or one["Condition"] == of_cloudformation, one["Sid"]


def test_reading_statements_write_nothing() -> None:
    for one in STAGES["Statement"]:
        if one["Sid"].startswith("Read"):
            assert all(
                re.match(r"\w+:(BatchGet|Describe|Filter|Get|List)", action) for action in as_list(one["Action"])
            ), one


@pytest.mark.parametrize("policy", [STAGES, ASSUME, PROVISION], ids=["stages", "assume", "provision"])
def test_every_action_is_an_operation_of_its_service(policy: dict[str, Any]) -> None:
    session = botocore.session.Session()
    names = {PREFIXES.get(one, one): one for one in session.get_available_services()}
    for action in allowed(policy) - PASSED_TO_TASKS:
        prefix, operation = action.split(":")
        assert operation in session.get_service_model(names[prefix]).operation_names, action


@pytest.mark.parametrize("policy", [STAGES, ASSUME, PROVISION], ids=["stages", "assume", "provision"])
def test_a_policy_fits_into_a_managed_policy(policy: dict[str, Any]) -> None:
    assert len(re.sub(r"\s", "", json.dumps(policy))) <= 6144  # IAM User Guide, "IAM and AWS STS quotas"


def test_every_write_names_its_resource_where_aws_lets_it() -> None:
    everywhere = {
        action
        for one in STAGES["Statement"]
        if one["Resource"] == "*" and "Condition" not in one
        for action in as_list(one["Action"])
    }
    without_resources = {
        "cloudwatch:DescribeAlarms",  # it has, but "composite alarms … scoped to *" (CloudWatch API Reference)
        "cloudwatch:GetMetricData",
        "ecr:GetAuthorizationToken",
        "ecs:DeregisterTaskDefinition",
        "ecs:DescribeTaskDefinition",
        "ecs:ListTaskDefinitions",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
    }
    assert everywhere <= without_resources
