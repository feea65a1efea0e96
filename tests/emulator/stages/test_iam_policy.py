"""The stages with exactly the policy of docs/iam.md, enforced: it is enough, nothing of it is too much, it holds."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecs_pipeline.model.release import CANARY, Epoch
from ecs_pipeline.protocol import decide, release_tags
from embedded_aws.images import APP_FOLDER
from tests.emulator.embedded_aws.environment import NETWORK
from tests.emulator.stages.deployer import Deployer, actions, documents
from tests.emulator.stages.scene import Outcome, Scene
from tests.emulator.stages.test_intruder import Intruder

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


@pytest.fixture
def deployer(scene: Scene) -> Deployer:
    """The service, whose tasks have roles and log with awslogs, and its deployer."""
    scene.client("logs").create_log_group(logGroupName=f"/{scene.name}")
    options = {"awslogs-group": f"/{scene.name}", "awslogs-region": scene.server.region, "awslogs-stream-prefix": "app"}
    made = Deployer(scene)
    scene.start(
        1, container={"logConfiguration": {"logDriver": "awslogs", "options": options}}, definition=made.roles()
    )
    scene.images.uri("v2")
    return made


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
    assert {action for one in policy["Statement"] for action in actions(one)} == tried


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


# ---- other people


def tags(release: str, service: str, **more: str) -> list[dict[str, str]]:
    """What tells a canary."""
    ours = {
        release_tags.SERVICE: service,
        release_tags.RELEASE: release,
        release_tags.EPOCH: "0/",
        release_tags.ROLE: CANARY,
        release_tags.INDEX: "0",
        **{f"ecs-pipeline:{key}": value for key, value in more.items()},
    }
    return [{"key": key, "value": value} for key, value in ours.items()]


def denied(act: Any, **arguments: Any) -> None:
    with pytest.raises(ClientError, match="is not authorized to perform"):
        act(**arguments)


def test_the_role_of_one_service_cannot_make_take_or_block_a_canary_of_another(
    scene: Scene, deployer: Deployer
) -> None:
    """Service A, in the same cluster, has the documented policy for itself alone; its role turns against ours."""
    other = f"{scene.name}-a"
    revision = scene.register("v3", family=other, container={"image": scene.images.digest("v3")})
    page = documents()[0].replace("FAMILY", other).replace("SERVICE", other)
    theirs = deployer.client("ecs", deployer.filled(page)["Statement"])
    lock = decide.first_token(scene.service()["serviceArn"].partition(":service/")[2], Epoch(), CANARY, 0)
    run = {
        "cluster": scene.name,
        "taskDefinition": revision,
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        "startedBy": release_tags.started_by(scene.name),
    }
    denied(theirs.run_task, **run, tags=tags("v2", scene.name))
    denied(theirs.run_task, **{**run, "taskDefinition": scene.service()["taskDefinition"]}, tags=tags("v2", other))
    started = theirs.run_task(**run, tags=tags("v2", other), clientToken=lock)["tasks"][0]["taskArn"]
    for changed in (tags("v2", scene.name), tags("v2", other, verdict="pass")):
        denied(theirs.tag_resource, resourceArn=started, tags=changed)
    denied(
        theirs.tag_resource,
        resourceArn=scene.service()["serviceArn"],
        tags=[{"key": release_tags.EPOCH, "value": "a/b"}],
    )

    canary = deployer.canary()
    assert canary.code == 0, canary.stderr
    mine = scene.canaries()
    (task,) = [one["taskArn"] for one in mine if one["taskArn"] != started]
    denied(theirs.stop_task, cluster=scene.name, task=task)
    verdict = [{"key": release_tags.VERDICT, "value": "inconclusive"}]
    denied(theirs.tag_resource, resourceArn=task, tags=verdict)
    assert deployer.runs("promote", "--release", "v2").code == 0
    assert scene.running_image() == scene.images.digest("v2")


def person(deployer: Deployer, *allowed: str) -> Any:
    """Somebody who may do this everywhere, under the documented Deny; a client of ECS."""
    return deployer.client("ecs", [{"Effect": "Allow", "Action": [*allowed], "Resource": "*"}, *deployer.deny])


READS = ("ecs:Describe*", "ecs:List*")


def test_somebody_who_may_run_and_tag_tasks_promotes_nothing_of_his_own(scene: Scene, deployer: Deployer) -> None:
    intruder = Intruder(scene, "v2")
    his = person(deployer, *READS, "ecs:RunTask", "ecs:TagResource")
    run = {
        "cluster": scene.name,
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        "startedBy": release_tags.started_by(scene.name),
        "taskDefinition": intruder.evil,
    }
    denied(his.run_task, **run, tags=tags("v2", scene.name, verdict="pass"))
    lock = decide.first_token(scene.service()["serviceArn"].partition(":service/")[2], Epoch(), CANARY, 0)
    bare = his.run_task(**run, clientToken=lock)["tasks"][0]["taskArn"]
    denied(his.tag_resource, resourceArn=bare, tags=tags("v2", scene.name))
    canary = deployer.canary()
    assert canary.code == 0, canary.stderr
    task = next(one["taskArn"] for one in scene.canaries() if one["taskArn"] != bare)
    denied(his.tag_resource, resourceArn=task, tags=[{"key": release_tags.VERDICT, "value": "pass"}])
    # Our own revision with its tags, as RunTask may copy them: it is none of ours without the service's tag.
    copied = {**run, "taskDefinition": scene.canaries()[0]["taskDefinitionArn"], "propagateTags": "TASK_DEFINITION"}
    his.run_task(**copied)
    handed_on = ("--digest", canary.report["release"]["digest"], "--epoch", canary.report["epoch"])
    promoted = deployer.runs("promote", "--release", "v2", *handed_on)
    assert promoted.code == 0, promoted.stderr
    assert scene.running_image() == scene.images.digest("v2")


def test_somebody_who_may_tag_only_promotes_nothing_of_his_own(scene: Scene, deployer: Deployer) -> None:
    before = scene.service()["taskDefinition"]
    intruder = Intruder(scene, "v2")
    his = person(deployer, *READS, "ecs:TagResource", "ecs:UntagResource")
    service = scene.service()["serviceArn"]
    assert deployer.canary().code == 0
    for arn in (service, scene.canaries()[0]["taskArn"], before):
        denied(his.tag_resource, resourceArn=arn, tags=[{"key": release_tags.WANTED, "value": intruder.evil}])
        denied(his.untag_resource, resourceArn=arn, tagKeys=[release_tags.RELEASE])
    his.tag_resource(resourceArn=service, tags=[{"key": "cost", "value": "7"}])
    assert deployer.runs("promote").code == 0
    assert deployer.runs("rollback").code == 0
    assert scene.service()["taskDefinition"] == before


def test_the_deploy_role_itself_writes_its_tags_under_the_deny(scene: Scene, deployer: Deployer) -> None:
    service = scene.service()["serviceArn"]
    mark = [{"key": release_tags.SOURCE, "value": "by hand"}]
    deployer.deploys().tag_resource(resourceArn=service, tags=mark)
    denied(deployer.deploys().tag_resource, resourceArn=service, tags=[{"key": "team", "value": "other"}])
