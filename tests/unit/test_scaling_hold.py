"""`promote.autoscaling: hold`: suspended for the time of a promotion, put back as it was, also after a kill."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.config.settings import Settings
from ecs_pipeline.model.scaling import ALL, Suspended
from ecs_pipeline.plans.refusals import OUR_TAGS
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.reports.status_table import rows
from ecs_pipeline.stages import status as status_stage
from tests.fakes.ports import new_run
from tests.fakes.world import World
from tests.unit.canary_world import at, kill_at
from tests.unit.commands import NAMED, Commands, commands
from tests.unit.protocol.simulation import clean
from tests.unit.scaling_hold import BY_HAND, HOLD, assert_as_before, held_promote, held_world, mark, refuse, suspensions
from tests.unit.stage_runs import End, canary, promote, rollback, serving


def test_it_is_suspended_before_the_update_and_put_back_after_the_rollout() -> None:
    world = held_world()
    seen: list[tuple[Suspended | None, str]] = []
    at(world, "before", "UpdateService", lambda: seen.append((world.scaling, mark(world))))
    end = held_promote(world)
    assert (end.code, seen) == (0, [(ALL, "in=no out=no scheduled=yes")]), end.text
    assert_as_before(world)
    assert suspensions(world) == [BY_HAND, ALL, BY_HAND]
    assert not list(clean(world))


def test_the_hold_is_looked_at_after_each_of_its_writes_and_put_back_at_the_end() -> None:
    world = held_world()
    assert held_promote(world).code == 0
    calls = [name for _, name, _ in world.log]
    begun = calls.index("DescribeScalableTargets")
    assert calls[begun : begun + 7] == [
        "DescribeScalableTargets",
        "RegisterScalableTarget",
        "TagResource",
        "DescribeServices",
        "RegisterScalableTarget",
        "DescribeServices",
        "TagResource",
    ]
    assert calls[-4:] == ["DescribeScalableTargets", "RegisterScalableTarget", "DescribeServices", "TagResource"]


def test_it_takes_as_many_calls_as_the_page_on_time_and_cost_says() -> None:
    plain, holding = held_world(), held_world()
    assert promote(plain, release="A").code == held_promote(holding).code == 0
    more = len(holding.log) - len(plain.log)
    page = (Path(__file__).parents[2] / "docs" / "time-and-cost.md").read_text(encoding="utf-8")
    assert f"`promote.autoscaling: hold` takes {more} calls more" in page


def test_the_mark_is_written_before_the_suspension() -> None:
    world = held_world()
    kill_at(world, "before", "RegisterScalableTarget", lambda: held_promote(world), count=2)
    assert (world.scaling, mark(world)) == (BY_HAND, str(BY_HAND))


def test_without_the_option_nobody_asks_for_scaling() -> None:
    world = held_world()
    assert promote(world, release="A").code == 0
    assert rollback(world).code == 0
    assert not [name for _, name, _ in world.log if "Scalable" in name]


def test_a_rollout_that_fails_is_restored_and_the_scaling_too() -> None:
    world = held_world("rollout")
    end = held_promote(world)
    assert (end.code, serving(world)) == (1, "web:2"), end.text
    assert_as_before(world)
    assert not list(clean(world))


def test_the_scaling_goes_on_before_the_hooks() -> None:
    world = held_world()
    seen: list[Suspended | None] = []
    at(world, "before", "RunTask", lambda: seen.append(world.scaling))
    hooks = {"hooks": {"after_promote": [{"name": "purge", "command": ["./purge"]}]}}
    assert promote(world, release="A", settings={**HOLD, **hooks}).code == 0
    assert seen == [BY_HAND]


def test_a_service_without_a_scalable_target_has_nothing_to_hold() -> None:
    world = held_world()
    world.scaling = None
    end = held_promote(world)
    assert end.code == 0, end.text
    assert end.run.recorder.record.notes == ["prd/web has no scalable target: there is no autoscaling to hold"]
    assert (suspensions(world), mark(world)) == ([], "")


def test_what_is_suspended_already_stays_so_and_takes_no_mark() -> None:
    world = held_world()
    world.scaling = ALL
    end = held_promote(world)
    assert (end.code, world.scaling, suspensions(world), mark(world)) == (0, ALL, [], "")
    assert end.run.recorder.record.notes == ["the autoscaling of prd/web is suspended already, and stays so"]


@pytest.mark.parametrize("call", ["DescribeScalableTargets", "RegisterScalableTarget"])
def test_what_is_not_allowed_ends_it_before_anything_is_written(call: str) -> None:
    world = held_world()
    refuse(world, call)
    end = held_promote(world)
    assert (end.code, end.writes) == (4, []), end.text
    assert call in end.text
    assert_as_before(world)


# ---- the tag's room


def test_the_key_is_reserved_by_the_canary_where_the_config_asks_for_it() -> None:
    plain, asking = World(), World()
    assert canary(plain, release="A").code == canary(asking, release="A", settings=HOLD).code == 0
    assert (release_tags.SCALING in plain.service_tags, asking.service_tags[release_tags.SCALING]) == (False, "")


@pytest.mark.parametrize(("settings", "present"), [(HOLD, False), (HOLD, True), ({}, True)])
def test_it_is_counted_among_the_tags_that_are_needed(settings: dict[str, Any], *, present: bool) -> None:
    world = World()
    world.service_tags |= {f"x{number}": "y" for number in range(release_tags.MOST_TAGS - OUR_TAGS)}
    world.service_tags |= {release_tags.SCALING: ""} if present else {}
    end = canary(world, release="A", settings=settings)
    assert (end.code, end.writes) == (3, [])
    assert "and 10 are needed" in end.text


# ---- what is told


def test_a_dry_run_says_it_and_writes_nothing() -> None:
    world = held_world()
    end = promote(world, release="A", settings=HOLD, dry_run=True)
    assert (end.code, end.writes) == (0, [])
    assert end.run.recorder.record.plan[:2] == [
        "suspend the autoscaling of prd/web until the end",
        "update prd/web from web:2 to web:3",
    ]


@pytest.mark.parametrize("stage", [promote, rollback, canary])
def test_a_dry_run_after_a_kill_says_that_it_would_put_it_back(stage: Callable[..., End]) -> None:
    world = held_world()
    kill_at(world, "before", "RegisterScalableTarget", lambda: held_promote(world), count=3)
    end = stage(world, dry_run=True)
    assert (end.code, end.writes) == (0, []), end.text
    line = "put the autoscaling of prd/web back to what it was (suspended: in=no out=no scheduled=yes)"
    assert line in end.run.recorder.record.plan


def test_status_tells_that_scaling_is_held() -> None:
    world = held_world()
    kill_at(world, "after", "UpdateService", lambda: held_promote(world))
    facts = status_stage.status(new_run(world, "status", []))
    assert facts["autoscaling_before"] == str(BY_HAND)
    told = ("autoscaling", "held by a promotion; suspended before: in=no out=no scheduled=yes")
    assert told in rows(facts)
    assert held_promote(world).code == 0
    facts = status_stage.status(new_run(world, "status", []))
    assert facts["autoscaling_before"] == ""
    assert "autoscaling" not in dict(rows(facts))


# ---- the policy


def test_scaling_may_be_suspended_only_where_the_config_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run: Commands = commands(monkeypatch, capsys, tmp_path)
    plain = run("policy", *NAMED)
    assert "application-autoscaling" not in plain.out
    assert release_tags.SCALING not in plain.out
    assert f"left out {release_tags.SCALING} of MarkService: promote.autoscaling is not hold" in plain.err
    run.changes["settings"] = Settings.model_validate({"cluster": "prd", "service": "web", **HOLD})
    end = run("policy", *NAMED)
    found = {statement["Sid"]: statement for statement in json.loads(end.out)["Statement"]}
    account = "arn:aws:application-autoscaling:eu-west-1:123456789012"
    assert found["HoldAutoscaling"]["Resource"] == [f"{account}:scalable-target/*"]
    assert found["ReadAutoscaling"]["Resource"] == "*"
    assert release_tags.SCALING in json.dumps(found["MarkService"])
    assert release_tags.SCALING not in end.err
