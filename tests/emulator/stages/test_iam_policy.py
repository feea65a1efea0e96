"""The stages with exactly the policy of docs/iam.md, enforced: it is enough, nothing of it is too much, it holds."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from ecs_pipeline.protocol import release_tags
from embedded_aws.images import APP_FOLDER
from tests.emulator.stages.deployer import Deployer, actions, documents
from tests.emulator.stages.outcome import Outcome
from tests.emulator.stages.scene import Scene

CANARY_NEEDS = [
    ("ecs:ListTasks", ""),
    ("ecs:DescribeServices", ""),
    ("ecs:DescribeTaskDefinition", ""),
    ("elasticloadbalancing:DescribeTargetGroups", ""),
    ("elasticloadbalancing:DescribeTargetGroupAttributes", ""),
    ("cloudwatch:DescribeAlarms", ""),
    ("ecr:DescribeImages", ""),
    ("ecs:TagResource", "MarkService"),
    ("ecs:ListTaskDefinitions", ""),
    ("ecs:RegisterTaskDefinition", ""),
    ("iam:PassRole", ""),
    ("ecs:TagResource", "TagRevisionsAtTheirRegistration"),
    ("ecs:RunTask", ""),
    ("ecs:TagResource", "TagCanaryAtItsStart"),
    ("ecs:DescribeTasks", ""),
    ("ecs:UntagResource", ""),
    ("elasticloadbalancing:DescribeTargetHealth", ""),
    ("elasticloadbalancing:RegisterTargets", ""),
    ("ecs:TagResource", "RecordVerdictOnCanary"),
]
"""Actions in the order in which a canary comes to them; of one that several statements allow also the statement."""
ROLLBACK_NEEDS = ["elasticloadbalancing:DeregisterTargets", "ecs:StopTask", "ecs:DeregisterTaskDefinition"]
BUILD_NEEDS = [
    "ecr:DescribeRepositories",
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
]
TOLD_ONLY = {
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "cloudwatch:GetMetricData",
    "ecs:GetTaskProtection",
}
"""Without them a check has no data, or evidence is missing; a stage ends as it would."""
ELSEWHERE = {
    "ecs:UpdateService",
    "ecs:DescribeContainerInstances",
    "ecs:DescribeServiceRevisions",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
}
"""In tests of their own."""
OLD_RECORD = {"key": f"{release_tags.TARGETS}old", "value": "1000000000 10.9.9.9:80"}


def quiet_alarm(scene: Scene) -> dict[str, Any]:
    """A check of an alarm that has nothing to say."""
    scene.client("cloudwatch").put_metric_alarm(
        AlarmName=scene.name,
        Namespace="N",
        MetricName="M",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    return {"name": "errors", "interval": "200ms", "alarm": {"names": [scene.name]}, "required": False}


def refused_for(outcome: Outcome, action: str) -> None:
    """The command ended with exit 4, and its last words name the permission."""
    assert outcome.code == 4, (action, outcome.stderr)
    assert action in outcome.report["message"], (action, outcome.report["message"])


def test_every_action_of_the_policy_is_tried_here() -> None:
    policy = json.loads(documents()[0])
    tried = {*(action for action, _ in CANARY_NEEDS), *ROLLBACK_NEEDS, *BUILD_NEEDS, *TOLD_ONLY, *ELSEWHERE}
    assert {action for statement in policy["Statement"] for action in actions(statement)} == tried


def test_with_the_policy_a_release_goes_all_the_way_and_back(scene: Scene, deployer: Deployer) -> None:
    scene.config(canary={"baseline": True, "checks": [quiet_alarm(scene)]})
    assert deployer.canary("v2").code == 0
    for words in (("status",), ("judge",), ("promote", "--release", "v2"), ("rollback",)):
        done = deployer.runs(*words)
        assert done.code == 0, (words, done.stderr)
    scene.assert_nothing_left()
    assert scene.revisions() == [1]


def test_each_action_that_a_canary_lacks_is_named_and_the_same_command_goes_on_with_it(
    scene: Scene, deployer: Deployer
) -> None:
    scene.config(canary={"checks": [quiet_alarm(scene)]})
    scene.ecs.tag_resource(resourceArn=scene.service()["serviceArn"], tags=[OLD_RECORD])
    for action, statement in CANARY_NEEDS:
        deployer.without(action, statement)
        refused_for(deployer.canary(), action)
    deployer.allow(deployer.stages["Statement"])
    done = deployer.canary()
    assert done.code == 0, done.stderr
    for action in ROLLBACK_NEEDS:
        deployer.without(action)
        refused_for(deployer.runs("rollback"), action)
    deployer.allow(deployer.stages["Statement"])
    assert deployer.runs("rollback").code == 0
    scene.assert_nothing_left()
    assert scene.revisions() == [1]


def test_a_promote_that_may_not_write_something_says_so(scene: Scene, deployer: Deployer) -> None:
    assert deployer.canary().code == 0
    for action, statement in [("ecs:TagResource", "MarkPromotedRevision"), ("ecs:UpdateService", "UpdateService")]:
        deployer.without(action, statement)
        refused_for(deployer.runs("promote"), action)
    deployer.allow(deployer.stages["Statement"])
    assert deployer.runs("promote").code == 0


def test_each_action_that_a_build_lacks_is_named(scene: Scene, deployer: Deployer) -> None:
    shutil.copytree(APP_FOLDER, scene.folder / "app")
    scene.config(image={"context": "app", "build_args": {"VERSION": f"built for {scene.name}"}})
    release = f"{scene.name}-1"
    for action in BUILD_NEEDS:
        deployer.without(action)
        refused = deployer.runs("canary", "--release", release)
        assert refused.code == 4, (action, refused.stderr)
        # A HEAD request has no body: of it Docker says that it was denied, not what.
        named = "push: " if action == "ecr:BatchCheckLayerAvailability" else action
        assert named in refused.report["message"], (action, refused.report["message"])
    deployer.allow(deployer.stages["Statement"])
    done = deployer.runs("canary", "--release", release)
    assert done.code == 0, done.stderr
    assert deployer.runs("rollback").code == 0
    for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
        deployer.without(action)
        refused_for(deployer.runs("canary", "--release", release), action)


@pytest.mark.parametrize(
    ("action", "check"),
    [
        ("logs:FilterLogEvents", {"logs": {"filter": "ERROR", "at_most": 0}}),
        (
            "cloudwatch:GetMetricData",
            {
                "metric": {
                    "query": [
                        {
                            "Id": "m",
                            "MetricStat": {
                                "Metric": {"Namespace": "N", "MetricName": "M"},
                                "Period": 1,
                                "Stat": "Sum",
                            },
                        }
                    ],
                    "at_most": 1,
                }
            },
        ),
    ],
)
def test_a_check_that_may_not_read_has_no_data_and_says_so(
    scene: Scene, deployer: Deployer, action: str, check: dict[str, Any]
) -> None:
    quick = {"name": "reads", "interval": "300ms", "min_samples": 1, **check}
    scene.config(canary={"bake": "2s", "checks": [quick]})
    deployer.without(action)
    canary = deployer.canary()
    assert canary.code == 5, canary.stderr
    assert action in canary.check("reads")["message"] + " ".join(canary.stderr.splitlines())


def test_a_log_that_may_not_be_read_is_told_in_the_evidence(scene: Scene, deployer: Deployer) -> None:
    deployer.without("logs:GetLogEvents")
    canary = deployer.canary("crash")
    assert canary.code == 1, canary.stderr
    assert "logs:GetLogEvents" in canary.stderr
    scene.assert_nothing_left()


def test_instances_with_dynamic_ports_ask_for_one_more(scene: Scene) -> None:
    group = scene.new_target_group("-ec2", TargetType="instance")
    mapping = {"portMappings": [{"containerPort": 8000, "hostPort": 0}]}
    scene.start(
        1,
        launchType="EC2",
        networkConfiguration={},
        loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8000}],
        container=mapping,
        definition={"networkMode": "bridge", "requiresCompatibilities": ["EC2"]},
    )
    deployer = Deployer(scene)
    deployer.without("ecs:DescribeContainerInstances")
    refused_for(deployer.canary(), "ecs:DescribeContainerInstances")


def test_a_service_without_a_load_balancer_asks_for_its_service_revision(scene: Scene) -> None:
    scene.start(1, loadBalancers=[])
    deployer = Deployer(scene)
    deployer.without("ecs:DescribeServiceRevisions")
    refused_for(deployer.canary(), "ecs:DescribeServiceRevisions")
    deployer.allow(deployer.stages["Statement"])
    assert deployer.canary().code == 0
