"""What people without the deploy role can do to a service whose policies are enforced."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecs_pipeline.model.release import CANARY, Epoch
from ecs_pipeline.protocol import decide, release_tags
from tests.emulator.embedded_aws.environment import NETWORK
from tests.emulator.stages.deployer import Deployer, documents
from tests.emulator.stages.intruder import Intruder
from tests.emulator.stages.scene import Scene


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
    (task,) = [listed["taskArn"] for listed in mine if listed["taskArn"] != started]
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
    task = next(canary["taskArn"] for canary in scene.canaries() if canary["taskArn"] != bare)
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
