"""Which calls of AWS each stage makes on a service of 3 tasks behind a target group, in their order.

A wait takes two seconds here and ends with its first look: that look is counted, the further ones of a longer wait
are not, as their number depends only on how long AWS takes. So all looks of the fence are there, those too that a wait
makes necessary. Each list is of a new process. A slow rollout is looked at twice: at the
first look its old tasks drain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.resources import Delays
from tests.fakes.world import World
from tests.unit.stage_runs import End, canary, promote, rollback

STAGES = {"canary": canary, "promote": promote, "rollback": rollback}
IMAGE, RELEASE = f"{REGISTRY}/web:v2", "v2"
WAITED_FOR = ("RunTask", "UpdateService", "DeregisterTargets", "StopTask")
"""Writes through the fence before a wait and another write. (What follows RegisterTargets is the bake, which takes its
time anyway.)
"""
CALLS = {
    "canary": """
        ListTasks DescribeServices DescribeTaskDefinition DescribeTargetGroups DescribeTargetGroupAttributes
        DescribeImages DescribeImages TagResource DescribeServices ListTaskDefinitions RegisterTaskDefinition
        DescribeServices ListTasks ListTasks RunTask DescribeServices ListTasks DescribeTasks DescribeServices
        TagResource DescribeServices RegisterTargets DescribeServices DescribeTasks DescribeTargetHealth
        DescribeTasks DescribeTargetHealth DescribeServices TagResource DescribeServices
    """,
    "canary again": """
        ListTasks DescribeTasks DescribeServices DescribeTaskDefinition DescribeTaskDefinition
        DescribeTargetGroups DescribeTargetGroupAttributes DescribeTargetHealth DescribeImages
    """,
    "promote": """
        ListTasks DescribeTasks DescribeServices DescribeTaskDefinition DescribeTaskDefinition
        DescribeTargetGroups DescribeTargetGroupAttributes DescribeTargetHealth TagResource DescribeServices
        TagResource UpdateService DescribeServices DescribeServices DescribeTasks DescribeTargetHealth
        DescribeServices DeregisterTargets DescribeServices DescribeTargetHealth DescribeTasks DescribeServices
        StopTask DescribeServices DescribeTasks DescribeServices
    """,
    "promote of a slow rollout": """
        ListTasks DescribeTasks DescribeServices DescribeTaskDefinition DescribeTaskDefinition
        DescribeTargetGroups DescribeTargetGroupAttributes DescribeTargetHealth TagResource DescribeServices
        TagResource UpdateService DescribeServices DescribeServices ListTasks DescribeTasks DescribeTargetHealth
        DescribeServices DeregisterTargets DescribeServices DescribeServices DescribeTasks DescribeTargetHealth
        DescribeTasks DescribeServices StopTask DescribeServices DescribeTasks DescribeServices
    """,
    "promote again": """
        ListTasks DescribeServices DescribeTaskDefinition DescribeTaskDefinition DescribeTargetHealth
    """,
    "rollback": """
        ListTasks DescribeServices ListTaskDefinitions DescribeTaskDefinition DescribeTaskDefinition
        DescribeTargetHealth TagResource DescribeServices UpdateService ListTasks DescribeServices
        ListTaskDefinitions DescribeTargetHealth DescribeTargetGroups DescribeTargetGroupAttributes
        DescribeServices ListTasks DescribeTasks DeregisterTaskDefinition ListTasks DescribeServices
        ListTaskDefinitions DescribeTargetHealth ListTasks DescribeServices ListTaskDefinitions
        DescribeTargetHealth ListTasks DescribeTasks
    """,
    "rollback again": """
        ListTasks DescribeServices ListTaskDefinitions DescribeTaskDefinition DescribeTargetHealth ListTasks
        DescribeServices ListTaskDefinitions DescribeTargetHealth
    """,
    "rollback without a release": """
        ListTasks DescribeServices ListTaskDefinitions DescribeTaskDefinition DescribeTaskDefinition
        DescribeTargetHealth ListTasks DescribeServices ListTaskDefinitions DescribeTargetHealth TagResource
        DescribeServices UpdateService ListTasks DescribeServices ListTaskDefinitions DescribeTargetHealth
        DescribeTargetGroups DescribeTargetGroupAttributes DescribeServices ListTasks DescribeTasks
        DeregisterTaskDefinition ListTasks DescribeServices ListTaskDefinitions DescribeTargetHealth ListTasks
        DescribeServices ListTaskDefinitions DescribeTargetHealth ListTasks DescribeTasks
    """,
    "rollback of a canary": """
        ListTasks DescribeTasks DescribeServices ListTaskDefinitions DescribeTaskDefinition
        DescribeTaskDefinition DescribeTargetGroups DescribeTargetGroupAttributes DescribeTargetHealth
        TagResource DeregisterTargets DescribeTargetHealth StopTask DescribeTasks ListTasks DescribeServices
        ListTaskDefinitions DescribeTargetHealth ListTasks DescribeTasks DeregisterTaskDefinition ListTasks
        DescribeServices ListTaskDefinitions DescribeTargetHealth ListTasks DescribeServices ListTaskDefinitions
        DescribeTargetHealth ListTasks DescribeTasks
    """,
}
MOST = {"canary": 30, "promote": 30, "promote of a slow rollout": 30, "promote again": 6, "rollback": 30}
"""How many calls may be made at most; the others need more (docs/time-and-cost.md)."""
PAGE = Path(__file__).parents[2] / "docs" / "time-and-cost.md"


def made(world: World, stage: str, **options: str) -> list[str]:
    """The calls of a stage that ends well."""
    before = len(world.log)
    chosen: dict[str, Any] = options | ({"image": IMAGE, "release": RELEASE} if stage == "canary" else {})
    end: End = STAGES[stage](world, settings={"promote": {"stable_within": "auto"}}, **chosen)
    assert end.code == 0, end.text
    return [name for _, name, _ in world.log[before:]]


@pytest.fixture(scope="module")
def calls() -> Mapping[str, list[str]]:
    """Each stage, and each again, as its list is named."""
    world = World(delays=Delays(start=0, healthy=0, drain=0, stop=0, rollout=1))
    world.images |= {"v2": digest_of("v2"), digest_of("v2"): digest_of("v2")}

    def wait(when: str, name: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        """Once the look after a write is over, and before a look at the service that begins a wait for it."""
        before, last = ["", "", *(call for _, call, _ in world.log)][-2:]
        written = before in WAITED_FOR and last == "DescribeServices"
        waiting = name == "DescribeServices" and last in ("DescribeTargetHealth", "DescribeTargetGroupAttributes")
        if when == "before" and (written or waiting):
            world.schedule.now += 2

    world.hook = wait
    found = {}
    for stage in ("canary", "promote", "rollback"):
        found[stage] = made(world, stage, release=RELEASE)
        found[f"{stage} again"] = made(world, stage, release=RELEASE)
    for stage in ("canary", "promote"):
        made(world, stage)
    found["rollback without a release"] = made(world, "rollback")
    world.schedule.now += 60
    made(world, "canary")
    found["rollback of a canary"] = made(world, "rollback")
    world.schedule.now += 60
    made(world, "canary")
    world.delays.leaving = 4
    found["promote of a slow rollout"] = made(world, "promote")
    return found


@pytest.mark.parametrize("name", CALLS)
def test_a_stage_asks_what_it_needs_and_nothing_twice(calls: Mapping[str, list[str]], name: str) -> None:
    assert calls[name] == CALLS[name].split()


@pytest.mark.parametrize("name", MOST)
def test_a_stage_makes_no_more_calls_than_it_may(calls: Mapping[str, list[str]], name: str) -> None:
    assert len(calls[name]) <= MOST[name], calls[name]


def test_the_page_has_the_numbers_of_the_lists() -> None:
    rows = re.findall(
        r"^\| `?(\w+)`?((?: of| without) a [a-z ]+)? \| (\d+) \| ?(\d*) \|",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    told = {f"{stage}{what}": int(first) for stage, what, first, _ in rows}
    told |= {f"{stage} again": int(again) for stage, _, _, again in rows if again}
    assert told == {name: len(listed.split()) for name, listed in CALLS.items()}
