"""Somebody who may run and tag tasks, or tag only, on real containers: nothing of his is served or promoted."""

from __future__ import annotations

import pytest

from ecs_pipeline.protocol import release_tags
from tests.emulator.embedded_aws.environment import NETWORK
from tests.emulator.stages.intruder import Intruder
from tests.emulator.stages.scene import Scene


def test_a_forged_task_is_named_and_never_served_judged_or_promoted(scene: Scene) -> None:
    scene.start(1)
    intruder = Intruder(scene, "v2")
    task = intruder.run()
    scene.wait_for_task(task)
    revisions = scene.revisions()

    refused = scene.canary("v2")
    assert refused.code == 3, refused.stderr
    assert task.rpartition("/")[2] in refused.stderr
    assert f"it runs {scene.name}-evil:1, which is of another family" in refused.stderr
    assert scene.revisions() == revisions
    for stage in ("promote", "judge"):
        assert scene.ecs_pipeline(stage, "--release", "v2").code == 3
    assert intruder.address(task) not in {target["Target"]["Id"] for target in scene.health()}
    status = scene.ecs_pipeline("status")
    assert f"{scene.name}-evil:1" in status.stdout
    assert "canary      none" in status.stdout

    assert scene.ecs_pipeline("rollback", "--canary").code == 0
    scene.assert_nothing_left()
    assert scene.canary("v2").code == 0
    assert scene.ecs_pipeline("promote", "--release", "v2").code == 0
    assert scene.running_image() == scene.images.digest("v2")
    evil = scene.ecs.describe_task_definition(taskDefinition=intruder.evil)["taskDefinition"]
    assert evil["status"] == "ACTIVE"


@pytest.mark.parametrize("lock", [True, False])
def test_once_a_forged_task_is_stopped_the_same_command_goes_on_whatever_token_it_had(
    scene: Scene, *, lock: bool
) -> None:
    scene.start(1)
    intruder = Intruder(scene, "v2")
    token = {"clientToken": intruder.the_lock()} if lock else {}
    task = intruder.run(**token)
    refused = scene.canary("v2")
    assert refused.code == 3, refused.stderr
    assert intruder.address(task) not in {target["Target"]["Id"] for target in scene.health()}
    scene.ecs.stop_task(cluster=scene.name, task=task)
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert scene.ecs_pipeline("promote").code == 0
    assert scene.running_image() == scene.images.digest("v2")


def test_our_own_revision_with_overrides_is_not_our_canary(scene: Scene) -> None:
    scene.start(1)
    assert scene.canary("v2").code == 0
    mine = scene.canaries()[0]
    intruder = Intruder(scene, "v2")
    scene.ecs.stop_task(cluster=scene.name, task=mine["taskArn"])
    overrides = {"containerOverrides": [{"name": "app", "environment": [{"name": "VERSION", "value": "evil"}]}]}
    intruder.run(mine["taskDefinitionArn"], overrides=overrides)
    refused = scene.ecs_pipeline("promote", "--release", "v2", "--unjudged")
    assert refused.code == 3
    assert "with overrides" in refused.stderr
    assert scene.running_image() == scene.images.digest("v1")
    assert scene.ecs_pipeline("rollback").code == 0
    scene.assert_nothing_left()


def test_a_task_that_only_has_the_token_blocks_nothing(scene: Scene) -> None:
    scene.start(1)
    intruder = Intruder(scene, "v2")
    started = scene.ecs.run_task(
        cluster=scene.name,
        taskDefinition=intruder.evil,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
        clientToken=intruder.the_lock(),
    )
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert "has the token" in canary.stderr
    assert scene.ecs_pipeline("rollback").code == 0
    assert scene.task(started["tasks"][0]["taskArn"])["desiredStatus"] == "RUNNING"


def test_forged_marks_of_the_service_send_it_nowhere(scene: Scene) -> None:
    before = scene.start(1)
    assert scene.canary("v2").code == 0
    assert scene.ecs_pipeline("promote").code == 0
    good = scene.service()["taskDefinition"]
    intruder = Intruder(scene, "v2")
    intruder.tag_service(turn="deadbeef/v2", wanted=intruder.evil, under_way="")
    assert scene.canary("v3").code == 3
    rollback = scene.ecs_pipeline("rollback")
    assert rollback.code == 3, rollback.stderr
    assert f"names {scene.name}-evil:1" in rollback.stderr
    assert scene.service()["taskDefinition"] == good
    assert scene.revisions() == [1, 2]
    number = good.rpartition(":")[2]
    assert scene.ecs_pipeline("rollback", "--to", f"{scene.name}:{number}").code == 0
    assert scene.service()["taskDefinition"] == good
    assert scene.canary("v3").code == 0
    assert scene.ecs_pipeline("rollback").code == 0
    assert scene.ecs_pipeline("rollback", "--to", before).code == 0
    scene.assert_nothing_left()


def test_marks_that_cannot_be_read_block_no_command(scene: Scene) -> None:
    scene.start(1)
    assert scene.canary("v2").code == 0
    intruder = Intruder(scene, "v2")
    intruder.tag_service(
        wanted="garbage",
        **{
            "targets:aa": "\u00b2 1.2.3.4:80",
            "targets:bb": "99999999999999999999 1.2.3.4:80",
            "targets:cc": "1700000000 8.8.8.8:80 i-0123456789abcdef0:80 nothing:\u00b2",
        },
    )
    task = scene.canaries()[0]["taskArn"]
    scene.ecs.tag_resource(resourceArn=task, tags=[{"key": "ecs-pipeline:index", "value": "first"}])
    status = scene.ecs_pipeline("status")
    assert status.code == 0, status.stderr
    assert status.stdout.count("ecs-pipeline:wanted") == 1
    promote = scene.ecs_pipeline("promote")
    assert promote.code == 0, promote.stderr
    intruder.tag_service(wanted="garbage")
    rollback = scene.ecs_pipeline("rollback")
    assert rollback.code == 0, rollback.stderr
    assert scene.running_image() == scene.images.digest("v1")
    scene.assert_nothing_left()


def test_a_revision_that_is_only_tagged_as_a_copy_is_not_rolled_back_to(scene: Scene) -> None:
    before = scene.start(1)
    assert scene.canary("v2").code == 0
    assert scene.ecs_pipeline("promote").code == 0
    his = scene.register(
        "v3", container={"image": scene.images.digest("v3")}, tags=[{"key": release_tags.RESTORES, "value": before}]
    )
    scene.ecs.deregister_task_definition(taskDefinition=before)
    rollback = scene.ecs_pipeline("rollback")
    assert rollback.code == 0, rollback.stderr
    assert scene.running_image() == scene.images.digest("v1")
    name = his.rpartition("/")[2]
    assert f"{name} is tagged as a copy of {before.rpartition('/')[2]}, but is another one" in rollback.stderr
    # The copy as AWS describes it is the original: given again, nothing is registered.
    revisions = scene.revisions()
    assert scene.ecs_pipeline("rollback", "--to", before).code == 0
    assert scene.revisions() == revisions
    scene.assert_nothing_left()


def test_a_canary_whose_revision_was_deregistered_is_started_anew(scene: Scene) -> None:
    scene.start(1)
    assert scene.canary("v2").code == 0
    old = scene.canaries()[0]
    scene.ecs.deregister_task_definition(taskDefinition=old["taskDefinitionArn"])
    refused = scene.ecs_pipeline("promote")
    assert refused.code == 3, refused.stderr
    again = scene.canary("v2")
    assert again.code == 0, again.stderr
    (new,) = scene.canaries()
    assert new["taskDefinitionArn"] != old["taskDefinitionArn"]
    assert scene.ecs_pipeline("promote", "--task-definition", old["taskDefinitionArn"]).code == 3
    assert scene.ecs_pipeline("promote", "--task-definition", new["taskDefinitionArn"]).code == 0
    assert scene.running_image() == scene.images.digest("v2")


def test_an_approval_is_of_one_image_and_one_epoch(scene: Scene) -> None:
    scene.start(1)
    first = scene.canary("v2", "--release", "rel-7").report
    assert scene.ecs_pipeline("rollback", "--release", "rel-7").code == 0
    second = scene.canary("v3", "--release", "rel-7").report
    assert first["release"]["digest"] != second["release"]["digest"]
    for option, value in (("--digest", first["release"]["digest"]), ("--epoch", first["epoch"])):
        refused = scene.ecs_pipeline("promote", "--release", "rel-7", option, value)
        assert refused.code == 3, refused.stderr
    assert scene.running_image() == scene.images.digest("v1")
    handed_on = ("--digest", second["release"]["digest"], "--epoch", second["epoch"])
    assert scene.ecs_pipeline("promote", "--release", "rel-7", *handed_on).code == 0
    assert scene.running_image() == scene.images.digest("v3")


def test_a_release_that_is_told_as_promoted_by_tags_alone_is_not_taken_for_it(scene: Scene) -> None:
    scene.start(1)
    running = scene.service()["taskDefinition"]
    scene.images.uri("v2")
    scene.ecs.tag_resource(
        resourceArn=running,
        tags=[{"key": release_tags.RELEASE, "value": "v2"}, {"key": release_tags.EPOCH, "value": "0/"}],
    )
    Intruder(scene, "v2").tag_service(release="v2", under_way="v2", wanted=running)
    canary = scene.canary("v2")
    assert canary.code == 3
    assert "lives with image" in canary.stderr


def test_whoever_fills_the_service_with_tags_keeps_no_rollback_from_its_work(scene: Scene) -> None:
    scene.start(1)
    assert scene.canary("v2").code == 0
    held = scene.ecs.list_tags_for_resource(resourceArn=scene.service()["serviceArn"])["tags"]
    his = [{"key": f"x{number}", "value": "y"} for number in range(release_tags.MOST_TAGS - len(held))]
    scene.ecs.tag_resource(resourceArn=scene.service()["serviceArn"], tags=his)
    rollback = scene.ecs_pipeline("rollback")
    assert rollback.code == 0, rollback.stderr
    scene.assert_nothing_left()
    refused = scene.canary("v3")
    assert refused.code == 3, refused.stderr
    assert "ECS allows 50, and 9 are needed" in refused.stderr
    scene.ecs.untag_resource(resourceArn=scene.service()["serviceArn"], tagKeys=[tag["key"] for tag in his])
    assert scene.canary("v3").code == 0


def test_where_no_tag_of_ours_is_there_to_be_overwritten_the_canary_leaves_and_4_says_what_to_do(scene: Scene) -> None:
    scene.start(1)
    assert scene.canary("v2").code == 0
    arn = scene.service()["serviceArn"]
    scene.ecs.untag_resource(resourceArn=arn, tagKeys=[*release_tags.SPARE, *release_tags.RESERVED])
    held = scene.ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    his = [{"key": f"x{number}", "value": "y"} for number in range(release_tags.MOST_TAGS - len(held))]
    scene.ecs.tag_resource(resourceArn=arn, tags=his)
    rollback = scene.ecs_pipeline("rollback")
    assert rollback.code == 4
    assert "has the 50 tags that ECS allows" in rollback.stderr
    assert not scene.canaries()
    assert len(scene.health()) == 1
    scene.ecs.untag_resource(resourceArn=arn, tagKeys=[tag["key"] for tag in his])
    assert scene.ecs_pipeline("rollback").code == 0
    scene.assert_nothing_left()


def test_a_second_task_of_our_own_revision_is_no_part_of_the_canary(scene: Scene) -> None:
    scene.start(1)
    assert scene.canary("v2").code == 0
    mine = scene.canaries()[0]
    his = Intruder(scene, "v2").run(mine["taskDefinitionArn"])
    scene.wait_for_task(his)
    assert his.rpartition("/")[2] in scene.ecs_pipeline("status").stdout
    promote = scene.ecs_pipeline("promote", "--release", "v2")
    assert promote.code == 0, promote.stderr
    assert scene.running_image() == scene.images.digest("v2")
    scene.assert_nothing_left()


def test_a_task_with_ecs_exec_that_the_service_does_not_have_is_not_our_canary(scene: Scene) -> None:
    scene.start(1)
    assert scene.canary("v2").code == 0
    mine = scene.canaries()[0]
    scene.ecs.stop_task(cluster=scene.name, task=mine["taskArn"])
    Intruder(scene, "v2").run(mine["taskDefinitionArn"], enableExecuteCommand=True)
    refused = scene.ecs_pipeline("promote", "--release", "v2", "--unjudged")
    assert refused.code == 3
    assert "with ECS Exec, which the service does not have" in refused.stderr
    assert scene.running_image() == scene.images.digest("v1")
