"""The bake: watched for its whole time, over at once when something breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.load_balancing import Target, TargetGroup, TargetHealth
from ecs_pipeline.model.release import Container, Service, Task, TaskDefinition
from ecs_pipeline.steps import bake as module
from ecs_pipeline.steps.bake import Bake
from ecs_pipeline.steps.traffic import targets_seen
from ecs_pipeline.timing.wait import StepBroken
from tests.fakes.ports import FakeElb, new_run
from tests.fakes.world import World
from tests.unit.canary_world import start, take, tasks_step, traffic_step
from tests.unit.facts import GROUP, group


def baking(world: World, settings: dict[str, Any] | None = None) -> Bake:
    """The bake of a canary that takes traffic."""
    step = traffic_step(world)
    take(step)
    run = replace(new_run(world, "canary", ["bake"], settings), clock=step.run.clock)
    return watching(run, step.service, step.tasks, step.revision)


def watching(run: Run, service: Service, tasks: Sequence[Task], revision: TaskDefinition) -> Bake:
    return Bake(Subject(run, service, tasks, revision, "app", run.clock.wall()))


def on(bake: Bake, **adapters: Any) -> Bake:
    """The same bake with another adapter."""
    return Bake(replace(bake.subject, run=replace(bake.run, **adapters)))


def watched(bake: Bake, seconds: float) -> float:
    """How long it took."""
    begun = bake.run.clock.now()
    bake.watch(seconds)
    return bake.run.clock.now() - begun


def later(world: World, seconds: float, act: Callable[[], None]) -> None:
    """Do something once so much time is over."""
    at = world.now + seconds

    def hook(when: str, _call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if when == "before" and world.now >= at:
            act()

    world.hook = hook


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
            return tuple(replace(one, health="UNHEALTHY") for one in ecs.tasks(arns))

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
            return [TargetHealth(one.identity, one.port, **health) for one in targets]

    sick = on(bake, elb=Elb())
    with pytest.raises(StepBroken) as caught:
        sick.watch(1000)
    assert str(caught.value) == f"target 10.0.0.2:8000 in web {words}"


def test_without_a_load_balancer_tasks_alone_are_watched() -> None:
    world = World(with_load_balancer=False)
    step = tasks_step(world)
    bake = watching(step.run, step.service, start(step), step.revision)
    assert watched(bake, 30) == pytest.approx(30)


def with_sidecar(bake: Bake) -> Bake:
    """The same with a second container in its revision."""
    whole = bake.subject.revision
    containers = [*whole.definition["containerDefinitions"], {"name": "sidecar", "image": "s", "essential": False}]
    bake.subject.revision = replace(whole, definition={**whole.definition, "containerDefinitions": containers})
    return bake


@pytest.mark.parametrize(
    ("sidecar", "words"),
    [
        (Container("sidecar", "STOPPED", exit_code=137, reason="OutOfMemoryError: killed"), "OutOfMemoryError: killed"),
        (Container("sidecar", "STOPPED", exit_code=2), "exit code 2"),
        (Container("sidecar", "STOPPED", exit_code=0), ""),
    ],
)
def test_a_container_that_ends_with_an_error_ends_it_though_the_task_lives(sidecar: Container, words: str) -> None:
    world = World()
    bake = with_sidecar(baking(world))
    tasks, begun = bake.run.ecs.tasks, world.now

    class Ecs:
        service = staticmethod(bake.run.ecs.service)

        def tasks(self, arns: list[str]) -> Any:
            ended = (sidecar,) if world.now > begun + 7 else ()
            return tuple(replace(one, containers=(*one.containers, *ended)) for one in tasks(arns))

    sick = on(bake, ecs=Ecs())
    if not words:
        assert watched(sick, 30) == pytest.approx(30)
        return
    with pytest.raises(StepBroken, match=rf"^container sidecar of task \w+ ended: {words}$"):
        sick.watch(30)


def test_a_container_that_the_revision_does_not_have_may_end_as_it_likes() -> None:
    """GuardDuty puts its agent into tasks: guide, "Identify unauthorized behavior using Runtime Monitoring"."""
    bake = with_sidecar(baking(World()))
    tasks = bake.run.ecs.tasks
    agent = Container("aws-guardduty-agent-x", "STOPPED", exit_code=1)

    class Ecs:
        service = staticmethod(bake.run.ecs.service)

        def tasks(self, arns: list[str]) -> Any:
            return tuple(replace(one, containers=(*one.containers, agent)) for one in tasks(arns))

    assert watched(on(bake, ecs=Ecs()), 30) == pytest.approx(30)


class Restarting:
    """Tasks of which a container is started anew after seven seconds."""

    def __init__(self, world: World, ecs: Any, container: str) -> None:
        self.service, self._tasks = ecs.service, ecs.tasks
        self._world, self._container, self._begun = world, container, world.now

    def tasks(self, arns: list[str]) -> Any:
        second = self._world.now > self._begun + 7
        others = (Container("sidecar", "RUNNING"), Container(self._container, "RUNNING", runtime_id=f"id-{second}"))
        return tuple(replace(one, containers=(Container("app", "RUNNING"), *others)) for one in self._tasks(arns))


def test_an_app_that_ecs_started_anew_ends_it_though_its_task_lives() -> None:
    """By another runtime id. No real part shows one: ministack's containers and those of ECS' own agent keep theirs."""
    world = World()
    bake = baking(world)
    sick = on(bake, ecs=Restarting(world, bake.run.ecs, "app"))
    with pytest.raises(StepBroken, match=r"^container app of task \w+ was restarted$") as caught:
        sick.watch(30)
    assert "  the last line" in caught.value.evidence


def test_another_container_that_was_started_anew_is_only_shown() -> None:
    world = World()
    bake = baking(world)
    said: list[str] = []
    bake.run.recorder.progress = said.append  # type: ignore[method-assign,assignment]
    assert watched(on(bake, ecs=Restarting(world, bake.run.ecs, "proxy")), 30) == pytest.approx(30)
    assert len(said) == 1
    assert said[0].startswith("container proxy of task ")
    assert "was restarted: shown only" in said[0]


@pytest.mark.parametrize("usual", [False, True])
def test_one_that_ended_with_an_error_before_the_bake_may_only_when_those_of_the_service_do_too(*, usual: bool) -> None:
    """A bake that was cut short and starts over must not pass over what died meanwhile."""
    world = World()
    bake = with_sidecar(baking(world))
    tasks = bake.run.ecs.tasks
    ended = Container("sidecar", "STOPPED", exit_code=1)
    own = replace(bake.subject.canary[0], arn="arn:task/prd/own", containers=(ended,) if usual else ())

    class Ecs:
        service = staticmethod(bake.run.ecs.service)

        def arns_of_service(self) -> list[str]:
            return [own.arn]

        def tasks(self, arns: list[str]) -> Any:
            if arns == [own.arn]:
                return (replace(own, revision=bake.subject.service.revision),)
            return tuple(replace(one, containers=(*one.containers, ended)) for one in tasks(arns))

    sick = on(bake, ecs=Ecs())
    if usual:
        assert watched(sick, 30) == pytest.approx(30)
        return
    with pytest.raises(StepBroken, match=r"^container sidecar of task \w+ ended: exit code 1$"):
        sick.watch(30)
