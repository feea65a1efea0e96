"""The policies of docs/iam.md allow the AWS operations that the package calls: none is missing, none is too much."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import cfnlint
import pytest

import ecs_pipeline
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
from tests.unit.cloudformation import Stack, stack

PACKAGE = Path(ecs_pipeline.__file__).parent
ROOT = PACKAGE.parents[1]
PAGE = (ROOT / "docs" / "iam.md").read_text(encoding="utf-8")
TEMPLATE = (ROOT / "resources" / "ecs_pipeline" / "environment.yml").read_text(encoding="utf-8")

PREFIXES = {"elbv2": "elasticloadbalancing", "service-quotas": "servicequotas"}
"""IAM's prefix of a service where it is not boto3's name (Service Authorization Reference)."""

PROVISION_ONLY = {"cloudformation", "ec2"}
"""Modules of aws/ that no other command uses."""

PRUNE_ONLY = {"account", "event_rules", "schedules", "stored_images"}
"""Modules of aws/ that `prune` alone uses."""

ASKS_OF_THE_CALLER = {"caller", "permissions"}
"""Modules of aws/ that `validate` alone uses; sts:GetCallerIdentity needs no permission (STS API reference)."""

QUOTAS_ONLY = {"service_quotas"}
"""Modules of aws/ that `validate` alone uses for what the account may have; the metric of it CloudWatch tells."""

LOOKS_UP = {"secrets_manager", "ssm"}
"""Modules of aws/ that look-ups of a config alone use, beside CloudFormation's DescribeStacks."""

SCANS_ONLY = {"image_scans"}
"""Modules of aws/ that `image.scan` alone uses."""

HOLD_ONLY = {"application_autoscaling"}
"""Modules of aws/ that `promote.autoscaling: hold` alone uses."""

WHOLE_CLUSTER = {"cluster"}
"""Modules of aws/ for `prune`, `status --all`, and the nearest name of a typo where the caller may list."""

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

UNRELATED = {
    "CreateCapacityProvider",
    "CreateCluster",
    "CreateDaemon",
    "CreateExpressGatewayService",
    "CreateGateway",
    "RegisterContainerInstance",
    "RegisterDaemonTaskDefinition",
}
"""Operations that tag what has no marks of ours: no service, no task and no revision of a service."""

PASSED_TO_TASKS = {"iam:PassRole"}
"""What RegisterTaskDefinition and RunTask ask for beside themselves: Service Authorization Reference, Amazon ECS."""

CURE = "change the statement in docs/iam.md: the least resources and conditions that AWS offers for it"


def policies() -> list[dict[str, Any]]:
    """The policies of the page in its order, which is that of the names below."""
    return [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


STAGES, EVERYBODY_ELSE, ASSUME, ASKING, PRUNE, *PARTS, LOOK_UPS, HOLD, SCANS = policies()
PROVISION: dict[str, Any] = {"Statement": [statement for part in PARTS for statement in part["Statement"]]}
"""All that provision needs: a policy's text is limited, so there are two."""

SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
HANDLERS = ("create", "read", "update", "delete")

NOT_USED = {
    "application-autoscaling:DeleteScheduledAction": "no scheduled actions",
    "application-autoscaling:PutScheduledAction": "no scheduled actions",
    "cognito-idp:DescribeUserPoolClient": "no authentication at the listener",
    "ec2:DescribeIpamPools": "no pools of addresses",
    "ec2:UpdateSecurityGroupRuleDescriptionsEgress": "no descriptions of rules",
    "ec2:UpdateSecurityGroupRuleDescriptionsIngress": "no descriptions of rules",
    "ecr:DeleteRepositoryPolicy": "no policy of a repository",
    "ecr:SetRepositoryPolicy": "no policy of a repository",
    "ecs:DeregisterTaskDefinition": "DeletionPolicy: Retain",
    "ecs:PutAccountSetting": "no setting of the account",
    "ecs:PutAccountSettingDefault": "no setting of the account",
    "ecs:PutClusterCapacityProviders": "no capacity providers",
    "elasticloadbalancing:DeregisterTargets": "no targets: ECS registers them",
    "elasticloadbalancing:ModifyCapacityReservation": "no reserved capacity",
    "elasticloadbalancing:ModifyIpPools": "no pools of addresses",
    "elasticloadbalancing:RegisterTargets": "no targets: ECS registers them",
    "elasticloadbalancing:SetIpAddressType": "no type of addresses",
    "firehose:TagDeliveryStream": "no delivery of logs",
    "iam:DeleteRolePermissionsBoundary": "no boundary",
    "iam:PutRolePermissionsBoundary": "no boundary",
    "kms:CreateGrant": "no keys of its own",
    "kms:DescribeKey": "no keys of its own",
    "kms:RetireGrant": "no keys of its own",
    "lambda:DeleteProvisionedConcurrencyConfig": "no Lambda functions",
    "lambda:GetProvisionedConcurrencyConfig": "no Lambda functions",
    "lambda:PutProvisionedConcurrencyConfig": "no Lambda functions",
    "logs:AssociateKmsKey": "no keys of its own",
    "logs:CreateLogDelivery": "no delivery of logs",
    "logs:DeleteIndexPolicy": "no index",
    "logs:DeleteResourcePolicy": "no policy of a log group",
    "logs:DisassociateKmsKey": "no keys of its own",
    "logs:PutBearerTokenAuthentication": "no tokens",
    "logs:PutDataProtectionPolicy": "no data protection",
    "logs:PutIndexPolicy": "no index",
    "logs:PutLogGroupDeletionProtection": "no protection",
    "logs:PutResourcePolicy": "no policy of a log group",
    "s3:REST.PUT.OBJECT": "no delivery of logs",
}
"""What the handlers of the template's resource types declare for properties that the template does not have."""


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
        one: set(session.get_service_model(one).operation_names) for one in set(re.findall(r'client\("([\w-]+)"', text))
    }


def called(modules: set[str]) -> set[str]:
    """The IAM actions of the operations that these modules of aws/ call.

    Each speaks to one service: the one that has all of its operations.
    """
    known = services()
    found = set()
    for module in modules:
        its = set(operations(PACKAGE / "aws" / f"{module}.py"))
        if its:
            [service] = [name for name, all_of_it in known.items() if its <= all_of_it]
            found |= {f"{PREFIXES.get(service, service)}:{operation}" for operation in its}
    return found


OF_THE_STAGES = {module.stem for module in (PACKAGE / "aws").glob("*.py")} - (
    PROVISION_ONLY | PRUNE_ONLY | ASKS_OF_THE_CALLER | QUOTAS_ONLY | LOOKS_UP | SCANS_ONLY | HOLD_ONLY | WHOLE_CLUSTER
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
    assert [{**one, "Resource": [one["Resource"]]} for one in LOOK_UPS["Statement"]] == printed
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
        for one in PROVISION["Statement"]
        if one["Sid"] in ("ChangeTheStack", "FindTheDefaultNetwork")
        for action in as_list(one["Action"])
    }
    assert direct == called(PROVISION_ONLY), CURE


def handled() -> set[str]:
    """The actions that the handlers of the template's resource types declare (the schemas of CloudFormation)."""
    schemas = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text())
    types = {resource["Type"] for resource in stack(TEMPLATE).body["Resources"].values()}
    found: set[str] = set()
    for kind in types:
        handlers = json.loads((SCHEMAS / "resources" / f"{schemas[kind]}.json").read_text())["handlers"]
        found |= {action for name in HANDLERS for action in handlers.get(name, {}).get("permissions", [])}
    return found


def test_provision_s_policy_allows_what_the_handlers_of_its_resources_call() -> None:
    needed = handled() - set(NOT_USED)
    assert len(needed) > 90
    assert sorted(needed - allowed(PROVISION)) == [], f"called by a handler, but not allowed; {CURE}"
    assert sorted(set(NOT_USED) - handled()) == [], "no handler calls it any more: take it out of NOT_USED"


def deploy_role(**values: str) -> Stack:
    """The template's stack with the role for Jenkins, in the words of the page."""
    names = {"ClusterName": "CLUSTER", "ServiceName": "SERVICE", "RepositoryName": "REPOSITORY"}
    return stack(TEMPLATE, Image="app:1", DeployTrust="instance", **names, **values)


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


def sorted_lists(statements: list[Any]) -> list[Any]:
    """Statements with one action or resource as a list of one, and without an order of their members."""
    return [
        {key: sorted(as_list(value)) if key in ("Action", "Resource") else value for key, value in statement.items()}
        for statement in statements
    ]


def test_the_role_for_jenkins_has_no_other_policies() -> None:
    assert set(deploy_role()["DeployRole"]) == {"AssumeRolePolicyDocument", "Description", "Policies"}


def test_provision_s_policy_speaks_of_each_service_that_the_template_has_resources_of() -> None:
    types = set(re.findall(r"^ {4}Type: AWS::(\w+)::\w+$", TEMPLATE, re.MULTILINE)) - {"SSM"}
    others = {"ChangeTheStack", "FindTheDefaultNetwork", "PassRoles", "ReadWhatTheyAre"}
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


ALL = pytest.mark.parametrize("policy", [STAGES, EVERYBODY_ELSE, ASSUME, PRUNE, *PARTS, LOOK_UPS, HOLD, SCANS])


@ALL
def test_every_action_is_an_operation_of_its_service(policy: dict[str, Any]) -> None:
    session = botocore.session.Session()
    names = {PREFIXES.get(one, one): one for one in session.get_available_services()}
    for action in allowed(policy) - PASSED_TO_TASKS:
        prefix, operation = action.split(":")
        assert operation in session.get_service_model(names[prefix]).operation_names, action


@ALL
def test_a_policy_fits_into_a_managed_policy(policy: dict[str, Any]) -> None:
    assert len(re.sub(r"\s", "", json.dumps(policy))) <= 6144  # IAM User Guide, "IAM and AWS STS quotas"


def test_the_tags_that_may_be_written_are_those_that_are() -> None:
    of = {one["Sid"]: one for one in STAGES["Statement"]}
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
