"""A canary whose task AWS takes away: replaced within its time, baked anew, and never the release's failure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ecs_pipeline.checks.watch import CheckFailed
from ecs_pipeline.protocol import decide
from ecs_pipeline.steps import renewal
from ecs_pipeline.steps.bake import Bake
from tests.fakes.world import World
from tests.unit.canary_world import first_token, only, tokens
from tests.unit.stage_runs import End, canary, promote

SPOT = ("Your Spot Task was interrupted.", "SpotInterruption")
CRASH = ("Essential container in task exited", "EssentialContainerExited")


def world_of_releases() -> World:
    world = World()
    world.images["v2"] = "sha256:" + "2" * 64
    return world


def interrupting(world: World, after: str, times: int, how: Sequence[str] = SPOT) -> None:
    """AWS takes the canary's task away after each call of that name that finds one, so often."""
    left = [times]

    def hook(when: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, call) == ("after", after) and world.alive() and left[0] > 0:
            left[0] -= 1
            world.stop_task(only(world).arn, *how)

    world.hook = hook


def released(world: World, **settings: Any) -> End:
    return canary(world, release="v2", settings={"canary": {"bake": "30s", "healthy_within": "60s", **settings}})


@pytest.mark.parametrize("after", ["RunTask", "RegisterTargets"])
def test_a_task_that_goes_while_it_comes_up_is_replaced_under_the_next_token(after: str) -> None:
    world = world_of_releases()
    interrupting(world, after, 1)
    end = released(world)
    assert end.code == 0, end.text
    first = next(iter(world.tasks))
    assert tokens(world)[0] == first_token(world)
    assert tokens(world)[-1] == decide.next_token(first_token(world), first)
    assert world.registered() == [(only(world).address, 8000)]


def test_a_task_that_goes_in_the_bake_is_replaced_and_bakes_for_its_whole_time() -> None:
    world = world_of_releases()
    looks = [0]

    def hook(when: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        baking = (when, call) == ("after", "DescribeTargetHealth") and world.registered()
        looks[0] += bool(baking)
        if baking and looks[0] == 8:
            world.stop_task(only(world).arn, *SPOT)
            looks.append(int(world.now))

    world.hook = hook
    end = released(world)
    assert end.code == 0, end.text
    assert len(world.tasks) == 2
    assert world.now - looks[1] >= 30
    assert only(world).tags["ecs-pipeline:verdict"] == "pass"
    assert world.registered() == [(only(world).address, 8000)]


def test_a_bake_that_aws_never_lets_end_leaves_the_release_to_a_person() -> None:
    world = world_of_releases()
    taken: list[str] = []

    def hook(when: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        living = world.alive()
        if (when, call) == ("before", "DescribeTargetHealth") and living and living[0].address:
            state = world.targets.get((living[0].address, 8000))
            if state and world.now > state[0] + world.delays.healthy + 6:
                taken.append(living[0].arn)
                world.stop_task(living[0].arn, *SPOT)

    world.hook = hook
    end = released(world)
    assert end.code == 5, end.text
    assert len(taken) == renewal.BAKES
    assert "SpotInterruption: Your Spot Task was interrupted." in end.text
    assert "as in each of 3 bakes" in end.text
    assert world.marks()["under-way"] == "v2"
    assert world.registered() == []


def test_a_canary_that_aws_never_lets_come_up_is_trouble_that_the_same_command_resumes() -> None:
    world = world_of_releases()
    interrupting(world, "RunTask", 1000, ("CannotPullContainerError: toomanyrequests: no", "TaskFailedToStart"))
    end = released(world)
    assert end.code == 4, end.text
    assert "toomanyrequests" in end.text
    assert "the same command resumes" in end.text
    assert 3 <= len(world.tasks) <= 10
    world.hook = lambda _when, _call, _write: None
    assert released(world).code == 0


def test_a_task_that_crashes_is_the_releases_own_failure() -> None:
    world = world_of_releases()
    interrupting(world, "RunTask", 1, CRASH)
    assert released(world).code == 1
    assert len(world.tasks) == 1


def test_what_fails_because_the_task_goes_is_not_held_against_the_release(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of_releases()

    def fails(_bake: Bake, _end: float, _checks: object) -> None:
        world.stop_task(only(world).arn, *SPOT)
        raise CheckFailed("answers", "no answer", ())

    monkeypatch.setattr(Bake, "_look_until", fails)
    end = released(world)
    assert end.code == 5, end.text
    assert "SpotInterruption" in end.text


def test_promote_says_that_aws_took_the_canary_away() -> None:
    world = world_of_releases()
    assert released(world).code == 0
    world.stop_task(only(world).arn, *SPOT)
    world.schedule.now += 10
    end = promote(world, release="v2")
    assert end.code == 3
    assert "SpotInterruption: Your Spot Task was interrupted." in end.text
