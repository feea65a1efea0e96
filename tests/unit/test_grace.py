"""A canary that took longer to become healthy than tasks of the service may: told, for the rollout would fail."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ecs_pipeline.aws.elb import Elb
from ecs_pipeline.aws.session import AwsClient
from ecs_pipeline.engine.recorder import Recorder
from ecs_pipeline.model.load_balancing import TargetGroup
from tests.fakes.load_balancing import FakeElb
from tests.fakes.world import World
from tests.unit.canary_world import kill_at
from tests.unit.stage_runs import canary

SLOW = 40.0
"""Seconds until the canary's target is healthy."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of progress, with a target group that is checked every 10 seconds and fails after 2 checks."""
    lines: list[str] = []
    progress = Recorder.progress

    def remember(self: Recorder, text: str) -> None:
        lines.append(text)
        progress(self, text)

    def group(self: FakeElb, arn: str) -> TargetGroup:
        drain = int(self.world.delays.drain)
        return TargetGroup(arn, "ip", "HTTP", drain, 0, anomaly_detection=False, interval=10, unhealthy_threshold=2)

    monkeypatch.setattr(Recorder, "progress", remember)
    monkeypatch.setattr(FakeElb, "target_group", group)
    return lines


def slow_world(grace: int) -> World:
    world = World()
    world.delays.healthy = SLOW
    world.raw["healthCheckGracePeriodSeconds"] = grace
    return world


SETTINGS = {"canary": {"bake": "0s", "healthy_within": "2m"}}


@pytest.mark.parametrize(("grace", "warned"), [(0, True), (30, True), (60, False)])
def test_a_start_that_the_service_would_not_wait_for_is_told(told: list[str], grace: int, *, warned: bool) -> None:
    assert canary(slow_world(grace), release="A", settings=SETTINGS).code == 0
    warnings = [line for line in told if line.startswith("warning: ")]
    assert len(warnings) == warned
    if warned:
        assert f"not healthy after {max(grace, 20)}s: raise the service's health check grace period" in warnings[0]


def test_checks_that_take_longer_than_the_grace_period_are_counted(told: list[str]) -> None:
    world = slow_world(10)
    world.delays.healthy = 15
    assert canary(world, release="A", settings=SETTINGS).code == 0
    assert not [line for line in told if line.startswith("warning: ")]


def test_a_canary_that_another_process_started_tells_nothing(told: list[str]) -> None:
    world = slow_world(0)
    kill_at(world, "after", "RegisterTargets", lambda: canary(world, release="A", settings=SETTINGS))
    world.schedule.now += 100
    assert canary(world, release="A", settings=SETTINGS).code == 0
    assert not [line for line in told if line.startswith("warning: ")]


def test_without_a_load_balancer_there_is_nothing_to_compare(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        FakeElb, "target_group", lambda _self, arn: TargetGroup(arn, "ip", "", 0, 0, anomaly_detection=False)
    )
    assert canary(slow_world(0), release="A", settings=SETTINGS).code == 0
    assert not [line for line in told if line.startswith("warning: ")]


class Client:
    """Answers with a target group whose health checks are those of a new one (CreateTargetGroup)."""

    def call(self, operation: str, /, **_: Any) -> dict[str, Any]:
        group = {"HealthCheckIntervalSeconds": 30, "UnhealthyThresholdCount": 2, "TargetType": "ip", "Protocol": "HTTP"}
        return {"DescribeTargetGroups": {"TargetGroups": [group]}}.get(operation, {"Attributes": []})


def test_a_target_group_tells_how_soon_a_target_is_unhealthy() -> None:
    group = Elb(cast(AwsClient, Client())).target_group("arn")
    assert group is not None
    assert (group.interval, group.unhealthy_threshold) == (30, 2)
