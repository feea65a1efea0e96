"""Taking a canary away beside a forced deployment of what was promoted: the promotion was over, and stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.world import World
from tests.unit.canary_world import kill_at
from tests.unit.intruder import forge
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import End, canary, promote, rollback, serving


def deploy_anew(world: World, *, drained: bool) -> None:
    """UpdateService with forceNewDeployment; `drained`: the tasks of the deployment before are gone by now."""
    world.schedule.now += 3600
    world.delays.rollout = 60
    before = world.deployments[0]
    anew = replace(before, id="ecs-svc/forced", rollout="IN_PROGRESS", created=world.now)
    world.deployments = [anew] if drained else [anew, replace(before, status="ACTIVE")]


def take_away(world: World, stage: str) -> End:
    if stage == "canary --replace":
        return canary(world, release="B", replace=True)
    return rollback(world, canary_only=True)


@pytest.mark.parametrize("drained", [False, True])
@pytest.mark.parametrize("stage", ["rollback --canary", "canary --replace"])
def test_a_promoted_service_that_is_deployed_anew_keeps_its_release(stage: str, *, drained: bool) -> None:
    world = start_of("A is a canary")
    kill_at(world, "before", "StopTask", lambda: promote(world, release="A"))
    (left,) = world.alive()
    deploy_anew(world, drained=drained)
    end = take_away(world, stage)
    assert (end.code, serving(world), world.revisions[left.revision].active) == (0, "web:3", True), end.text
    assert left.stop_asked is not None


@pytest.mark.parametrize("drained", [False, True])
@pytest.mark.parametrize("stage", ["rollback --canary", "canary --replace"])
def test_a_task_of_his_beside_a_forced_deployment_undoes_no_promotion(stage: str, *, drained: bool) -> None:
    world = start_of("P runs")
    deploy_anew(world, drained=drained)
    his = forge(world, "P", world.deployments[0].revision)
    end = take_away(world, stage)
    assert (end.code, serving(world), world.revisions[his.revision].active) == (0, "web:2", True), end.text
    assert his.stop_asked is not None


@pytest.mark.parametrize("stage", ["rollback --canary", "canary --replace"])
def test_a_promotion_whose_own_rollout_is_not_over_is_undone(stage: str) -> None:
    world = start_of("A is a canary")
    world.delays.rollout = 60
    kill_at(world, "after", "UpdateService", lambda: promote(world, release="A"))
    end = take_away(world, stage)
    assert (end.code, serving(world)) == (0, "web:2"), end.text


def test_a_promotion_that_is_deployed_anew_before_its_rollout_is_over_is_undone() -> None:
    world = start_of("A is a canary")
    world.delays.rollout = 60
    kill_at(world, "after", "UpdateService", lambda: promote(world, release="A"))
    first, *others = world.deployments
    world.deployments = [replace(first, id="ecs-svc/forced"), replace(first, status="ACTIVE"), *others]
    end = rollback(world, canary_only=True)
    assert (end.code, serving(world)) == (0, "web:2"), end.text


def test_a_promotion_that_the_circuit_breaker_gave_up_is_undone() -> None:
    """Without a rollback of its own the breaker leaves the failed deployment as the PRIMARY one."""
    world = start_of("A is a canary")
    kill_at(world, "after", "UpdateService", lambda: promote(world, release="A"))
    world.deployments = [replace(world.deployments[0], rollout="FAILED")]
    end = rollback(world, canary_only=True)
    assert (end.code, serving(world)) == (0, "web:2"), end.text
