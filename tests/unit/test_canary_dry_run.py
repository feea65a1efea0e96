"""What a canary's dry run tells is what the same command then does: first, resumed, after another, killed anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from ecs_pipeline.model.scaling import ALL
from ecs_pipeline.protocol import release_tags
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.world import World
from tests.unit.canary_world import dies, kill_at, only
from tests.unit.intruder import forge
from tests.unit.protocol.simulation import start_of
from tests.unit.scaling_hold import BY_HAND
from tests.unit.stage_runs import arn_of, canary, promote, rollback

OTHER_GROUP = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/web-internal/2"
WITH_BASELINE: dict[str, Any] = {"canary": {"bake": "2s", "healthy_within": "30s", "tasks": 2, "baseline": True}}
ONE_AND_A_BASELINE: dict[str, Any] = {"canary": {**WITH_BASELINE["canary"], "tasks": 1}}
TWO: dict[str, Any] = {"canary": {"bake": "2s", "healthy_within": "30s", "tasks": 2}}
STEPS: dict[str, Any] = {
    "canary": {"healthy_within": "30s", "steps": [{"tasks": 1, "bake": "2s"}, {"tasks": 3, "bake": "4s"}]}
}


def fresh() -> World:
    return start_of("P runs")


def killed(
    moment: str,
    call: str,
    count: int = 1,
    make: Callable[[], World] = fresh,
    stage: Callable[..., Any] = canary,
    **options: Any,
) -> World:
    """A stage of release A was killed there."""
    world = make()
    kill_at(world, moment, call, lambda: stage(world, **{"release": "A", **options}), count=count)
    return world


def without_verdict() -> World:
    world = start_of("A is a canary")
    only(world).tags[release_tags.VERDICT] = ""
    return world


def out_of_the_traffic() -> World:
    """Its task lives without a verdict, and somebody took its target out."""
    world = without_verdict()
    world.targets.clear()
    return world


def deregistered() -> World:
    """Somebody deregistered the canary's revision."""
    world = without_verdict()
    world.revisions[only(world).revision].active = False
    return world


def smaller() -> World:
    """The config asks for fewer tasks than live."""
    world = fresh()
    assert canary(world, release="A", settings=TWO).code == 0
    for task in world.alive():
        task.tags[release_tags.VERDICT] = ""
    return world


def one_of_two_died() -> World:
    world = smaller()
    dies(world)
    return world


def cancelled(moment: str, call: str) -> World:
    """A's rollback was killed there."""
    return killed(moment, call, make=lambda: start_of("A is a canary"), stage=rollback)


def died() -> World:
    """A is a canary whose task died: its target is left."""
    world = start_of("A is a canary")
    dies(world)
    return world


def updated_by_hand() -> World:
    world = fresh()
    world.update_service(arn_of(world, "web:1"))
    world.schedule.now += world.delays.rollout + world.delays.leaving + 1
    return world


def with_baseline() -> World:
    world = fresh()
    assert canary(world, release="A", settings=ONE_AND_A_BASELINE).code == 0
    return world


def with_baseline_of_before() -> World:
    """A's canary is gone, its baseline lives."""
    world = with_baseline()
    number = [task.tags[release_tags.ROLE] for task in world.alive()].index("canary")
    dies(world, number)
    return world


def another_promoted() -> World:
    """A's promotion was killed before its canary left the traffic, and its rollout is over."""
    return killed("before", "DeregisterTargets", make=lambda: start_of("A is a canary"), stage=promote)


def rolling_out() -> World:
    """A's promotion was killed when the service was told to run it."""
    return killed("after", "UpdateService", make=lambda: start_of("A is a canary"), stage=promote)


def checked() -> World:
    """The container has a health check."""
    world = World()
    container = world.revisions[arn_of(world, "web:1")].definition["containerDefinitions"][0]
    container["healthCheck"] = {"command": ["CMD", "true"]}
    return world


def not_healthy_yet() -> World:
    return killed("before", "RegisterTargets", make=checked)


def one_of_more_died() -> World:
    """Killed in the bake of the second size; a task of it that is not the first died since."""
    world = fresh()
    steps = {"canary": {**STEPS["canary"], "steps": [*STEPS["canary"]["steps"], {"tasks": 4, "bake": "2s"}]}}
    assert canary(world, release="A", settings=steps).code == 0
    only_first = world.alive()[0]
    only_first.tags |= {release_tags.VERDICT: "", release_tags.JUDGED_STEPS: "1"}
    dies(world, 1)
    return world


def held() -> World:
    """A promotion that was killed left the scaling suspended."""
    world = fresh()
    world.scaling = ALL
    world.service_tags[release_tags.SCALING] = str(BY_HAND)
    return world


def second_task() -> World:
    """Two tasks of A's canary have the same number."""
    world = start_of("A is a canary")
    world.schedule.now += 30
    his = forge(world, "A", only(world).revision)
    world.schedule.now += 30
    world.targets[his.address, 8000] = (world.now, None)
    return world


def built() -> World:
    """A's image is in the registry already."""
    world = fresh()
    world.images["A"] = digest_of("A")
    return world


def unwell() -> World:
    """It has its verdict, and somebody took its target out since."""
    world = start_of("A is a canary")
    world.targets.clear()
    return world


Case = tuple[Callable[[], World], dict[str, Any]]
GIVEN = f"{REGISTRY}/web:v2"


def given() -> World:
    world = fresh()
    world.images["v2"] = digest_of("v2")
    return world


CASES: Mapping[str, Case] = {
    "first": (fresh, {}),
    "of the first release": (World, {}),
    "with a given image": (given, {"image": GIVEN}),
    "whose image is built": (built, {}),
    "with a baseline": (fresh, {"settings": WITH_BASELINE}),
    "of several sizes": (fresh, {"settings": STEPS}),
    "of two tasks": (fresh, {"settings": TWO}),
    "with two target groups": (lambda: World(more_groups=(OTHER_GROUP,)), {}),
    "without a load balancer": (lambda: World(with_load_balancer=False), {}),
    "without a verdict": (without_verdict, {}),
    "out of the traffic": (out_of_the_traffic, {}),
    "judged, and out of the traffic": (unwell, {}),
    "that is done": (lambda: start_of("A is a canary"), {}),
    "that is promoted": (lambda: start_of("A is promoted"), {}),
    "of a deregistered revision": (deregistered, {}),
    "that is smaller now": (smaller, {}),
    "that is larger now": (without_verdict, {"settings": TWO}),
    "that has several sizes now": (without_verdict, {"settings": STEPS}),
    "that lacks its baseline": (without_verdict, {"settings": ONE_AND_A_BASELINE}),
    "after another's baseline, with one": (with_baseline_of_before, {"release": "B", "settings": ONE_AND_A_BASELINE}),
    "with container health checks": (checked, {}),
    "that is not healthy yet": (not_healthy_yet, {}),
    "after a larger size, of which a task died": (one_of_more_died, {"settings": STEPS}),
    "that has a baseline now": (without_verdict, {"settings": WITH_BASELINE}),
    "of which one task died": (one_of_two_died, {"settings": TWO}),
    "whose task died": (died, {}),
    "whose task died beside its baseline": (with_baseline_of_before, {"settings": WITH_BASELINE}),
    "with a second task": (second_task, {}),
    "that was rolled back": (lambda: start_of("A was rolled back"), {}),
    "after one that was rolled back": (lambda: start_of("A was rolled back"), {"release": "B"}),
    "after a rollback that was killed": (lambda: cancelled("after", "TagResource"), {"release": "B"}),
    "after a rollback that was killed in the drain": (
        lambda: cancelled("after", "DeregisterTargets"),
        {"release": "B"},
    ),
    "after a rollback that was killed before the stop": (lambda: cancelled("before", "StopTask"), {"release": "B"}),
    "after one whose task died": (died, {"release": "B"}),
    "after a baseline was left": (with_baseline_of_before, {"release": "B"}),
    "in place of another": (lambda: start_of("A is a canary"), {"release": "B", "replace": True}),
    "in place of another with a baseline": (
        with_baseline,
        {"release": "B", "replace": True, "settings": WITH_BASELINE},
    ),
    "in place of one that is promoted": (another_promoted, {"release": "B", "replace": True}),
    "in place of one whose rollout is under way": (rolling_out, {"release": "B", "replace": True}),
    "in place of none": (fresh, {"release": "B", "replace": True}),
    "of a service that was updated by hand": (updated_by_hand, {}),
    "with a hold that was left": (held, {}),
}
PLACES = [
    (moment, call, count)
    for moment in ("before", "after")
    for call, most in (("TagResource", 4), ("RegisterTaskDefinition", 1), ("RunTask", 4), ("RegisterTargets", 2))
    for count in range(1, most + 1)
]


def plain(lines: Sequence[str]) -> list[str]:
    """Lines of a plan, or of what was done, in the words that the two share: of new things the number, not the names.

    A baseline is told beside the canary. Waits are noted nowhere, and the service's marks are not told.
    """
    told = [part for line in lines for part in line.split("; for the baseline: ")]
    writes = [line for line in told if not line.startswith(("wait ", "watch ", "record ", "mark "))]
    return list(dict.fromkeys(map(_plain, writes)))


def _plain(line: str) -> str:
    line = re.sub(r" as the baseline$|, unless a task has it by then$", "", line)
    line = re.sub(r"^(register) .+ in ([\w, -]+?)(: .*)?$", r"\1 in \2", line)
    return re.sub(r"(web):(new|A|B|\d+)$|(web)@sha256:\w+$", r"web", line)


def test_what_a_dead_process_left_of_another_goes_first() -> None:
    world = cancelled("before", "DeregisterTaskDefinition")
    dry = canary(world, release="B", replace=True, dry_run=True)
    assert (dry.writes, dry.run.recorder.record.plan[0]) == ([], "remove what an earlier run left")
    assert canary(world, release="B", replace=True).run.recorder.record.done[0] == "deregister web:3"


def shares(lines: str) -> list[str]:
    return re.findall(r"\d+ % of the traffic", lines)


def compare(world: World, **options: Any) -> None:
    """Run it dry and then really."""
    dry = canary(world, dry_run=True, **options)
    assert dry.writes == [], dry.text
    end = canary(world, **options)
    assert (dry.code, dry.text) == (end.code, end.text)
    plan, done = dry.run.recorder.record.plan, end.run.recorder.record.done
    assert plain(plan) == plain(done)
    assert dry.run.recorder.record.changed is bool(end.writes)
    if told := shares(dry.message("traffic")):
        assert told[-1:] == shares(end.message("traffic"))
    for name in ("healthy", "traffic"):
        assert ("no " in dry.message(name)) == ("no " in end.message(name))


@pytest.mark.parametrize("case", CASES)
def test_what_a_dry_run_tells_is_what_is_done(case: str) -> None:
    make, options = CASES[case]
    compare(make(), **{"release": "A", **options})


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_of_one_that_was_killed_it_tells_what_is_left_to_do(place: tuple[str, str, int]) -> None:
    moment, call, count = place
    compare(killed(moment, call, count, settings=WITH_BASELINE), release="A", settings=WITH_BASELINE)
