"""Autoscaling that a killed or disturbed promotion held: the next command puts it back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ecs_pipeline.aws.session import AwsError
from ecs_pipeline.model import scaling
from ecs_pipeline.model.scaling import ALL, Suspended
from ecs_pipeline.protocol import release_tags
from tests.fakes.world import World
from tests.unit.canary_world import at, kill_at, once
from tests.unit.protocol.simulation import start_of
from tests.unit.scaling_hold import BY_HAND, assert_as_before, held_promote, held_world, mark, refuse
from tests.unit.stage_runs import End, canary, promote, rollback, serving

WRITES = ("TagResource", "RegisterScalableTarget", "UpdateService", "DeregisterTargets", "StopTask")
PLACES = [
    (moment, call, count)
    for call in WRITES
    for moment in ("before", "after")
    for count in ((1, 2, 3) if call in WRITES[:2] else (1,))
]
AGAIN: dict[str, Callable[[World], End]] = {
    "promote": held_promote,
    "promote without the option": lambda world: promote(world, release="A"),
    "rollback": rollback,
}


@pytest.mark.parametrize("again", AGAIN)
@pytest.mark.parametrize(("moment", "call", "count"), PLACES)
def test_after_a_kill_anywhere_the_next_command_puts_it_back(moment: str, call: str, count: int, again: str) -> None:
    world = held_world()
    kill_at(world, moment, call, lambda: held_promote(world), count=count)
    end = AGAIN[again](world)
    assert end.code == 0, end.text
    assert_as_before(world)


@pytest.mark.parametrize("call", ["RegisterScalableTarget", "TagResource"])
def test_a_canary_after_a_killed_promote_puts_it_back(call: str) -> None:
    """Killed at the last write of the hold: the promotion is done, and its own release needs no other command."""
    world = held_world()
    count = 3 if call == "RegisterScalableTarget" else 4
    kill_at(world, "before", call, lambda: held_promote(world), count=count)
    assert mark(world)
    assert canary(world, release="B").code == 0
    assert_as_before(world)


def test_a_canary_in_the_middle_of_the_rollout_leaves_it_to_the_promotion() -> None:
    world = held_world()
    seen: list[Suspended | None] = []

    def look() -> None:
        canary(world, release="A")
        seen.append(world.scaling)

    once(world, "after", "UpdateService", look)
    assert held_promote(world).code == 0
    assert seen == [ALL]
    assert_as_before(world)


def test_a_restore_that_was_killed_leaves_it_to_the_rollback() -> None:
    world = held_world("rollout")
    kill_at(world, "after", "TagResource", lambda: held_promote(world), count=4)
    assert release_tags.parse_epoch(world.service_tags[release_tags.EPOCH]).cancelled == "A"
    assert mark(world)
    assert (rollback(world).code, serving(world)) == (0, "web:2")
    assert_as_before(world)


@pytest.mark.parametrize("call", ["TagResource", "RegisterScalableTarget"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_rollback_at_the_moment_of_the_hold_leaves_nothing_suspended(call: str, count: int) -> None:
    world = held_world()
    left = [count]

    def cancelled() -> None:
        left[0] -= 1
        if not left[0]:
            assert rollback(world).code == 0

    at(world, "before", call, cancelled)
    end = held_promote(world)
    assert (end.code, serving(world)) == (3, "web:2"), end.text
    assert_as_before(world)


def test_marks_that_vanish_meanwhile_do_not_leave_it_suspended() -> None:
    world = held_world()
    once(world, "after", "UpdateService", world.service_tags.clear)
    end = held_promote(world)
    assert (end.code, world.scaling) == (3, BY_HAND), end.text


def test_a_stage_that_aws_fails_puts_it_back_too() -> None:
    world = held_world()
    at(world, "before", "StopTask", lambda: (_ for _ in ()).throw(AwsError("ecs:StopTask", "X", "no")))
    end = held_promote(world)
    assert end.code == 4
    assert_as_before(world)
    world.hook = lambda *_: None
    assert held_promote(world).code == 0
    assert_as_before(world)


WARNING = (
    "warning: the autoscaling of prd/web may still be suspended: application-autoscaling:RegisterScalableTarget: "
    "AccessDeniedException: not allowed; the next promote, rollback or canary tries it again; "
    "now: `aws … register-scalable-target … in=no out=no scheduled=yes`"
)


def test_a_rollback_is_not_stopped_by_what_cannot_be_put_back() -> None:
    world = held_world()
    kill_at(world, "after", "UpdateService", lambda: held_promote(world))
    refuse(world, "RegisterScalableTarget")
    end = rollback(world)
    assert (end.code, serving(world), world.scaling) == (0, "web:2", ALL), end.text
    assert end.run.recorder.record.notes == [WARNING]
    assert mark(world)
    world.hook = lambda *_: None
    assert canary(world, release="B").code == 0
    assert_as_before(world)


def test_the_service_is_back_before_the_scaling_is_asked_about() -> None:
    world = held_world()
    kill_at(world, "after", "UpdateService", lambda: held_promote(world))
    seen: list[str] = []
    at(world, "before", "DescribeScalableTargets", lambda: seen.append(serving(world)))
    assert rollback(world).code == 0
    assert seen == ["web:2"]


def test_nor_is_a_promotion() -> None:
    world = held_world()
    refuse(world, "RegisterScalableTarget", after=2)
    end = held_promote(world)
    assert (end.code, serving(world)) == (0, "web:3"), end.text
    assert end.run.recorder.record.notes == [WARNING]
    assert mark(world)


def test_a_target_that_was_removed_meanwhile_needs_nothing_but_the_mark_emptied() -> None:
    world = held_world()
    kill_at(world, "after", "UpdateService", lambda: held_promote(world))
    world.scaling = None
    assert held_promote(world).code == 0
    assert (world.scaling, mark(world)) == (None, "")


@pytest.mark.parametrize("forged", ["", "x", "in=no", "in=no out=no scheduled=maybe", "in=no out=no scheduled=no\n"])
def test_a_mark_that_nobody_of_us_wrote_counts_as_absent(forged: str) -> None:
    assert scaling.parse(forged) is None
    world = start_of("A is promoted")
    world.scaling, world.service_tags[release_tags.SCALING] = ALL, forged
    assert rollback(world).code == 0
    assert world.scaling == ALL


def test_a_forged_mark_resumes_scaling_at_worst() -> None:
    world = start_of("P runs")
    world.scaling, world.service_tags[release_tags.SCALING] = ALL, "in=no out=no scheduled=no"
    assert canary(world, release="A").code == 0
    assert (world.scaling, mark(world)) == (Suspended(), "")


@pytest.mark.parametrize("state", [Suspended(), BY_HAND, Suspended(scale_in=True), ALL])
def test_a_mark_is_read_as_it_was_written(state: Suspended) -> None:
    assert scaling.parse(str(state)) == state
    assert not release_tags.FORBIDDEN.search(str(state))
