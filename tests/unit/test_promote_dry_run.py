"""What a promotion's dry run tells is what the same command then does: first, resumed, with and without a canary."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from ecs_pipeline.model.release import INCONCLUSIVE
from ecs_pipeline.model.scaling import ALL
from ecs_pipeline.protocol import release_tags
from tests.fakes.world import World
from tests.unit.canary_world import dies, kill_at, only
from tests.unit.protocol.simulation import start_of
from tests.unit.scaling_hold import HOLD, held_promote, held_world
from tests.unit.stage_runs import arn_of, canary, promote, rollback

OTHER_GROUP = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/web-internal/2"
SIZES: dict[str, Any] = {"canary": {"bake": "2s", "healthy_within": "30s", "tasks": 2, "baseline": True}}


def first() -> World:
    return start_of("A is a canary")


def two_tasks_and_a_baseline() -> World:
    world = start_of("P runs")
    assert canary(world, release="A", settings=SIZES).code == 0
    return world


def inconclusive() -> World:
    world = first()
    only(world).tags[release_tags.VERDICT] = INCONCLUSIVE
    return world


def two_target_groups() -> World:
    return canary_of(World(more_groups=(OTHER_GROUP,)))


def no_load_balancer() -> World:
    return canary_of(World(with_load_balancer=False))


def canary_of(world: World) -> World:
    """P runs, and A is a canary."""
    assert (canary(world, release="P").code, promote(world, release="P").code) == (0, 0)
    assert canary(world, release="A").code == 0
    return world


def updated_by_hand() -> World:
    world = first()
    world.update_service(arn_of(world, "web:3"))
    return world


def killed(moment: str, call: str, count: int = 1) -> World:
    """A's promotion was killed there."""
    world = first()
    kill_at(world, moment, call, lambda: promote(world, release="A"), count=count)
    return world


def rolled_out() -> World:
    world = killed("after", "UpdateService")
    world.schedule.now += world.delays.rollout + world.delays.leaving
    return world


def old_tasks_draining() -> World:
    """All new tasks run: the canary leaves the traffic at the first look, before the rollout is over."""
    world = first()
    world.delays.leaving = 60
    kill_at(world, "after", "UpdateService", lambda: promote(world, release="A"))
    world.schedule.now += world.delays.rollout + 1
    return world


def still_draining() -> World:
    world = first()
    world.delays.drain = 300
    kill_at(world, "after", "DeregisterTargets", lambda: promote(world, release="A"))
    return world


def dead_canary() -> World:
    """It died after its promotion was killed: what is left of it is its target."""
    world = rolled_out()
    dies(world)
    return world


def one_of_two_died() -> World:
    world = start_of("P runs")
    assert canary(world, release="A", settings={"canary": {**SIZES["canary"], "baseline": False}}).code == 0
    kill_at(world, "after", "UpdateService", lambda: promote(world, release="A"))
    dies(world)
    return world


def hold_was_killed() -> World:
    world = held_world()
    kill_at(world, "after", "UpdateService", lambda: held_promote(world))
    return world


def suspended_already() -> World:
    world = held_world()
    world.scaling = ALL
    return world


CASES: Mapping[str, tuple[Callable[[], World], dict[str, Any]]] = {
    "first": (first, {}),
    "approved by somebody": (first, {"approved_by": "Jane"}),
    "of an inconclusive canary": (inconclusive, {}),
    "of two tasks and a baseline": (two_tasks_and_a_baseline, {}),
    "with two target groups": (two_target_groups, {}),
    "without a load balancer": (no_load_balancer, {}),
    "of a service that was updated by hand": (updated_by_hand, {}),
    "killed before the tags": (lambda: killed("before", "TagResource"), {}),
    "killed after the tags": (lambda: killed("after", "TagResource"), {}),
    "killed before the update": (lambda: killed("before", "UpdateService"), {}),
    "killed after the update": (lambda: killed("after", "UpdateService"), {}),
    "killed in the rollout": (lambda: killed("before", "DescribeServices", 5), {}),
    "while the old tasks drain": (old_tasks_draining, {}),
    "rolled out since": (rolled_out, {}),
    "killed before the drain": (lambda: killed("before", "DeregisterTargets"), {}),
    "killed after the drain": (lambda: killed("after", "DeregisterTargets"), {}),
    "killed while the target drains": (still_draining, {}),
    "killed before the stop": (lambda: killed("before", "StopTask"), {}),
    "killed after the stop": (lambda: killed("after", "StopTask"), {}),
    "whose canary died": (dead_canary, {}),
    "of which one task died": (one_of_two_died, {}),
    "with a hold": (held_world, {"settings": HOLD}),
    "with a hold that was killed": (hold_was_killed, {"settings": HOLD}),
    "with a hold that another config left": (hold_was_killed, {}),
    "with a hold where all is suspended": (suspended_already, {"settings": HOLD}),
    "without anything to scale": (first, {"settings": HOLD}),
    "that is done": (lambda: start_of("A is promoted"), {}),
}


def plain(lines: Sequence[str]) -> list[str]:
    """Lines of a plan, or of what was done, without what only one of the two says; waits are noted nowhere."""
    writes = [line for line in lines if not line.startswith(("wait ", "put ")) and not belongs(line, lines)]
    short = (re.sub(r"^(update \S+) from \S+", r"\1", line) for line in writes)
    return sorted(re.sub(r" until the end$|, unless a task has it by then$", "", line) for line in short)


def belongs(line: str, lines: Sequence[str]) -> bool:
    """Whether it is the tag of another write, of the update or of the hold: a plan tells those as one."""
    updated = any(other.startswith("update ") for other in lines)
    return line.startswith("mark ") and (updated or "autoscaling" in line)


def puts_back(lines: Sequence[str]) -> bool:
    return any(line.startswith("put ") or line.endswith(" until the end") for line in lines)


@pytest.mark.parametrize("case", CASES)
def test_what_a_dry_run_tells_is_what_is_done(case: str) -> None:
    make, options = CASES[case]
    world = make()
    dry = promote(world, release="A", dry_run=True, **options)
    assert (dry.code, dry.writes) == (0, []), dry.text
    end = promote(world, release="A", **options)
    assert end.code == 0, end.text
    plan, done = dry.run.recorder.record.plan, end.run.recorder.record.done
    assert (plain(plan), puts_back(plan)) == (plain(done), puts_back(done))
    assert dry.run.recorder.record.changed is bool(end.writes)


def lines(make: Callable[[], World]) -> dict[str, str]:
    """What each step says in a dry run."""
    end = promote(make(), release="A", dry_run=True)
    return {step.name: step.message for step in end.run.recorder.record.steps[1:5]}


def test_a_rollout_that_is_over_is_not_waited_for() -> None:
    told = lines(rolled_out)
    assert (told["service-update"], told["stable"]) == ("unchanged", "3 of 3 tasks run web:3")
    assert told["drain"] == "would take 10.0.0.4:8000 out of the traffic"


def test_a_target_that_drains_already_is_waited_for() -> None:
    assert lines(still_draining)["drain"] == "would wait until 10.0.0.4:8000 has drained"


def test_the_target_of_a_task_that_died_goes_unless_another_has_its_address() -> None:
    told = lines(dead_canary)
    assert told["drain"] == "would take 10.0.0.4:8000 out of the traffic, unless a task has it by then"
    assert told["cleanup"] == "unchanged"


def test_a_rollout_that_ecs_took_back_will_fail() -> None:
    world = start_of("A is a canary", {"A": "rollout"})
    kill_at(world, "after", "UpdateService", lambda: promote(world, release="A"))
    world.schedule.now += world.delays.rollout + 1
    dry = promote(world, release="A", dry_run=True)
    assert (dry.code, dry.writes) == (0, []), dry.text
    assert dry.message("stable").startswith("would fail: ECS rolled the deployment back to web:2: ")
    end = promote(world, release="A")
    assert (end.code, end.message("stable")) == (1, dry.message("stable").removeprefix("would fail: "))


def test_a_cancel_that_was_killed_is_finished_and_the_promotion_refused() -> None:
    world = start_of("A is a canary")
    kill_at(world, "before", "DeregisterTargets", lambda: rollback(world))
    dry = promote(world, release="A", dry_run=True)
    assert (dry.writes, dry.run.recorder.record.plan) == ([], ["remove what an earlier run left"])
    end = promote(world, release="A")
    assert end.run.recorder.record.done[:1] == ["take 10.0.0.4:8000 out of the traffic"]
    assert (dry.code, dry.text) == (end.code, end.text.replace("is removed", "would be removed")) == (3, dry.text)
    assert dry.run.recorder.record.changed is bool(end.writes) is True


def test_the_hooks_of_a_rollback_that_was_killed_are_run_first() -> None:
    world, hooks = start_of("A is a canary"), {"hooks": {"after_rollback": [{"name": "purge", "command": ["purge"]}]}}
    kill_at(world, "before", "RunTask", lambda: rollback(world, settings=hooks))
    dry = promote(world, release="A", dry_run=True, settings=hooks)
    assert (dry.code, dry.writes, dry.run.recorder.record.plan) == (3, [], ["run after_rollback hook purge"])
    end = promote(world, release="A", settings=hooks)
    assert (dry.code, dry.text) == (end.code, end.text.replace("is done", "would be done"))
