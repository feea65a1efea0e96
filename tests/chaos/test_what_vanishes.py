"""Things vanish or change underneath a release: a clear message, and a rollback that cleans what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import pytest

from tests.chaos.faults import KILLED_AFTER, Death, Gate, after, before
from tests.chaos.picture import left_over
from tests.chaos.rig import KILLED, Rig
from tests.emulator.embedded_aws.environment import wait_for
from tests.emulator.stages.outcome import Outcome
from tests.emulator.stages.scene import Scene

T = TypeVar("T")


@pytest.fixture
def scene(rig: Rig) -> Iterator[Scene]:
    with rig.service() as made:
        yield made


@pytest.fixture
def at_the_gate(scene: Scene) -> Scene:
    """A service whose canary waits for its approval."""
    assert scene.canary("v2").code == 0
    return scene


def stop(scene: Scene) -> str:
    """Somebody stops the canary's task; its id."""
    arn = str(scene.canaries()[0]["taskArn"])
    scene.ecs.stop_task(cluster=scene.name, task=arn, reason="by hand")
    wait_for(lambda: scene.task(arn)["lastStatus"] == "STOPPED")
    return arn.rpartition("/")[2]


def meanwhile(rig: Rig, scene: Scene, gate: Gate, words: Sequence[str], happens: Callable[[], T]) -> tuple[T, Outcome]:
    """Something happens while a command is held at a call: what that gives, and how the command ends."""
    with rig.held(scene, gate, *words) as command:
        gate.wait()
        given = happens()
        gate.open()
        return given, command.ended()


def roll_back(scene: Scene) -> None:
    done = scene.ecs_pipeline("rollback")
    assert done.code == 0, done.stderr
    again = scene.ecs_pipeline("rollback")
    assert again.code == 0, again.stderr


def test_the_canary_dies_during_the_bake(rig: Rig, scene: Scene) -> None:
    scene.config(canary={"bake": "60s"})
    words = ("canary", "--image", scene.images.uri("v2"), "--release", "r1")
    task, done = meanwhile(rig, scene, before("DescribeTargetHealth", 5), words, lambda: stop(scene))
    assert done.code == 1, done.stderr
    assert "the canary task stopped" in done.message("bake")
    assert task in done.junit.read_text()
    assert left_over(scene) == []


def test_the_canary_dies_before_its_verdict_is_written(rig: Rig, scene: Scene) -> None:
    words = ("canary", "--image", scene.images.uri("v2"), "--release", "r1")
    task, done = meanwhile(rig, scene, before("TagResource", 3), words, lambda: stop(scene))
    assert done.code == 1, done.stderr
    assert "the canary task stopped" in done.message("bake")
    assert done.cases()["bake"] == "failure"
    assert done.cases()["restore"] == "passed"
    assert task in done.junit.read_text()
    assert left_over(scene) == []


def test_the_canary_dies_at_the_gate(at_the_gate: Scene) -> None:
    task = stop(at_the_gate)
    promote = at_the_gate.ecs_pipeline("promote")
    assert promote.code == 3, promote.stderr
    assert f"its task {task} stopped" in promote.message("preflight")
    roll_back(at_the_gate)
    assert left_over(at_the_gate) == []


def test_the_canary_dies_during_promote_which_the_service_survives(rig: Rig, at_the_gate: Scene) -> None:
    _, done = meanwhile(rig, at_the_gate, after("UpdateService"), ["promote"], lambda: stop(at_the_gate))
    assert done.code == 0, done.stderr
    at_the_gate.assert_nothing_left()
    assert at_the_gate.running_image() == at_the_gate.images.digest("v2")


def test_the_canary_dies_while_a_killed_promote_waits_to_be_run_again(rig: Rig, at_the_gate: Scene) -> None:
    assert rig.command(at_the_gate, "promote", disturb=Death(KILLED_AFTER, 3)).code == KILLED
    stop(at_the_gate)
    again = at_the_gate.ecs_pipeline("promote")
    assert again.code == 0, again.stderr
    at_the_gate.assert_nothing_left()


def test_the_target_group_is_deleted(at_the_gate: Scene) -> None:
    scene = at_the_gate
    for listener in scene.elb.describe_listeners(LoadBalancerArn=scene.load_balancer)["Listeners"]:
        scene.elb.delete_listener(ListenerArn=listener["ListenerArn"])
    scene.elb.delete_target_group(TargetGroupArn=scene.target_group)
    promote = scene.ecs_pipeline("promote")
    assert promote.code == 3, promote.stderr
    assert f"target group {scene.name} was deleted" in promote.message("preflight")
    roll_back(scene)
    assert scene.canaries() == []
    assert len(scene.revisions()) == 1


def test_the_service_is_scaled_to_nothing(at_the_gate: Scene) -> None:
    at_the_gate.update(desiredCount=0)
    wait_for(lambda: at_the_gate.service()["runningCount"] == 0)
    roll_back(at_the_gate)
    assert (at_the_gate.canaries(), at_the_gate.registered(), len(at_the_gate.revisions())) == ([], set(), 1)
    assert at_the_gate.service()["desiredCount"] == 0


def test_the_service_is_updated_by_hand_at_the_gate(at_the_gate: Scene) -> None:
    by_hand = at_the_gate.register("v3", container={"image": at_the_gate.images.digest("v3")})
    at_the_gate.update(taskDefinition=by_hand)
    at_the_gate.wait_until_stable()
    roll_back(at_the_gate)
    at_the_gate.assert_nothing_left()
    assert at_the_gate.service()["taskDefinition"] == by_hand


def test_the_service_is_updated_by_hand_during_promote(rig: Rig, at_the_gate: Scene) -> None:
    by_hand = at_the_gate.register("v3", container={"image": at_the_gate.images.digest("v3")})
    update = partial(at_the_gate.update, taskDefinition=by_hand)
    _, done = meanwhile(rig, at_the_gate, before("DescribeServices", 5), ["promote"], update)
    assert done.code == 1, done.stderr
    assert f"the service was set to {by_hand.rpartition('/')[2]} while" in done.message("stable")
    at_the_gate.wait_until_stable()
    at_the_gate.assert_nothing_left()
    assert at_the_gate.service()["taskDefinition"] == by_hand
    roll_back(at_the_gate)


def test_the_revision_is_deregistered(at_the_gate: Scene) -> None:
    revision = at_the_gate.canaries()[0]["taskDefinitionArn"]
    at_the_gate.ecs.deregister_task_definition(taskDefinition=revision)
    promote = at_the_gate.ecs_pipeline("promote")
    assert promote.code == 3, promote.stderr
    assert f"{revision.rpartition('/')[2]} was deregistered" in promote.message("preflight")
    roll_back(at_the_gate)
    assert left_over(at_the_gate) == []


def test_the_cluster_is_gone(scene: Scene) -> None:
    scene.ecs.delete_service(cluster=scene.name, service=scene.name, force=True)
    wait_for(lambda: scene.service()["status"] == "INACTIVE")
    scene.ecs.delete_cluster(cluster=scene.name)
    for stage in ("promote", "rollback"):
        done = scene.ecs_pipeline(stage)
        assert done.code == 2, done.stderr
        assert f"no cluster {scene.name}" in done.message("preflight")
