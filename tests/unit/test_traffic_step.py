"""The canary's traffic: written down first, then registered in every group, then healthy there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecs_pipeline.engine.recorder import Recorder
from ecs_pipeline.model.load_balancing import LoadBalancing, Target, TargetHealth
from ecs_pipeline.model.release import Epoch
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.fence import EpochChanged
from ecs_pipeline.steps.traffic import Seen, TrafficStep, record_share, targets_seen
from ecs_pipeline.timing.wait import Broken, Settled, StepBroken, TimedOut, Waiting
from tests.fakes.world import World
from tests.unit.canary_world import at, only, recorded, take, tasks_step, traffic_step
from tests.unit.facts import GROUP, OTHER_GROUP, crashed, group, task

BOTH = (LoadBalancing(GROUP, "app", 8000), LoadBalancing(OTHER_GROUP, "app", 9000))
CANCELLED = {release_tags.EPOCH: release_tags.epoch_value(Epoch("abc", "A"))}


def written(world: World) -> list[tuple[str, Any]]:
    return [(name, detail) for _, name, detail in world.log if name in world.writes()]


def test_the_address_is_written_down_before_it_is_registered() -> None:
    world = World()
    seen = take(traffic_step(world))
    key = (only(world).address, 8000)
    (tag, record), register = written(world)
    assert (tag, recorded(record)) == ("TagResource", [key])
    assert register == ("RegisterTargets", [key])
    assert [health.state for target in seen.targets if (health := seen.of(target))] == ["healthy"]


def test_every_group_gets_every_task_at_its_own_port() -> None:
    world = World(more_groups=(OTHER_GROUP,))
    step = traffic_step(world, count=2, load_balancing=BOTH)
    take(step)
    addresses = sorted(canary_task.address for canary_task in world.alive())
    (_, record), *registers = written(world)
    wanted = [[(address, port) for address in addresses] for port in (8000, 9000)]
    assert registers == [("RegisterTargets", detail) for detail in wanted]
    assert sorted(recorded(record)) == sorted(wanted[0] + wanted[1])


def test_targets_that_are_in_already_are_not_registered_again() -> None:
    world = World()
    take(traffic_step(world))
    step = traffic_step(world)
    take(step)
    assert world.writes() == []


def test_a_target_that_was_taken_out_and_still_drains_is_put_in_again() -> None:
    world = World()
    step = traffic_step(world)
    take(step)
    step.run.elb.deregister(GROUP, [Target(GROUP, only(world).address, 8000)])
    world.log.clear()
    assert "register 10.0.0.2:8000 in web" in step.decide(step.observe())
    take(step)
    assert world.registered() == [(only(world).address, 8000)]


def test_of_new_tasks_is_not_asked_whether_they_are_registered_and_to_do_it_again_does_no_harm() -> None:
    world = World()
    first = traffic_step(world)
    take(first)
    world.log.clear()
    step = replace(first, new=True)
    take(step)
    assert [name for _, name, _ in world.log[:2]] == ["DescribeServices", "TagResource"]
    assert world.registered() == [(only(world).address, 8000)]
    assert all(step.observe().of(target) for target in step.observe().targets)


def test_the_share_is_told() -> None:
    step = traffic_step(World(desired=3))
    assert step.told(take(step)) == "1 of 4 targets: 25 % of the traffic"


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({"10.9.0.1": "healthy", "10.9.0.2": "healthy"}, "1 of 6 targets: 17 % of the traffic"),
        ({"10.9.0.1": "unhealthy", "10.9.0.2": "draining"}, "1 of 4 targets: 25 % of the traffic"),
    ],
)
def test_the_share_is_of_all_healthy_targets_of_the_group_another_services_too(
    others: dict[str, str], told: str
) -> None:
    world = World(desired=3, other_targets=others)
    step = traffic_step(world)
    seen = take(step)
    assert step.told(seen) == told
    record_share(step.run, step.tasks, step.others(seen), seen)
    record = step.run.recorder.record
    assert f"{record.share:.0f} %" in told
    assert record.traffic[-1].stable == len([other for other in others.values() if other == "healthy"]) + 3


def test_a_service_whose_tasks_are_not_all_healthy_leaves_the_canary_a_larger_share() -> None:
    world = World(desired=3)
    world.service_tasks = world.service_tasks[:1]
    step = traffic_step(world)
    assert step.told(take(step)) == "1 of 2 targets: 50 % of the traffic"


def test_a_group_that_tells_nothing_leaves_the_count_of_the_service() -> None:
    step = traffic_step(World(desired=3, other_targets={"10.9.0.1": "healthy"}))
    seen = take(step)
    assert step.told(seen) == "1 of 5 targets: 20 % of the traffic"
    assert step.told(replace(seen, health={})) == "1 of 4 targets: 25 % of the traffic"


def test_without_a_load_balancer_there_is_nothing_to_do() -> None:
    world = World(with_load_balancer=False)
    step = traffic_step(world)
    assert step.told(take(step)) == "the service has no load balancer: the canary takes no traffic"
    assert world.writes() == []


def test_a_target_that_stays_unhealthy_ends_the_step_with_its_state_and_the_tasks_log() -> None:
    world = World(bad_images={"image:A": "unhealthy"})
    with pytest.raises(TimedOut, match=r"not within 30s: targets: 10\.0\.0\.2:8000 unhealthy \(Target") as caught:
        take(traffic_step(world), within=30)
    assert "  the last line" in caught.value.evidence


def test_a_target_that_stays_unhealthy_is_told_with_the_time_gone_and_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(bad_images={"image:A": "unhealthy"})
    told: list[str] = []
    step = traffic_step(world)
    monkeypatch.setattr(Recorder, "progress", lambda _self, line: told.append(line))
    with pytest.raises(TimedOut):
        take(step, within=300)
    timed = [line for line in told if line.endswith(" of 5m)")]
    assert len(timed) > 5
    assert all(line.startswith("targets: 10.0.0.2:8000 unhealthy (Target.FailedHealthChecks") for line in timed)


def test_a_task_that_stops_meanwhile_ends_the_step_at_once() -> None:
    world = World(bad_images={"image:A": "crash"})
    world.delays.start, world.delays.healthy = 2, 1000
    step = traffic_step_of_starting(world)
    begun = step.run.clock.now()
    with pytest.raises(StepBroken, match=r"^the canary task stopped: Essential container in task exited"):
        take(step, within=500)
    assert step.run.clock.now() - begun < 10


def traffic_step_of_starting(world: World) -> TrafficStep:
    """The step behind a task that runs for a moment longer."""
    before = tasks_step(world)
    before.act({})
    tasks = [replace(seen, status="RUNNING") for seen in before.run.observer.tasks()]
    return TrafficStep(before.run, before.fence, before.service, tasks, before.revision, "app")


@pytest.mark.parametrize(
    ("moment", "call", "registered"), [("before", "DescribeTargetHealth", 0), ("after", "RegisterTargets", 1)]
)
def test_a_rollback_meanwhile_is_noticed_at_the_next_write(moment: str, call: str, registered: int) -> None:
    world = World()
    step = traffic_step(world)
    step.run.clock.sleep(5)
    at(world, moment, call, lambda: world.service_tags.update(CANCELLED))
    with pytest.raises(EpochChanged):
        take(step)
    assert len(world.registered()) == registered


def test_a_rollback_between_record_and_registration_keeps_the_target_out() -> None:
    world = World()
    step = traffic_step(world)
    at(world, "after", "TagResource", lambda: world.service_tags.update(CANCELLED))
    with pytest.raises(EpochChanged):
        take(step)
    assert world.registered() == []


def judged(health: TargetHealth | None, *tasks: Any) -> Any:
    """What the step says of one task whose target has this health."""
    target = Target(GROUP, "10.0.0.1", 8000, task().arn)
    step = traffic_step(World())
    return step.judge(Seen(tasks or (task(),), (target,), {(GROUP, *target.key): health} if health else {}))


@pytest.mark.parametrize(
    "reason", ["Target.NotInUse", "Target.IpUnusable", "Target.HealthCheckDisabled", "Target.InvalidState"]
)
def test_a_target_that_never_becomes_healthy_is_broken_at_once(reason: str) -> None:
    found = judged(TargetHealth("10.0.0.1", 8000, "unused", reason, "AWS' words"))
    assert isinstance(found, Broken)
    assert found.why.startswith(f"target 10.0.0.1:8000: {reason}: ")
    assert list(found.evidence) == ["AWS' words"]


@pytest.mark.parametrize(
    ("health", "told"),
    [
        (None, "not registered yet"),
        (TargetHealth("10.0.0.1", 8000, "unused", "Target.NotRegistered"), "not registered yet"),
        (TargetHealth("10.0.0.1", 8000, "draining"), "not registered yet"),
        (
            TargetHealth("10.0.0.1", 8000, "initial", "Elb.RegistrationInProgress"),
            "initial (Elb.RegistrationInProgress)",
        ),
        (
            TargetHealth("10.0.0.1", 8000, "unhealthy", "Target.ResponseCodeMismatch", "codes: [500]"),
            "unhealthy (Target.ResponseCodeMismatch: codes: [500])",
        ),
        (TargetHealth("10.0.0.1", 8000, "unavailable"), "unavailable"),
    ],
)
def test_the_state_of_a_target_is_told_while_it_is_waited_for(health: TargetHealth | None, told: str) -> None:
    assert judged(health) == Waiting(f"targets: 10.0.0.1:8000 {told}")


def test_only_a_healthy_target_of_a_living_task_settles_it() -> None:
    healthy = TargetHealth("10.0.0.1", 8000, "healthy")
    assert isinstance(judged(healthy), Settled)
    assert isinstance(judged(healthy, crashed("t1")), Broken)


def test_a_task_without_an_address_is_waited_for() -> None:
    step = traffic_step(World())
    assert step.judge(Seen((task(address=""),), (), {})) == Waiting("targets: the task has no address yet")


def test_a_group_is_asked_once_for_all_targets_and_for_anomalies_only_where_it_finds_them() -> None:
    step = traffic_step(World(more_groups=(OTHER_GROUP,)), count=2, load_balancing=BOTH)
    asked: list[tuple[str, int, bool]] = []

    class Elb:
        def target_group(self, arn: str) -> Any:
            return group(arn, anomaly_detection=arn == GROUP)

        def health(self, arn: str, targets: list[Target], *, anomalies: bool) -> list[TargetHealth]:
            asked.append((arn, len(targets), anomalies))
            return [TargetHealth(target.identity, target.port, "healthy") for target in targets]

    run = replace(step.run, elb=Elb())  # type: ignore[arg-type]
    seen = targets_seen(run, step.tasks, step.service, anomalies=True)
    assert asked == [(GROUP, 2, True), (OTHER_GROUP, 2, False)]
    assert len(seen.health) == 4
    asked.clear()
    targets_seen(run, step.tasks, step.service)
    assert {call[2] for call in asked} == {False}
