"""The bake: watched for its whole time, over at once when something breaks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecs_pipeline.model.load_balancing import Target, TargetGroup, TargetHealth
from ecs_pipeline.steps import bake as module
from ecs_pipeline.steps.traffic import targets_seen
from ecs_pipeline.timing.wait import StepBroken
from tests.fakes.load_balancing import FakeElb
from tests.fakes.world import World
from tests.unit.bakes import baking, later, on, watched, watching
from tests.unit.canary_world import start, tasks_step
from tests.unit.facts import GROUP, group


@pytest.mark.parametrize("seconds", [0, 3, 5, 62])
def test_a_canary_that_stays_well_is_watched_for_exactly_its_time(seconds: float) -> None:
    assert watched(baking(World()), seconds) == pytest.approx(seconds)


def test_it_is_looked_at_every_few_seconds_and_once_more_at_the_end() -> None:
    world = World()
    bake = baking(world)
    world.log.clear()
    bake.watch(4 * module.INTERVAL + 1)
    assert sum(1 for _, name, _ in world.log if name == "DescribeTargetHealth") == 6


@pytest.mark.parametrize(
    ("age", "weighted", "looks"),
    [(0.0, False, 1), (module.FRESH + 0.1, False, 2), (0.0, True, 2)],
    ids=["fresh", "stale", "anomalies are asked for"],
)
def test_what_was_seen_just_now_is_its_first_look(age: float, *, weighted: bool, looks: int) -> None:
    world = World()
    bake = on(baking(world), elb=Weighted(world, weighted=weighted))
    bake.seen = targets_seen(bake.run, bake.subject.canary, bake.subject.service)
    world.schedule.now += age
    world.log.clear()
    bake.watch(1)
    assert [name for _, name, _ in world.log].count("DescribeTasks") == looks


def test_a_task_that_had_stopped_already_ends_it_at_once() -> None:
    world = World()
    bake = baking(world)
    (found,) = world.tasks.values()
    world.stop_task(found.arn, "Essential container in task exited", "EssentialContainerExited")
    bake.seen = targets_seen(bake.run, bake.subject.canary, bake.subject.service)
    with pytest.raises(StepBroken, match=r"^the canary task stopped: Essential container in task exited"):
        bake.watch(1000)


class Weighted(FakeElb):
    """Target groups that may tell anomalies."""

    def __init__(self, world: World, *, weighted: bool) -> None:
        super().__init__(world)
        self.weighted = weighted

    def target_group(self, arn: str) -> TargetGroup | None:
        return group(arn, anomaly_detection=self.weighted)


@pytest.mark.parametrize("delays", [{"initial_delay": "40s"}, {}])
def test_slow_start_and_the_initial_delay_come_before_the_bakes_own_time(delays: dict[str, str]) -> None:
    bake = baking(World(), {"canary": delays})
    elb = bake.run.elb
    slow = on(bake, elb=SlowStart(elb))
    assert watched(slow, 10) == pytest.approx(10 + 30 + (40 if delays else 0))
    assert watched(slow, 0) == 0


class SlowStart:
    """Target groups whose targets take their part of the traffic after half a minute."""

    def __init__(self, elb: Any) -> None:
        self.health = elb.health

    def target_group(self, arn: str) -> Any:
        return group(arn, slow_start=30)


def test_a_task_that_stops_ends_it_with_the_reason_and_the_log() -> None:
    world = World()
    bake = baking(world)
    (found,) = world.tasks.values()
    later(
        world, 12, lambda: world.stop_task(found.arn, "Essential container in task exited", "EssentialContainerExited")
    )
    begun = world.now
    with pytest.raises(StepBroken, match=r"^the canary task stopped: Essential container in task exited") as caught:
        bake.watch(1000)
    assert 12 <= world.now - begun <= 12 + module.INTERVAL
    assert "  the last line" in caught.value.evidence


def test_a_task_that_is_gone_ends_it() -> None:
    world = World()
    bake = baking(world)
    later(world, 12, lambda: world.missing.update(world.tasks))
    with pytest.raises(StepBroken, match=r"^a canary task is gone$"):
        bake.watch(1000)


def test_a_target_that_somebody_takes_out_ends_it() -> None:
    world = World()
    bake = baking(world)
    later(world, 12, world.targets.clear)
    with pytest.raises(StepBroken, match=r"^target 10.0.0.2:8000 in web is not registered any more$"):
        bake.watch(1000)


def test_container_health_ends_it() -> None:
    bake = baking(World())
    ecs = bake.run.ecs

    class Unhealthy:
        service = ecs.service

        def tasks(self, arns: list[str]) -> Any:
            return tuple(replace(task, health="UNHEALTHY") for task in ecs.tasks(arns))

    sick = on(bake, ecs=Unhealthy())
    with pytest.raises(StepBroken, match=r"^container health of task \w+ is UNHEALTHY$") as caught:
        sick.watch(1000)
    assert "  the last line" in caught.value.evidence


@pytest.mark.parametrize(
    ("health", "words"),
    [
        (
            {"state": "unhealthy", "reason": "Target.Timeout", "description": "late"},
            "is unhealthy: Target.Timeout late",
        ),
        ({"state": "initial"}, "is initial"),
        ({"state": "draining"}, "is not registered any more"),
        ({"state": "unused", "reason": "Target.NotRegistered"}, "is not registered any more"),
        ({"state": "unused", "reason": "Target.NotInUse"}, "is unused: Target.NotInUse"),
        ({"state": "healthy", "anomalous": True}, "is anomalous: the load balancer finds it worse than the others"),
    ],
)
def test_a_target_that_is_anything_but_healthy_ends_it(health: dict[str, Any], words: str) -> None:
    bake = baking(World())

    class Elb:
        def target_group(self, arn: str) -> Any:
            return group(arn, anomaly_detection=True)

        def health(self, arn: str, targets: list[Target], *, anomalies: bool) -> list[TargetHealth]:
            assert (arn, anomalies) == (GROUP, True)
            return [TargetHealth(target.identity, target.port, **health) for target in targets]

    sick = on(bake, elb=Elb())
    with pytest.raises(StepBroken) as caught:
        sick.watch(1000)
    assert str(caught.value) == f"target 10.0.0.2:8000 in web {words}"


def test_without_a_load_balancer_tasks_alone_are_watched() -> None:
    world = World(with_load_balancer=False)
    step = tasks_step(world)
    bake = watching(step.run, step.service, start(step), step.revision)
    assert watched(bake, 30) == pytest.approx(30)
