"""The baseline: one task of the stable revision beside the canary, and gone with it on every way."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ecs_pipeline.reports.status_table import rows
from ecs_pipeline.stages.status import status
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.ports import new_run
from tests.fakes.resources import FakeTask
from tests.fakes.schedule import Killed
from tests.fakes.stages import run_stage, stage_of
from tests.fakes.world import World
from tests.unit.protocol.simulation import clean, heals, start_of
from tests.unit.stage_runs import canary

SETTINGS: dict[str, Any] = {"canary": {"bake": "5s", "healthy_within": "30s", "baseline": True}}


def by_role(world: World) -> dict[str, FakeTask]:
    return {task.tags["ecs-pipeline:role"]: task for task in world.alive()}


def killing(call: str, number: int, when: str) -> Any:
    """A hook that kills before or after the call of that number; '' counts all calls."""
    seen = {"before": 0, "after": 0}

    def hook(moment: str, name: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if call in ("", name):
            seen[moment] += 1
            if (moment, seen[moment]) == (when, number):
                raise Killed

    return hook


def kill(world: World, command: str, call: str, number: int, when: str = "after") -> None:
    """Run a command until it dies there."""
    world.hook = killing(call, number, when)
    with pytest.raises(Killed):
        run_stage(world, command, SETTINGS)
    world.hook = lambda _when, _call, _write: None


def start(world: World) -> Any:
    code, run, text = stage_of(world, "canary A", SETTINGS)
    assert code == 0, text
    return run.recorder.record


def test_it_runs_the_stable_revision_takes_traffic_and_counts_nowhere() -> None:
    world = World()
    record = start(world)
    tasks = by_role(world)
    assert set(tasks) == {"canary", "baseline"}
    assert tasks["baseline"].revision == world.service_facts().revision
    assert tasks["baseline"].tags["ecs-pipeline:release"] == "A"
    assert tasks["baseline"].token != tasks["canary"].token
    assert len(world.registered()) == 2
    assert record.share == 25
    assert record.step("traffic").message == (
        f"1 of 4 targets: 25 % of the traffic; baseline: as much for {tasks['baseline'].address}:8000"
    )
    assert [task.role for task in record.canary] == ["canary", "baseline"]


@pytest.mark.parametrize("way", ["promote A", "rollback", "rollback A"])
def test_it_goes_with_the_canary(way: str) -> None:
    world = World()
    start(world)
    stable = world.service_facts().revision
    assert run_stage(world, way, SETTINGS) == 0
    assert world.alive() == []
    assert world.registered() == []
    assert world.revisions[stable].active


def test_it_goes_when_the_release_fails() -> None:
    world = World()
    stable = world.service_facts().revision
    world.bad_images[f"{REGISTRY}/web@{digest_of('A')}"] = "unhealthy"
    assert stage_of(world, "canary A", SETTINGS)[0] == 1
    assert world.alive() == []
    assert len(world.tasks) == 2
    assert world.registered() == []
    assert [revision.arn for revision in world.revisions.values() if revision.active] == [stable]


def test_the_same_command_again_starts_no_second_one() -> None:
    world = World()
    start(world)
    start(world)
    assert len(world.tasks) == 2


def test_one_whose_canary_died_makes_room_for_the_next_release() -> None:
    world = World()
    start(world)
    world.stop_task(by_role(world)["canary"].arn, "Essential container in task exited", "EssentialContainerExited")
    code, _, text = stage_of(world, "canary B", SETTINGS)
    assert code == 0, text
    assert {task.tags["ecs-pipeline:release"] for task in world.alive()} == {"B"}
    assert len(world.alive()) == 2


def checked(world: World, image: str) -> World:
    """The stable revision with a container health check."""
    (first,) = world.revisions.values()
    first.definition["containerDefinitions"][0].update(healthCheck={"command": ["CMD", "true"]}, image=image)
    return world


def test_its_container_has_to_be_healthy_before_anything_is_compared() -> None:
    record = start(checked(World(), "v1"))
    assert record.step("healthy").message == (
        "container health checks passed: app; baseline: container health checks passed: app"
    )


def test_one_that_does_not_become_healthy_is_left_out_and_goes_with_the_canary() -> None:
    world = checked(World(), "v1")
    world.bad_images["v1"] = "sick"
    record = start(world)
    assert record.step("healthy").message == "container health checks passed: app; no baseline"
    assert record.step("traffic").message == "1 of 4 targets: 25 % of the traffic"
    assert [task.role for task in record.canary] == ["canary"]
    assert set(by_role(world)) == {"canary", "baseline"}
    assert run_stage(world, "promote A", SETTINGS) == 0
    assert world.alive() == []


def test_a_dry_run_speaks_of_it() -> None:
    world = World()
    world.images["v2"] = digest_of("v2")
    end = canary(world, dry_run=True, settings=SETTINGS, release="A", image=f"{REGISTRY}/web:v2")
    assert (end.code, end.writes) == (0, [])
    assert end.message("tasks").endswith("would run 1 task of web:new, run 1 task of web:1 as the baseline")


def test_one_that_a_killed_canary_started_is_taken_over_and_goes_with_a_rollback() -> None:
    world = World()
    kill(world, "canary A", "RunTask", 2)
    assert len(world.alive()) == 2
    start(world)
    assert len(world.tasks) == 2
    assert run_stage(world, "rollback", SETTINGS) == 0
    assert (world.alive(), world.registered()) == ([], [])


@pytest.mark.parametrize("way", ["rollback", "rollback A"])
def test_one_that_a_killed_canary_started_goes_with_a_rollback_at_once(way: str) -> None:
    world = World()
    kill(world, "canary A", "RunTask", 2)
    assert run_stage(world, way, SETTINGS) == 0
    assert (world.alive(), world.registered()) == ([], [])


@pytest.mark.parametrize(("call", "number"), [("DeregisterTargets", 1), ("StopTask", 1), ("StopTask", 2)])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_promote_that_is_killed_while_it_removes_it_is_finished(call: str, number: int, when: str) -> None:
    world = start_of("P runs")
    start(world)
    kill(world, "promote A", call, number, when)
    assert run_stage(world, "promote A", SETTINGS) == 0
    assert (world.alive(), world.registered()) == ([], [])
    assert world.marks()["release"] == "A"
    assert not list(heals(world))


@pytest.mark.parametrize(("within", "fate"), [("20s", ""), ("6s", "sick")])
def test_one_that_is_slower_is_waited_for_a_part_of_the_time_and_never_fails_the_canary(within: str, fate: str) -> None:
    """Its container is checked, the canary's is not: it takes two seconds more, or for ever."""
    world = checked(World(), "v1")
    world.bad_images["v1"] = fate

    def unchecked(when: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, call) == ("after", "RegisterTaskDefinition"):
            list(world.revisions.values())[-1].definition["containerDefinitions"][0].pop("healthCheck")

    world.hook = unchecked
    settings = {"canary": {**SETTINGS["canary"], "healthy_within": within}}
    code, run, text = stage_of(world, "canary A", settings)
    assert code == 0, text
    told = "no baseline" if fate else "baseline: container health checks passed: app"
    assert run.recorder.record.step("healthy").message == f"no container health check; {told}"


def test_one_that_died_while_the_bake_was_cut_short_is_started_anew() -> None:
    world = World()
    kill(world, "canary A", "RegisterTargets", 1)
    dead = by_role(world)["baseline"]
    world.stop_task(dead.arn, "Essential container in task exited", "EssentialContainerExited")
    start(world)
    assert by_role(world)["baseline"].arn != dead.arn
    assert len(world.registered()) == 2


def test_status_shows_one_whose_canary_died() -> None:
    world = World()
    start(world)
    world.stop_task(by_role(world)["canary"].arn, "Essential container in task exited", "EssentialContainerExited")
    table = dict(rows(status(new_run(world, "status", ()))))
    assert table["canary"] == "none"
    assert table["baseline"].endswith(":8000 healthy, web:1")
    assert run_stage(world, "rollback", SETTINGS) == 0
    assert world.alive() == []


@pytest.mark.parametrize(("second", "told"), [(2, "; no baseline"), (6, "")])
def test_one_that_dies_leaves_the_traffic_and_the_canary_goes_on(second: float, told: str) -> None:
    """Before its target is healthy, and in the bake."""
    world = World()
    begun = world.now

    def dying(when: str, _call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        tasks = by_role(world)
        if when == "before" and world.now >= begun + second and len(world.registered()) == 2 and "baseline" in tasks:
            world.stop_task(tasks["baseline"].arn, "Essential container in task exited", "EssentialContainerExited")

    world.hook = dying
    record = start(world)
    world.hook = lambda _when, _call, _write: None
    assert set(by_role(world)) == {"canary"}
    assert record.step("traffic").message.endswith(told)
    assert world.registered() == [(by_role(world)["canary"].address, 8000)]
    assert run_stage(world, "promote A", SETTINGS) == 0
    assert (world.alive(), world.registered()) == ([], [])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("earlier", "command", "then"),
    [
        ([], "canary A", ["canary A", "promote A"]),
        ([], "canary A", ["rollback"]),
        (["canary A"], "promote A", ["promote A"]),
        (["canary A"], "rollback", ["rollback"]),
    ],
)
def test_nothing_is_left_wherever_a_stage_is_killed(
    earlier: list[str], command: str, then: list[str], when: str
) -> None:
    begun = start_of("P runs")
    assert [run_stage(begun, command, SETTINGS) for command in earlier] == [0 for _ in earlier]
    for number in range(1, 500):
        world = copy.deepcopy(begun)
        world.hook = killing("", number, when)
        try:
            run_stage(world, command, SETTINGS)
        except Killed:
            world.hook = lambda _when, _call, _write: None
        else:
            assert number > 20
            break
        codes = [run_stage(world, command, SETTINGS) for command in then]
        assert codes in ([0 for _ in then], [3]), (number, codes)
        assert (world.alive(), world.registered()) == ([], []), number
        assert not list(clean(world)), number
