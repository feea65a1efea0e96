"""AWS shows things late: a task is not listed, the service is read as it was, and nothing is left all the same."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from ecs_pipeline.errors import NotPlaced
from ecs_pipeline.model.release import Service
from ecs_pipeline.protocol.fence import EpochChanged, Fence
from ecs_pipeline.protocol.observe import SERVICE_LAG, TASKS_LAG
from tests.fakes.clock import FakeClock
from tests.fakes.ecs import FakeEcs
from tests.fakes.world import World
from tests.unit.canary_world import dies, kill_at, only
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import active, canary, promote, rollback, serving

TWO: dict[str, Any] = {"canary": {"tasks": 2, "bake": "2s", "healthy_within": "30s"}}
GROWING: dict[str, Any] = {"canary": {"steps": [{"tasks": 1, "bake": "9s"}, {"tasks": 2, "bake": "9s"}]}}
BESIDE: dict[str, Any] = {"canary": {"baseline": True, "bake": "2s", "healthy_within": "30s"}}


def killed_after_run_task(settings: Mapping[str, Any] | None = None, *, tasks: int = 1) -> World:
    """A release whose process died when so many tasks had been started."""
    world = start_of("P runs")
    kill_at(world, "after", "RunTask", lambda: canary(world, release="A", settings=settings), tasks=tasks)
    return world


def listed_late(world: World, number: int, seconds: float) -> None:
    """ListTasks and DescribeTasks leave a living task out for a while."""
    world.missing.add(world.alive()[number].arn)
    until = world.now + seconds
    world.hook = lambda _moment, _call, _write: world.missing.clear() if world.now >= until else None


def lists_none(world: World, monkeypatch: pytest.MonkeyPatch) -> float:
    """ListTasks names no running task of ours for a while; until when."""
    arns_started_by, until = FakeEcs.arns_started_by, world.now + TASKS_LAG - 2

    def late(self: FakeEcs, started_by: str, status: str) -> list[str]:
        return [] if world.now < until and status == "RUNNING" else arns_started_by(self, started_by, status)

    monkeypatch.setattr(FakeEcs, "arns_started_by", late)
    return until


def read_late(world: World, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """For so long DescribeServices shows what it shows now."""
    stale, read, until = world.service_facts(), world.service_facts, world.now + seconds
    monkeypatch.setattr(world, "service_facts", lambda: stale if world.now < until else read())


def stale_pairs(world: World, monkeypatch: pytest.MonkeyPatch, seconds: float, first: int) -> None:
    """Two answers of DescribeServices out of four come from a replica that is so far behind, one after the other."""
    read, answers = world.service_facts, itertools.count(first)
    past = [(world.now - seconds, read())]
    world.hook = lambda _moment, _call, _write: past.append((world.now, read()))

    def told() -> Service:
        if next(answers) % 4 < 2:
            return read()
        return next(facts for since, facts in reversed(past) if since <= world.now - seconds)

    monkeypatch.setattr(world, "service_facts", told)


def undone(world: World) -> bool:
    """Whether all is as it was before the release."""
    return (world.alive(), active(world), serving(world), [*clean(world)]) == ([], ["web:1", "web:2"], "web:2", [])


@pytest.mark.parametrize(
    "options", [{}, {"release": "A"}, {"canary_only": True}, {"release": "A", "canary_only": True}], ids=str
)
def test_a_rollback_waits_for_a_canary_that_was_started_a_moment_ago(options: dict[str, Any]) -> None:
    world = killed_after_run_task()
    listed_late(world, 0, TASKS_LAG - 2)
    assert rollback(world, **options).code == 0
    assert undone(world)


@pytest.mark.parametrize("settings", [TWO, GROWING, BESIDE], ids=["two tasks", "two sizes", "a baseline"])
def test_a_rollback_waits_for_the_second_task_also_when_the_first_is_listed(settings: dict[str, Any]) -> None:
    world = killed_after_run_task(settings, tasks=2)
    listed_late(world, 1, TASKS_LAG - 1)
    assert rollback(world).code == 0
    assert undone(world)


def test_a_rollback_waits_for_a_canary_that_was_started_again_after_one_had_died() -> None:
    world = killed_after_run_task()
    dies(world)
    kill_at(world, "after", "RunTask", lambda: canary(world, release="A"), tasks=1)
    listed_late(world, 0, TASKS_LAG - 2)
    assert rollback(world).code == 0
    assert undone(world)


def test_a_rollback_waits_for_a_task_that_was_started_again_for_one_that_was_judged() -> None:
    world = start_of("P runs")
    canary(world, release="A", settings=TWO)
    dies(world, 1)
    kill_at(world, "after", "RunTask", lambda: canary(world, release="A", settings=TWO), tasks=2)
    listed_late(world, 1, TASKS_LAG - 1)
    assert rollback(world).code == 0
    assert undone(world)


def test_a_rollback_waits_for_a_task_that_was_started_again_when_promote_had_begun() -> None:
    world = start_of("A is a canary")
    kill_at(world, "after", "TagResource", lambda: promote(world, release="A"))
    dies(world)
    kill_at(world, "after", "RunTask", lambda: canary(world, release="A"), tasks=1)
    listed_late(world, 0, TASKS_LAG - 2)
    assert rollback(world).code == 0
    assert undone(world)


def test_a_rollback_of_the_promoted_release_waits_for_a_canary_that_came_after_it() -> None:
    world = start_of("A is promoted")
    kill_at(world, "after", "RunTask", lambda: canary(world, release="B"), tasks=1)
    listed_late(world, 0, TASKS_LAG - 2)
    assert (rollback(world, release="A").code, serving(world), world.alive()) == (0, "web:2", [])


def test_a_rollback_waits_before_it_deregisters_for_the_revision_shows_that_it_is_not_over() -> None:
    world = killed_after_run_task()
    listed_late(world, 0, TASKS_LAG - 2)
    begun = world.now
    end = rollback(world)
    assert (end.code, end.writes) == (0, ["TagResource", "StopTask", "DeregisterTaskDefinition"])
    assert world.now - begun < 2 * TASKS_LAG


def test_a_canary_in_the_traffic_that_is_listed_late_goes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    world = start_of("P runs")
    kill_at(world, "after", "RegisterTargets", lambda: canary(world, release="A"))
    until, running = lists_none(world, monkeypatch), FakeEcs.running_tasks
    monkeypatch.setattr(FakeEcs, "running_tasks", lambda self: () if world.now < until else running(self))
    assert rollback(world, canary_only=True).code == 0
    assert undone(world)


def test_a_rollback_to_somewhere_takes_a_canary_that_is_shown_late_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = start_of("P runs")
    read_late(world, monkeypatch, SERVICE_LAG - 0.5)
    kill_at(world, "after", "RunTask", lambda: canary(world, release="A"), tasks=1)
    listed_late(world, 0, 2)
    assert rollback(world, to="P").code == 0
    assert undone(world)


def test_a_rollback_that_died_waits_when_it_is_run_again() -> None:
    world = killed_after_run_task()
    kill_at(world, "after", "TagResource", lambda: rollback(world))
    listed_late(world, 0, TASKS_LAG - 1)
    assert rollback(world).code == 0
    assert undone(world)


@pytest.mark.parametrize("start", ["A is a canary", "A is promoted"])
def test_a_rollback_of_a_release_that_starts_no_more_tasks_does_not_wait_for_any(start: str) -> None:
    world = start_of(start)
    begun = world.now
    assert rollback(world, release="A").code == 0
    assert world.now - begun < TASKS_LAG


def test_a_rollback_does_not_take_the_last_promotion_back_for_a_mark_that_is_read_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = start_of("P runs")
    read_late(world, monkeypatch, SERVICE_LAG - 0.5)
    kill_at(world, "after", "RunTask", lambda: canary(world, release="A"), tasks=1)
    listed_late(world, 0, TASKS_LAG - 2)
    assert rollback(world).code == 0
    assert undone(world)


def not_placed(monkeypatch: pytest.MonkeyPatch, *, room_for: int) -> None:
    """The cluster takes so many tasks more, and no wait would make it take another."""
    run_task = FakeEcs.run_task

    def run(self: FakeEcs, parameters: Mapping[str, Any]) -> str:
        if len(self.world.alive()) >= room_for:
            raise NotPlaced(["ATTRIBUTE"])
        return run_task(self, parameters)

    monkeypatch.setattr(FakeEcs, "run_task", run)


def test_a_canary_that_is_not_placed_waits_for_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    world = start_of("P runs")
    not_placed(monkeypatch, room_for=0)
    begun = world.now
    assert canary(world, release="A").code == 1
    assert undone(world)
    assert world.now - begun < SERVICE_LAG


def test_a_canary_that_fails_at_once_is_undone_though_its_mark_is_read_late(monkeypatch: pytest.MonkeyPatch) -> None:
    world = start_of("P runs")
    not_placed(monkeypatch, room_for=0)
    read_late(world, monkeypatch, SERVICE_LAG)
    assert canary(world, release="A").code == 1
    assert undone(world)


def test_the_first_task_goes_when_the_second_is_not_placed_though_it_is_listed_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = start_of("P runs")
    not_placed(monkeypatch, room_for=1)
    lists_none(world, monkeypatch)
    assert canary(world, release="A", settings=TWO).code == 1
    assert undone(world)


def test_a_canary_that_was_cancelled_stops_the_task_that_it_had_started_though_it_is_shown_late() -> None:
    world = start_of("P runs")
    told: list[float] = []

    def hook(moment: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (moment, call) == ("after", "RunTask") and world.alive() and not told:
            task = only(world)
            told.append(world.now + 4)
            world.missing.add(task.arn)
            assert rollback(world, release="A").code == 0
            told[0] = world.now + 4
            world.missing.add(task.arn)
        if told and world.now >= told[0]:
            world.missing.clear()

    world.hook = hook
    assert canary(world, release="A").code == 3
    assert undone(world)


def test_a_promote_of_what_is_promoted_is_not_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    world = start_of("A is promoted")
    read_late(world, monkeypatch, SERVICE_LAG)
    begun = world.now
    assert (promote(world, release="A").code, world.now) == (0, begun)


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("stage", ["canary", "promote"])
def test_a_stage_is_not_given_up_for_two_answers_of_one_stale_replica(
    monkeypatch: pytest.MonkeyPatch, stage: str, first: int
) -> None:
    world = start_of("P runs" if stage == "canary" else "A is a canary")
    stale_pairs(world, monkeypatch, SERVICE_LAG - 0.5, first)
    end = canary(world, release="A") if stage == "canary" else promote(world, release="A")
    assert end.code == 0
    assert (serving(world) != "web:2") == (stage == "promote")
    assert len(world.alive()) == (1 if stage == "canary" else 0)


def test_the_fence_falls_after_three_looks_that_agree() -> None:
    behind, now = (start_of(start).service_facts() for start in ("A is a canary", "A was rolled back"))
    world = start_of("A was rolled back")

    def fence(*answers: Service) -> Fence:
        ecs, given = FakeEcs(world), iter(answers)
        ecs.service = lambda: next(given)  # type: ignore[method-assign]
        return Fence(ecs, FakeClock(world), now)

    assert fence(behind, behind, now, now, now).look_again() == now
    assert fence(behind, now, behind, behind, now, now, now).look_again() == now
    with pytest.raises(EpochChanged):
        fence(behind, behind, behind).look_again()
