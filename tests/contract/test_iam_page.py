"""The policies of docs/iam.md allow the AWS operations that the package calls: none is missing, none is too much."""

from __future__ import annotations

import json
import re
from typing import Any

import botocore.session
import pytest

from ecs_pipeline.config.lookups import BY_TEXT, CFN, SECRET, SSM, Lookup
from ecs_pipeline.policy.filled import TOLD_BY_VALIDATE, lookup_statements, task_secret_statements
from ecs_pipeline.policy.statements import (
    HOLD_STATEMENTS,
    PRUNE_STATEMENTS,
    QUOTA_STATEMENTS,
    SCAN_STATEMENTS,
    STATEMENTS,
    VERSION,
)
from ecs_pipeline.protocol import release_tags
from tests.contract.iam_page import (
    ALL,
    ASKING,
    ASKS_OF_THE_CALLER,
    CURE,
    EVERYBODY_ELSE,
    HOLD,
    HOLD_ONLY,
    LOOK_UPS,
    LOOKS_UP,
    NOT_USED,
    OF_THE_STAGES,
    PACKAGE,
    PASSED_TO_TASKS,
    PREFIXES,
    PROVISION,
    PROVISION_ONLY,
    PRUNE,
    PRUNE_ONLY,
    PUSHED_BY_THE_ENGINE,
    QUOTAS_ONLY,
    SCANS,
    SCANS_ONLY,
    STAGES,
    TEMPLATE,
    UNRELATED,
    WHOLE_CLUSTER,
    allowed,
    as_list,
    called,
    deploy_role,
    handled,
    operations,
    sorted_lists,
)


def test_the_stages_policy_is_the_one_that_the_package_prints() -> None:
    source = json.loads(json.dumps({"Version": VERSION, "Statement": STATEMENTS}))
    assert source == STAGES, "docs/iam.md and python/ecs_pipeline/policy/statements.py differ: make them alike"


def test_the_stages_policy_allows_what_the_package_calls_and_no_more() -> None:
    needed = called(OF_THE_STAGES) | PUSHED_BY_THE_ENGINE | PASSED_TO_TASKS
    assert len(needed) > 20
    assert sorted(needed - allowed(STAGES)) == [], f"called, but not allowed; {CURE}"
    assert sorted(allowed(STAGES) - needed) == [], f"allowed, but not called; {CURE}"


def test_the_policy_of_look_ups_allows_what_they_call_and_is_what_policy_prints() -> None:
    words = {SSM: "PARAMETER", CFN: "STACK.Output", SECRET: "SECRET", BY_TEXT: "SECRET"}
    lookups = [Lookup(kind, name) for kind, name in words.items()]
    printed = list(lookup_statements(lookups, "aws", "REGION", "ACCOUNT"))
    assert [{**statement, "Resource": [statement["Resource"]]} for statement in LOOK_UPS["Statement"]] == printed
    called_there = {operation for name in LOOKS_UP for operation in operations(PACKAGE / "aws" / f"{name}.py")}
    assert {action.partition(":")[2] for action in allowed(LOOK_UPS)} == {*called_there, "DescribeStacks"}


def test_the_policy_of_a_held_autoscaling_is_the_one_that_the_package_prints() -> None:
    assert json.loads(json.dumps({"Version": VERSION, "Statement": HOLD_STATEMENTS})) == HOLD


def test_the_policy_of_a_held_autoscaling_allows_what_it_calls_and_no_more() -> None:
    assert called(HOLD_ONLY) == allowed(HOLD), CURE


def test_the_policy_of_scans_is_the_one_that_the_package_prints() -> None:
    assert json.loads(json.dumps({"Version": VERSION, "Statement": SCAN_STATEMENTS})) == SCANS


def test_the_policy_of_scans_allows_what_they_call_beside_the_stages_and_no_more() -> None:
    assert called(SCANS_ONLY) - allowed(STAGES) == allowed(SCANS), CURE


def test_prune_s_policy_is_the_one_that_the_package_prints() -> None:
    assert json.loads(json.dumps({"Version": VERSION, "Statement": PRUNE_STATEMENTS})) == PRUNE


def test_prune_s_policy_allows_what_prune_calls_beside_the_stages_and_no_more() -> None:
    needed = called(PRUNE_ONLY | WHOLE_CLUSTER)
    assert "ecr:BatchDeleteImage" in needed
    assert sorted(needed - allowed(STAGES) - allowed(PRUNE)) == [], f"called, but not allowed; {CURE}"
    assert sorted(allowed(PRUNE) - needed) == [], f"allowed, but not called; {CURE}"


def test_what_validate_asks_of_iam_has_a_policy_of_its_own() -> None:
    called_there = {name for module in ASKS_OF_THE_CALLER for name in operations(PACKAGE / "aws" / f"{module}.py")}
    asked = {f"iam:{name}" for name in called_there - {"GetCallerIdentity"}}
    assert asked == allowed({"Statement": ASKING["Statement"][:1]}), CURE


def test_what_validate_needs_to_find_quotas_is_allowed_and_no_more() -> None:
    assert called(QUOTAS_ONLY) | {"cloudwatch:GetMetricData"} == allowed({"Statement": QUOTA_STATEMENTS}), CURE


def test_the_policy_of_what_validate_finds_is_what_policy_prints_for_it() -> None:
    named = ["arn:aws:secretsmanager:REGION:ACCOUNT:secret:TASK-SECRET:MEMBER::", "/TASK-PARAMETER"]
    printed = [
        *json.loads(json.dumps(QUOTA_STATEMENTS)),
        *task_secret_statements(named, "aws", "REGION", "ACCOUNT"),
    ]
    for statement in printed:
        statement["Resource"] = as_list(statement["Resource"])
    on_page = [{**statement, "Resource": as_list(statement["Resource"])} for statement in ASKING["Statement"][1:]]
    assert on_page == printed
    assert {statement["Sid"] for statement in printed} == TOLD_BY_VALIDATE


def test_provision_s_policy_allows_what_provision_calls_itself() -> None:
    direct = {
        action
        for statement in PROVISION["Statement"]
        if statement["Sid"] in ("ChangeTheStack", "FindTheDefaultNetwork")
        for action in as_list(statement["Action"])
    }
    assert direct == called(PROVISION_ONLY), CURE


def test_provision_s_policy_allows_what_the_handlers_of_its_resources_call() -> None:
    needed = handled() - set(NOT_USED)
    assert len(needed) > 90
    assert sorted(needed - allowed(PROVISION)) == [], f"called by a handler, but not allowed; {CURE}"
    assert sorted(set(NOT_USED) - handled()) == [], "no handler calls it any more: take it out of NOT_USED"


@pytest.mark.parametrize(
    ("values", "more"),
    [
        ({}, []),
        ({"DeployReadsScans": "true"}, SCANS["Statement"]),
        ({"DeployHoldsAutoscaling": "true"}, HOLD["Statement"]),
        ({"DeployReadsScans": "true", "DeployHoldsAutoscaling": "true"}, [*SCANS["Statement"], *HOLD["Statement"]]),
    ],
)
def test_the_role_that_provision_makes_for_jenkins_has_the_stages_policy_and_what_the_config_asks_for(
    values: dict[str, str], more: list[Any]
) -> None:
    words = {
        "FAMILY": "CLUSTER",
        "LOG-GROUP": "/ecs/CLUSTER/*",
        "TARGET-GROUP": "TargetGroup.TargetGroupName",
        "arn:aws:iam::ACCOUNT:role/EXECUTION-ROLE": "ExecutionRole.Arn",
        "arn:aws:iam::ACCOUNT:role/TASK-ROLE": "TaskRole.Arn",
    }
    page = json.dumps([*STAGES["Statement"], *more])
    for word, in_template in words.items():
        page = page.replace(word, in_template)
    assert sorted_lists(deploy_role(**values).statements("DeployRole")) == sorted_lists(json.loads(page)), (
        "change DeployRole in resources/ecs_pipeline/environment.yml as docs/iam.md has it"
    )


def test_the_role_for_jenkins_has_no_other_policies() -> None:
    assert set(deploy_role()["DeployRole"]) == {"AssumeRolePolicyDocument", "Description", "Policies"}


def test_provision_s_policy_speaks_of_each_service_that_the_template_has_resources_of() -> None:
    types = set(re.findall(r"^ {4}Type: AWS::(\w+)::\w+$", TEMPLATE, re.MULTILINE)) - {"SSM"}
    others = {"ChangeTheStack", "FindTheDefaultNetwork", "PassRoles", "ReadWhatTheyAre"}
    assert types == {statement["Sid"] for statement in PROVISION["Statement"]} - others - {
        "RolesThatTheseServicesHaveInEveryAccount"
    }


def test_only_calls_of_cloudformation_may_make_or_delete_what_the_template_has() -> None:
    of_cloudformation = {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}
    for statement in PROVISION["Statement"]:
        if any(re.search(r":(Create|Delete|Put|Register|Update)", action) for action in as_list(statement["Action"])):
            named = statement["Resource"] != "*" and "iam:AWSServiceName" in json.dumps(statement)
            assert statement["Sid"] == "ChangeTheStack" or named or statement["Condition"] == of_cloudformation, (
                statement["Sid"]
            )


def test_reading_statements_write_nothing() -> None:
    for statement in STAGES["Statement"]:
        if statement["Sid"].startswith("Read"):
            assert all(
                re.match(r"\w+:(BatchGet|Describe|Filter|Get|List)", action) for action in as_list(statement["Action"])
            ), statement


@ALL
def test_every_action_is_an_operation_of_its_service(policy: dict[str, Any]) -> None:
    session = botocore.session.Session()
    names = {PREFIXES.get(service, service): service for service in session.get_available_services()}
    for action in allowed(policy) - PASSED_TO_TASKS:
        prefix, operation = action.split(":")
        assert operation in session.get_service_model(names[prefix]).operation_names, action


@ALL
def test_a_policy_fits_into_a_managed_policy(policy: dict[str, Any]) -> None:
    assert len(re.sub(r"\s", "", json.dumps(policy))) <= 6144  # IAM User Guide, "IAM and AWS STS quotas"


def test_the_tags_that_may_be_written_are_those_that_are() -> None:
    of = {statement["Sid"]: statement for statement in STAGES["Statement"]}
    verdict = set(of["RecordVerdictOnCanary"]["Condition"]["ForAllValues:StringEquals"]["aws:TagKeys"])
    assert verdict == {
        release_tags.VERDICT,
        release_tags.JUDGED_STEPS,
        release_tags.JUDGED_TASKS,
        release_tags.BAKE_BEGAN,
    }
    service = set(of["MarkService"]["Condition"]["ForAllValues:StringLike"]["aws:TagKeys"])
    named = {
        release_tags.EPOCH,
        release_tags.UNDER_WAY,
        release_tags.SOURCE,
        release_tags.WANTED,
        release_tags.RELEASE,
        release_tags.PREVIOUS,
        release_tags.APPROVAL,
    }
    named.add(release_tags.SCALING)
    assert service == named | {f"{release_tags.TARGETS}*", f"{release_tags.RAN}*"}
    assert of["MarkPromotedRevision"]["Condition"]["ForAllValues:StringEquals"]["aws:TagKeys"] == release_tags.PROMOTED


def test_everybody_else_is_denied_every_way_to_write_our_tags() -> None:
    (statement,) = EVERYBODY_ELSE["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Deny", "*")
    model = botocore.session.Session().get_service_model("ecs")
    ours = {"tags", "tagKeys"}
    writing = {
        f"ecs:{name}"
        for name in model.operation_names
        if name not in UNRELATED and ours & set(getattr(model.operation_model(name).input_shape, "members", {}))
    }
    assert set(statement["Action"]) == writing
    assert statement["Condition"]["ForAnyValue:StringLike"]["aws:TagKeys"] == release_tags.PREFIX + "*"


def test_every_write_names_its_resource_where_aws_lets_it() -> None:
    everywhere = {
        action
        for statement in STAGES["Statement"]
        if statement["Resource"] == "*" and "Condition" not in statement
        for action in as_list(statement["Action"])
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
