"""The canary leaves the traffic while the old tasks still drain: promote waits for the deregistration delay once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from ecs_pipeline.steps.early_drain import ASKED_EVERY
from ecs_pipeline.timing.wait import LONGEST_PAUSE
from tests.fakes.ecs import FakeEcs
from tests.fakes.world import World
from tests.unit.canary_world import at, dies, kill_at, once, only
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import End, promote, rollback

DELAY = 300.0
"""Seconds that a target drains where nobody changed it (deregistration_delay.timeout_seconds)."""
PATIENT = {"promote": {"stable_within": "15m", "stalled_after": "15m"}}


def slow(failing: str = "") -> World:
    """The canary of A lives; targets drain for 300 s, the old tasks' ones too; `failing`: how A's rollout ends."""
    world = start_of("A is a canary", {"A": failing} if failing else {})
    world.delays.drain, world.delays.leaving = DELAY, DELAY + 5
    return world


def promoted(world: World, **options: Any) -> End:
    return promote(world, release="A", settings=PATIENT, **options)


def moments(world: World, *names: str) -> dict[str, float]:
    """When each call of these names was made first, from now on."""
    found: dict[str, float] = {}
    hook = world.hook

    def note(when: str, name: str, write: bool) -> None:  # noqa: FBT001 - the world's hook
        if when == "before" and name in names:
            found.setdefault(name, world.now)
        hook(when, name, write)

    world.hook = note
    return found


def test_the_deregistration_delay_is_waited_for_once() -> None:
    world = slow()
    times = moments(world, "UpdateService", "DeregisterTargets", "StopTask")
    end = promoted(world)
    assert end.code == 0, end.text
    up = times["UpdateService"] + world.delays.rollout
    over = up + world.delays.leaving
    assert times["DeregisterTargets"] <= up + 2 * LONGEST_PAUSE
    assert over <= times["StopTask"] <= over + LONGEST_PAUSE + 2
    assert world.now <= over + LONGEST_PAUSE + 2 + world.delays.stop
    assert not list(clean(world))


def test_what_is_left_of_the_drain_is_waited_for_before_the_task_is_stopped() -> None:
    world = slow()
    world.delays.leaving = DELAY / 2
    times = moments(world, "DeregisterTargets", "StopTask")
    assert promoted(world).code == 0
    assert DELAY <= times["StopTask"] - times["DeregisterTargets"] <= DELAY + LONGEST_PAUSE + 1


def test_the_cases_stay_as_they_are_and_stop_task_is_the_last_write() -> None:
    world = slow()
    end = promoted(world)
    assert end.writes == ["TagResource", "TagResource", "UpdateService", "DeregisterTargets", "StopTask"]
    assert end.message("drain").startswith("out of the traffic: 10.0.0.")
    assert end.message("stable") == "3 of 3 tasks run web:3"
    assert [step.outcome for step in end.run.recorder.record.steps] == ["passed"] * 5 + ["skipped"]


def health_of(world: World, state: str, until: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's own targets are in this state until then."""
    known = world.health
    own = {address for _, address in world.service_tasks}
    late = lambda target: state if target.identity in own and world.now < until else known(target)  # noqa: E731
    monkeypatch.setattr(world, "health", late)


def test_it_stays_until_all_new_tasks_are_healthy_in_the_target_group(monkeypatch: pytest.MonkeyPatch) -> None:
    world = slow()
    healthy = world.now + 100
    health_of(world, "initial", healthy, monkeypatch)
    times = moments(world, "DeregisterTargets")
    assert promoted(world).code == 0
    assert healthy <= times["DeregisterTargets"] <= healthy + 2 * LONGEST_PAUSE


def test_it_stays_while_one_of_them_is_missing() -> None:
    world = slow()
    listed = world.now + 60
    world.service_tasks[-1] = (listed, world.service_tasks[-1][1])
    times = moments(world, "DeregisterTargets")
    assert promoted(world).code == 0
    assert listed <= times["DeregisterTargets"] <= listed + 2 * LONGEST_PAUSE


def test_the_health_is_asked_for_only_once_all_new_tasks_run_and_not_at_each_poll(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = slow()
    world.delays.rollout, up, healthy = 1, world.now + 1, world.now + 60
    health_of(world, "initial", healthy, monkeypatch)
    asked: list[float] = []
    at(world, "before", "DescribeTargetHealth", lambda: asked.append(world.now))
    assert promoted(world).code == 0
    waiting = [moment for moment in asked[1:] if moment < healthy]
    assert waiting[0] >= up
    assert all(later - earlier >= ASKED_EVERY for earlier, later in pairwise(waiting))


def test_a_service_that_is_to_have_no_task_keeps_its_canary_until_the_end() -> None:
    world = slow()
    world.desired, world.service_tasks = 0, []
    times = moments(world, "UpdateService", "DeregisterTargets")
    assert promoted(world).code == 0
    assert times["DeregisterTargets"] >= times["UpdateService"] + world.delays.rollout + world.delays.leaving


def test_a_rollout_that_fails_after_it_is_undone() -> None:
    world = slow("late")
    world.breaker = False
    end = promoted(world)
    assert end.code == 1, end.text
    assert end.writes.index("DeregisterTargets") < end.writes.index("TagResource", 2)
    assert (world.alive(), world.deployments[0].revision.rpartition("/")[2]) == ([], "web:2")
    assert [step.outcome for step in end.run.recorder.record.steps if step.name in ("stable", "restore")] == [
        "failed",
        "passed",
    ]
    assert not list(clean(world))


PLACES = [("before", "DeregisterTargets"), ("after", "DeregisterTargets"), ("before", "StopTask")]


@pytest.mark.parametrize("place", PLACES, ids=" ".join)
def test_a_promote_that_is_killed_resumes(place: tuple[str, str]) -> None:
    world = slow()
    kill_at(world, *place, lambda: promoted(world))
    end = promoted(world)
    assert end.code == 0, end.text
    assert not list(clean(world))
    assert world.alive() == []


def test_a_canary_whose_task_died_meanwhile_takes_no_target_of_the_service_with_it() -> None:
    """AWS gives an address to another task at once."""
    world = slow()
    address = only(world).address

    def dies_and_is_used_again() -> None:
        dies(world)
        del world.targets[address, 8000]
        world.service_tasks.append((world.now, address))

    once(world, "after", "UpdateService", dies_and_is_used_again)
    end = promoted(world)
    assert end.code == 0, end.text
    assert "DeregisterTargets" not in end.writes


def test_the_write_is_fenced() -> None:
    """A rollback that comes while the health is asked for."""
    world = slow()
    acts: list[Callable[[], object]] = [lambda: rollback(world, release="A", settings=PATIENT)]
    begun: list[float] = []

    def overtake() -> None:
        if begun and acts:
            acts.pop()()

    at(world, "after", "DescribeTargetHealth", overtake)
    hook = world.hook

    def once_updated(when: str, name: str, write: bool) -> None:  # noqa: FBT001 - the world's hook
        begun.extend([world.now] if name == "UpdateService" else [])
        hook(when, name, write)

    world.hook = once_updated
    end = promoted(world)
    assert (end.code, acts) == (3, []), end.text
    assert not [line for line in end.run.recorder.record.done if "out of the traffic" in line]
    assert not list(clean(world))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_rollback_that_comes_between_takes_the_release_away(moment: str) -> None:
    world = slow()
    acts: list[Callable[[], object]] = [lambda: rollback(world, release="A", settings=PATIENT)]
    ends: list[Any] = []
    once(world, moment, "DeregisterTargets", lambda: ends.append(acts.pop()()) if acts else None)
    end = promoted(world)
    assert (end.code, ends[0].code) == (3, 0), end.text
    assert "cancelled" in end.text
    assert (world.alive(), world.registered()) == ([], [])
    assert not list(clean(world))


def test_without_a_load_balancer_nothing_more_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    world = start_of("A is a canary")
    world.with_load_balancer = False
    world.delays.leaving = 60
    asked: list[str] = []

    def none_of(_ecs: FakeEcs, status: str = "RUNNING") -> list[str]:
        asked.append(status)
        return []

    monkeypatch.setattr(FakeEcs, "arns_of_service", none_of)
    assert promoted(world).code == 0
    assert "RUNNING" not in asked
