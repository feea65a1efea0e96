"""The policy of the stages, the one source of docs/iam.md and of `policy`: statements with words in capital letters.

Service Authorization Reference: Amazon ECS, ECR, Elastic Load Balancing, CloudWatch, CloudWatch Logs, IAM,
Application Auto Scaling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

VERSION = "2012-10-17"

STATEMENTS: tuple[Mapping[str, Any], ...] = (
    {
        "Sid": "ReadService",
        "Effect": "Allow",
        "Action": ["ecs:DescribeServices", "ecs:DescribeServiceRevisions"],
        "Resource": [
            "arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/SERVICE",
            "arn:aws:ecs:REGION:ACCOUNT:service-revision/CLUSTER/SERVICE/*",
        ],
    },
    {
        "Sid": "ReadTasks",
        "Effect": "Allow",
        "Action": ["ecs:DescribeTasks", "ecs:GetTaskProtection", "ecs:DescribeContainerInstances"],
        "Resource": [
            "arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/*",
            "arn:aws:ecs:REGION:ACCOUNT:container-instance/CLUSTER/*",
        ],
    },
    {
        "Sid": "ReadTaskLists",
        "Effect": "Allow",
        "Action": "ecs:ListTasks",
        "Resource": "*",
        "Condition": {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:REGION:ACCOUNT:cluster/CLUSTER"}},
    },
    {
        "Sid": "ReadRevisionsAndTargets",
        "Effect": "Allow",
        "Action": [
            "ecs:DescribeTaskDefinition",
            "ecs:ListTaskDefinitions",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
            "elasticloadbalancing:DescribeTargetHealth",
        ],
        "Resource": "*",
    },
    {
        "Sid": "ReadImages",
        "Effect": "Allow",
        "Action": ["ecr:BatchGetImage", "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetDownloadUrlForLayer"],
        "Resource": "arn:aws:ecr:REGION:ACCOUNT:repository/REPOSITORY",
    },
    {
        "Sid": "ReadLogs",
        "Effect": "Allow",
        "Action": ["logs:FilterLogEvents", "logs:GetLogEvents"],
        "Resource": [
            "arn:aws:logs:REGION:ACCOUNT:log-group:LOG-GROUP:*",
            "arn:aws:logs:REGION:ACCOUNT:log-group:LOG-GROUP:log-stream:*",
        ],
    },
    {
        "Sid": "ReadAlarmsAndMetrics",
        "Effect": "Allow",
        "Action": ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"],
        "Resource": "*",
    },
    {"Sid": "LogInToRegistry", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
    {
        "Sid": "PushImages",
        "Effect": "Allow",
        "Action": [
            "ecr:BatchCheckLayerAvailability",
            "ecr:CompleteLayerUpload",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
        ],
        "Resource": "arn:aws:ecr:REGION:ACCOUNT:repository/REPOSITORY",
    },
    {
        "Sid": "RegisterRevisions",
        "Effect": "Allow",
        "Action": "ecs:RegisterTaskDefinition",
        "Resource": "arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:*",
    },
    {"Sid": "DeregisterRevisions", "Effect": "Allow", "Action": "ecs:DeregisterTaskDefinition", "Resource": "*"},
    {
        "Sid": "PassTheTasksRoles",
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": ["arn:aws:iam::ACCOUNT:role/EXECUTION-ROLE", "arn:aws:iam::ACCOUNT:role/TASK-ROLE"],
        "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    },
    {
        "Sid": "StartCanary",
        "Effect": "Allow",
        "Action": "ecs:RunTask",
        "Resource": "arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:*",
        "Condition": {
            "ArnEquals": {"ecs:cluster": "arn:aws:ecs:REGION:ACCOUNT:cluster/CLUSTER"},
            "StringEquals": {"aws:RequestTag/ecs-pipeline:service": "SERVICE"},
        },
    },
    {
        "Sid": "TagRevisionsAtTheirRegistration",
        "Effect": "Allow",
        "Action": "ecs:TagResource",
        "Resource": "arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:*",
        "Condition": {"StringEquals": {"ecs:CreateAction": "RegisterTaskDefinition"}},
    },
    {
        "Sid": "MarkPromotedRevision",
        "Effect": "Allow",
        "Action": "ecs:TagResource",
        "Resource": "arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:*",
        "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "ecs-pipeline:promoted"}},
    },
    {
        "Sid": "TagCanaryAtItsStart",
        "Effect": "Allow",
        "Action": "ecs:TagResource",
        "Resource": "arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/*",
        "Condition": {
            "StringEquals": {"ecs:CreateAction": "RunTask", "aws:RequestTag/ecs-pipeline:service": "SERVICE"}
        },
    },
    {
        "Sid": "RecordVerdictOnCanary",
        "Effect": "Allow",
        "Action": "ecs:TagResource",
        "Resource": "arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/*",
        "Condition": {
            "StringEquals": {"aws:ResourceTag/ecs-pipeline:service": "SERVICE"},
            "ForAllValues:StringEquals": {
                "aws:TagKeys": [
                    "ecs-pipeline:bake-began",
                    "ecs-pipeline:judged-steps",
                    "ecs-pipeline:judged-tasks",
                    "ecs-pipeline:verdict",
                ]
            },
        },
    },
    {
        "Sid": "StopCanary",
        "Effect": "Allow",
        "Action": "ecs:StopTask",
        "Resource": "arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/*",
        "Condition": {"StringEquals": {"aws:ResourceTag/ecs-pipeline:service": "SERVICE"}},
    },
    {
        "Sid": "MarkService",
        "Effect": "Allow",
        "Action": ["ecs:TagResource", "ecs:UntagResource"],
        "Resource": "arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/SERVICE",
        "Condition": {
            "ForAllValues:StringLike": {
                "aws:TagKeys": [
                    "ecs-pipeline:approved-by",
                    "ecs-pipeline:previous",
                    "ecs-pipeline:ran:*",
                    "ecs-pipeline:release",
                    "ecs-pipeline:scaling",
                    "ecs-pipeline:source",
                    "ecs-pipeline:targets:*",
                    "ecs-pipeline:turn",
                    "ecs-pipeline:under-way",
                    "ecs-pipeline:wanted",
                ]
            }
        },
    },
    {
        "Sid": "UpdateService",
        "Effect": "Allow",
        "Action": "ecs:UpdateService",
        "Resource": "arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/SERVICE",
        "Condition": {"ArnLike": {"ecs:task-definition": "arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:*"}},
    },
    {
        "Sid": "MoveCanaryIntoAndOutOfTraffic",
        "Effect": "Allow",
        "Action": ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
        "Resource": "arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/TARGET-GROUP/*",
    },
)
"""What the stages need, one after the other as docs/iam.md has them."""

PRUNE_STATEMENTS: tuple[Mapping[str, Any], ...] = (
    {
        "Sid": "FindWhatUsesRevisions",
        "Effect": "Allow",
        "Action": [
            "ecs:ListClusters",
            "ecs:ListServices",
            "ecs:ListTasks",
            "events:ListRuleNamesByTarget",
            "scheduler:ListSchedules",
        ],
        "Resource": "*",
    },
    {
        "Sid": "ReadWhatUsesRevisions",
        "Effect": "Allow",
        "Action": ["ecs:DescribeServices", "ecs:DescribeTasks", "events:ListTargetsByRule", "scheduler:GetSchedule"],
        "Resource": [
            "arn:aws:ecs:REGION:ACCOUNT:service/*",
            "arn:aws:ecs:REGION:ACCOUNT:task/*",
            "arn:aws:events:REGION:ACCOUNT:rule/*",
            "arn:aws:scheduler:REGION:ACCOUNT:schedule/*",
        ],
    },
    {
        "Sid": "DeleteImages",
        "Effect": "Allow",
        "Action": "ecr:BatchDeleteImage",
        "Resource": "arn:aws:ecr:REGION:ACCOUNT:repository/REPOSITORY",
    },
)
"""What `prune` needs beside the stages' statements."""


SCAN_STATEMENTS: tuple[Mapping[str, Any], ...] = (
    {
        "Sid": "ReadImageScans",
        "Effect": "Allow",
        "Action": "ecr:DescribeImageScanFindings",
        "Resource": "arn:aws:ecr:REGION:ACCOUNT:repository/REPOSITORY",
    },
)
"""What `image.scan` needs beside the stages' statements."""

HOLD_STATEMENTS: tuple[Mapping[str, Any], ...] = (
    {
        "Sid": "ReadAutoscaling",
        "Effect": "Allow",
        "Action": "application-autoscaling:DescribeScalableTargets",
        "Resource": "*",
    },
    {
        "Sid": "HoldAutoscaling",
        "Effect": "Allow",
        "Action": "application-autoscaling:RegisterScalableTarget",
        "Resource": "arn:aws:application-autoscaling:REGION:ACCOUNT:scalable-target/*",
        "Condition": {
            "StringEquals": {
                "application-autoscaling:service-namespace": "ecs",
                "application-autoscaling:scalable-dimension": "ecs:service:DesiredCount",
            }
        },
    },
)
"""What `promote.autoscaling: hold` needs beside the stages' statements."""

QUOTA_STATEMENTS: tuple[Mapping[str, Any], ...] = (
    {
        "Sid": "FindQuotas",
        "Effect": "Allow",
        "Action": ["cloudwatch:GetMetricData", "servicequotas:GetServiceQuota"],
        "Resource": "*",
    },
)
"""What `validate` needs to find the quota of tasks on Fargate."""


def actions_of(statement: Mapping[str, Any]) -> Sequence[str]:
    """The actions of a statement, a list also where there is one."""
    found = statement["Action"]
    return [found] if isinstance(found, str) else list(found)


def resources_of(statement: Mapping[str, Any]) -> Sequence[str]:
    """The resources of a statement, a list also where there is one."""
    found = statement["Resource"]
    return [found] if isinstance(found, str) else list(found)
