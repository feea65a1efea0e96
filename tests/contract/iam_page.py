"""The policies of docs/iam.md, and the AWS operations that the package calls, read from its source."""

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
    return {action for statement in policy["Statement"] for action in as_list(statement["Action"])}


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
    text = "\n".join(file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py"))
    session = botocore.session.Session()
    return {
        match: set(session.get_service_model(match).operation_names)
        for match in set(re.findall(r'client\("([\w-]+)"', text))
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


def handled() -> set[str]:
    """The actions that the handlers of the template's resource types declare (the schemas of CloudFormation)."""
    schemas = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text())
    types = {resource["Type"] for resource in stack(TEMPLATE).body["Resources"].values()}
    found: set[str] = set()
    for kind in types:
        handlers = json.loads((SCHEMAS / "resources" / f"{schemas[kind]}.json").read_text())["handlers"]
        found |= {action for name in HANDLERS for action in handlers.get(name, {}).get("permissions", [])}
    return found


def deploy_role(**values: str) -> Stack:
    """The template's stack with the role for Jenkins, in the words of the page."""
    names = {"ClusterName": "CLUSTER", "ServiceName": "SERVICE", "RepositoryName": "REPOSITORY"}
    return stack(TEMPLATE, Image="app:1", DeployTrust="instance", **names, **values)


def sorted_lists(statements: list[Any]) -> list[Any]:
    """Statements with one action or resource as a list of one, and without an order of their members."""
    return [
        {key: sorted(as_list(value)) if key in ("Action", "Resource") else value for key, value in statement.items()}
        for statement in statements
    ]


ALL = pytest.mark.parametrize("policy", [STAGES, EVERYBODY_ELSE, ASSUME, PRUNE, *PARTS, LOOK_UPS, HOLD, SCANS])
