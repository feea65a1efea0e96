"""How long a rollout may take follows from what the service and its target groups say."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.model import rollout_time
from ecs_pipeline.model.release import Service
from ecs_pipeline.steps.rollout_deadline import deadline
from tests.fakes.ports import new_run
from tests.fakes.world import World
from tests.unit.facts import group, service

MINUTE = 60.0
PLAIN: dict[str, Any] = {"containerDefinitions": [{"name": "app"}]}


def of(desired: int, maximum: int = 200, minimum: int = 100, **raw: Any) -> Service:
    configuration = {"maximumPercent": maximum, "minimumHealthyPercent": minimum, **raw.pop("configuration", {})}
    return service({"deploymentConfiguration": configuration, **raw}, desired=desired)


def allowed(found: Service, definition: dict[str, Any] | None = None, **members: Any) -> float:
    return rollout_time.allowed(
        found, [group(**members)], definition or PLAIN, starts_within=5 * MINUTE, stall=5 * MINUTE
    )


@pytest.mark.parametrize(
    ("desired", "maximum", "minimum", "batch", "rounds"),
    [
        (3, 200, 100, 3, 1),
        (20, 110, 100, 2, 10),
        (8, 125, 100, 2, 4),
        (4, 100, 50, 2, 2),
        (4, 150, 50, 4, 1),
        (3, 100, 100, 1, 3),
        (0, 200, 100, 1, 1),
        (1, 100, 0, 1, 1),
    ],
)
def test_a_batch_is_what_may_be_above_and_what_may_be_missing(
    desired: int, maximum: int, minimum: int, batch: int, rounds: int
) -> None:
    found = of(desired, maximum, minimum)
    assert (rollout_time.batch(found), rollout_time.rounds(found)) == (batch, rounds)


def test_without_a_configuration_the_defaults_of_ecs_count() -> None:
    assert rollout_time.batch(service({}, desired=3)) == 3


def test_twenty_tasks_at_110_percent_have_the_time_that_they_need() -> None:
    assert allowed(of(20, 110)) == 10 * (5 * MINUTE + 330) + 5 * MINUTE


def test_eight_tasks_that_are_slow_to_be_healthy_have_the_time_that_they_need() -> None:
    slow = of(8, 125, healthCheckGracePeriodSeconds=600)
    assert allowed(slow, judged_within=65) == 4 * (665 + 330) + 5 * MINUTE


def test_a_health_check_of_a_container_counts_with_its_defaults() -> None:
    checked = {"containerDefinitions": [{"name": "app", "healthCheck": {"startPeriod": 300}, "stopTimeout": 120}]}
    assert rollout_time.until_healthy(of(1), [group(judged_within=20)], checked) == 300 + 30 * 4
    assert rollout_time.until_gone([group(drain=10)], checked) == 130


def test_a_small_rollout_has_a_quarter_of_an_hour_and_none_more_than_a_day() -> None:
    assert allowed(of(1), drain=0) == 15 * MINUTE
    assert allowed(of(2000, 101, 100), drain=3600) == 24 * 60 * MINUTE


def test_time_is_left_for_the_alarms_that_ecs_watches() -> None:
    watched = of(3, configuration={"alarms": {"enable": True, "alarmNames": ["a"]}})
    assert allowed(watched) == allowed(of(3)) + 60 * MINUTE


@pytest.mark.parametrize(
    ("promote", "told", "seconds"),
    [
        ({}, "3 tasks, 3 at a time: 15m at most, 5m without a change", 900),
        (
            {"stable_within": "2h", "stalled_after": "90s"},
            "3 tasks, 3 at a time: 2h at most, 1m 30s without a change",
            7200,
        ),
    ],
)
def test_the_console_says_how_long_a_rollout_may_take(promote: dict[str, str], told: str, seconds: float) -> None:
    world = World()
    run, lines = new_run(world, "promote", ["stable"], {"promote": promote}), list[str]()
    run.recorder.progress = lines.append  # type: ignore[method-assign,assignment]
    found = deadline(run, run.ecs.service(), world.deployments[0].revision)
    assert lines == [told]
    assert (found.at - world.now, found.allowed) == (seconds, seconds)


def test_a_service_without_a_load_balancer_has_its_tasks_stopped_only() -> None:
    assert rollout_time.until_gone([], PLAIN) == 30
    assert rollout_time.until_healthy(of(1), [], PLAIN) == 0
