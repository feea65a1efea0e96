"""A rollout that goes wrong is noticed at once and undone; one that is disturbed is not mistaken."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.emulator.embedded_aws.environment import wait_for
from tests.emulator.stages.meanwhile import while_running
from tests.emulator.stages.outcome import Outcome
from tests.emulator.stages.scene import Scene

SWITCH = '[ "$VERSION" = v1 ] || [ ! -e /switch/crash ] || exit 3; exec /app/serve.sh'
NO_BREAKER = {"deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100}}


@pytest.fixture
def switched(scene: Scene) -> Scene:
    """A scene whose new tasks crash at their start once `crash` exists: a canary may be well and the rollout not."""
    (scene.folder / "switch").mkdir()
    return scene


def start(scene: Scene, **members: Any) -> str:
    return scene.start(
        2,
        container={
            "command": ["sh", "-c", SWITCH],
            "mountPoints": [{"sourceVolume": "switch", "containerPath": "/switch", "readOnly": True}],
        },
        definition={"volumes": [{"name": "switch", "host": {"sourcePath": str(scene.folder / "switch")}}]},
        **members,
    )


@pytest.mark.parametrize("members", [{}, NO_BREAKER], ids=["breaker", "no breaker"])
def test_crashing_tasks_fail_the_promote_and_the_service_goes_back(switched: Scene, members: dict[str, Any]) -> None:
    before = start(switched, **members)
    assert switched.canary("v2").code == 0
    (switched.folder / "switch" / "crash").touch()
    promote = switched.ecs_pipeline("promote")
    assert promote.code == 1, promote.stderr
    assert promote.cases()["stable"] == "failure"
    assert "exit code 3" in promote.stderr, promote.stderr
    assert switched.service()["taskDefinition"] == before
    assert switched.canaries() == []
    assert switched.revisions() == [1]
    assert "release" not in switched.marks()


def test_the_canary_leaves_the_traffic_while_the_old_tasks_drain(scene: Scene) -> None:
    """So the deregistration delay is waited for once."""
    scene.start(2)
    assert scene.canary("v2").code == 0
    scene.elb.modify_target_group_attributes(
        TargetGroupArn=scene.target_group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "20"}],
    )
    promote = scene.ecs_pipeline("promote")
    assert promote.code == 0, promote.stderr
    left = promote.stderr.index("drain: take ")
    assert left < promote.stderr.index("stable passed")
    assert promote.stderr.count("drain: take ") == 1
    assert promote.message("drain").startswith("out of the traffic: ")
    scene.assert_nothing_left()


def test_a_task_that_finds_no_place_is_told_and_the_promote_goes_on(scene: Scene) -> None:
    scene.start(1)
    assert scene.canary("v2").code == 0
    scene.server.configure(placement_failures=2)
    promote = scene.ecs_pipeline("promote")
    assert promote.code == 0, promote.stderr
    assert "unable to place a task. Reason: Capacity is unavailable" in promote.stderr
    assert scene.running_image() == scene.images.digest("v2")
    scene.assert_nothing_left()


@pytest.mark.parametrize(
    ("reason", "why"),
    [("", "nothing has moved for"), ("LACKS: is missing an attribute required by your task.", "missing an attribute")],
)
def test_a_promote_that_finds_no_place_at_all_is_rolled_back(scene: Scene, reason: str, why: str) -> None:
    before = scene.start(1, **NO_BREAKER)
    scene.config(promote={"stalled_after": "4s" if not reason else "5m"})
    assert scene.canary("v2").code == 0
    scene.server.configure(placement_failures=10_000, placement_reason=reason)
    promote = scene.ecs_pipeline("promote")
    assert promote.code == 1, promote.stderr
    assert promote.cases()["stable"] == "failure"
    assert why in promote.case_message("stable")
    assert scene.service()["taskDefinition"] == before
    assert scene.canaries() == []


def test_a_protected_task_holds_the_rollout_and_is_told(scene: Scene) -> None:
    scene.start(1, healthCheckGracePeriodSeconds=0)
    scene.config(promote={"stalled_after": "1s", "stable_within": "5m"})
    assert scene.canary("v2").code == 0
    arguments = {"cluster": scene.cluster, "tasks": [scene.tasks()[0]["taskArn"]]}
    scene.ecs.update_task_protection(**arguments, protectionEnabled=True)

    def end_it_later() -> None:
        wait_for(lambda: scene.service()["deployments"][0]["runningCount"] == 1)
        time.sleep(30)  # well beyond stalled_after and the time to become healthy
        scene.ecs.update_task_protection(**arguments, protectionEnabled=False)

    promote = alongside(scene, "promote", end_it_later)
    assert promote.code == 0, promote.stderr
    assert "was unable to scale in due to (reason 1 tasks under protection)" in promote.stderr
    assert "1 task is protected from scale-in until" in promote.stderr
    scene.assert_nothing_left()


def test_an_interrupted_task_of_the_rollout_is_not_the_releases_failure(scene: Scene) -> None:
    scene.start(1, **NO_BREAKER)
    assert scene.canary("slow-start").code == 0
    taken: dict[str, str] = {}

    def is_running(arn: str) -> bool:
        return bool(scene.task(arn)["lastStatus"] == "RUNNING")

    def take_away() -> None:
        for _ in range(3):
            task = wait_for(lambda: [task["taskArn"] for task in scene.tasks() if task["taskArn"] not in taken][-1:])
            wait_for(partial(is_running, task[0]))
            if scene.task(task[0])["taskDefinitionArn"].endswith(":2"):
                taken[task[0]] = "SpotInterruption"
                scene.server.configure(taken_away=taken)

    promote = alongside(scene, "promote", take_away)
    assert promote.code == 0, promote.stderr
    assert scene.running_image() == scene.images.digest("slow-start")


def test_a_canary_that_finds_no_place_tells_so_and_takes_the_next_one(scene: Scene) -> None:
    scene.start(1)
    scene.server.configure(placement_failures=2)
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert "no place: Capacity is unavailable" in canary.stderr
    assert len(scene.canaries()) == 1


def test_a_canary_that_can_never_find_a_place_fails_at_once(scene: Scene) -> None:
    scene.start(1)
    scene.server.configure(placement_failures=1, placement_reason="ATTRIBUTE")
    canary = scene.canary("v2")
    assert canary.code == 1
    assert "an attribute that the task definition requires (ATTRIBUTE)" in canary.report["message"]
    assert scene.revisions() == [1]


def test_scaling_in_the_middle_does_not_confuse_the_promote(scene: Scene) -> None:
    scene.start(2)
    scene.canary("slow-start")
    promote = alongside(scene, "promote", lambda: scene.update(desiredCount=4))
    assert promote.code == 0, promote.stderr
    service = scene.service()
    assert (service["desiredCount"], service["runningCount"]) == (4, 4)
    assert scene.running_image() == scene.images.digest("slow-start")
    scene.assert_nothing_left()


def test_a_service_set_by_hand_while_it_rolls_is_told_and_restored(scene: Scene) -> None:
    before = scene.start(1)
    other = scene.register("v3")
    scene.canary("slow-start")
    promote = alongside(scene, "promote", lambda: scene.update(taskDefinition=other))
    assert promote.code == 1, promote.stderr
    assert f"was set to {scene.name}:2" in promote.stderr
    assert scene.canaries() == []
    assert scene.service()["taskDefinition"] in (before, other)


def test_a_rollout_under_way_is_rolled_back_and_its_promote_stops(scene: Scene) -> None:
    before = scene.start(2)
    scene.canary("slow-start")
    found: list[Outcome] = []
    promote = alongside(scene, "promote", lambda: found.append(scene.ecs_pipeline("rollback")))
    assert found[0].code == 0, found[0].stderr
    assert promote.code == 3, promote.stderr
    assert "cancelled" in promote.stderr
    assert scene.service()["taskDefinition"] == before
    assert scene.revisions() == [1]
    scene.assert_nothing_left()


def alongside(scene: Scene, stage: str, act: Callable[[], object]) -> Outcome:
    """Run a stage, and do something as soon as the service was told to roll."""
    before = scene.service()["taskDefinition"]

    def then_act() -> None:
        wait_for(lambda: scene.service()["taskDefinition"] != before)
        act()

    return while_running(scene, then_act, stage)
