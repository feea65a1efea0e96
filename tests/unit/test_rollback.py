"""A plain rollback: what is under way or was released last is undone, once, in the safe order."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.engine.run import Origin
from tests.fakes.names import names
from tests.fakes.world import World
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import active, canary, promote, rollback, serving


def first_times(world: World) -> dict[str, float]:
    """When each call was made first."""
    times: dict[str, float] = {}

    def hook(_when: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        times.setdefault(call, world.now)

    world.hook = hook
    return times


def test_a_canary_goes_out_of_the_traffic_then_its_task_then_its_revision_and_the_service_stays() -> None:
    world = start_of("A is a canary")
    end = rollback(world)
    assert (end.code, end.writes) == (0, ["TagResource", "DeregisterTargets", "StopTask", "DeregisterTaskDefinition"])
    assert (serving(world), active(world), world.alive()) == ("web:2", ["web:1", "web:2"], [])
    assert not list(clean(world))


def test_a_promotion_is_undone_by_going_back_before_its_revision_is_deregistered() -> None:
    world = start_of("A is promoted")
    end = rollback(world)
    assert (end.code, end.writes) == (0, ["TagResource", "UpdateService", "DeregisterTaskDefinition"])
    assert (serving(world), active(world)) == ("web:2", ["web:1", "web:2"])
    assert world.marks()["release"] == "P"
    assert "previous" not in world.marks()
    assert not list(clean(world))


def test_after_going_back_to_a_revision_of_no_release_none_is_recorded() -> None:
    world = start_of("P runs")
    rollback(world)
    assert serving(world) == "web:1"
    assert not {"release", "previous", "under-way"} & set(world.marks())


@pytest.mark.parametrize("start", ["A is a canary", "A is promoted", "A was rolled back"])
def test_given_again_it_writes_nothing(start: str) -> None:
    world = start_of(start)
    rollback(world)
    again = rollback(world)
    assert (again.code, again.writes) == (0, [])
    assert again.message("preflight") == "nothing to roll back"


def test_it_never_goes_a_second_release_back() -> None:
    world = start_of("A is promoted")
    for _ in range(3):
        assert rollback(world).code == 0
    assert serving(world) == "web:2"


def test_without_any_history_it_is_refused() -> None:
    world = World()
    end = rollback(world)
    assert (end.code, end.writes) == (3, [])
    assert end.text.startswith("nothing to go back to at prd/web: ")
    assert "`rollback --to REVISION`" in end.text


def test_a_release_that_was_rolled_back_may_start_again_under_its_id() -> None:
    world = start_of("A was rolled back")
    assert [canary(world, release="A").code, promote(world, release="A").code] == [0, 0]
    assert (serving(world), world.marks()["release"]) == ("web:4", "A")
    assert not list(clean(world))


def test_a_start_that_has_no_task_yet_is_cancelled() -> None:
    world = start_of("P runs")
    world.service_tags["ecs-pipeline:under-way"] = "A"
    end = rollback(world)
    assert (end.code, end.writes) == (0, ["TagResource"])
    assert (serving(world), world.marks()["release"]) == ("web:2", "P")
    assert "under-way" not in world.marks()


def test_a_task_is_stopped_only_after_its_target_has_drained() -> None:
    world = start_of("A is a canary")
    world.delays.drain = 40
    times = first_times(world)
    rollback(world)
    assert times["StopTask"] - times["DeregisterTargets"] >= 40


@pytest.mark.parametrize(
    ("start", "options", "plan"),
    [
        (
            "A is a canary",
            {},
            ["cancel release A", "take TARGET out of the traffic", "stop task TASK", "deregister web:3"],
        ),
        ("A is promoted", {}, ["cancel release A", "update prd/web to web:2", "deregister web:3"]),
        ("A was rolled back", {}, []),
        ("A is promoted", {"to": "web:1"}, ["update prd/web to web:1", "deregister web:3"]),
        ("A was rolled back", {"to": "web:3"}, ["register web:3 anew", "update prd/web to a copy of web:3"]),
        (
            "A is a canary",
            {"to": "web:2"},
            ["cancel release A", "take TARGET out of the traffic", "stop task TASK", "deregister web:3"],
        ),
    ],
)
def test_a_dry_run_tells_the_plan_and_writes_nothing(start: str, options: dict[str, Any], plan: list[str]) -> None:
    world = start_of(start)
    task = world.alive()[0] if world.alive() else None
    end = rollback(world, dry_run=True, **options)
    assert (end.code, end.writes) == (0, [])
    known = {"TASK": task.arn.rpartition("/")[2], "TARGET": f"{task.address}:8000"} if task else {}
    for word, meaning in known.items():
        plan = [line.replace(word, meaning) for line in plan]
    assert end.run.recorder.record.plan == plan
    assert end.message("preflight") == (f"would {', '.join(plan)}" if plan else "nothing to roll back")


@pytest.mark.parametrize("options", [{}, {"to": "web:1"}, {"to": "web:3"}])
@pytest.mark.parametrize("start", ["A is a canary", "A is promoted", "A was rolled back"])
def test_what_a_dry_run_tells_is_what_is_done(start: str, options: dict[str, Any]) -> None:
    plan = rollback(start_of(start), dry_run=True, **options).run.recorder.record.plan
    world = start_of(start)
    before = active(world)
    writes = rollback(world, **options).writes
    words = {"take": "DeregisterTargets", "stop": "StopTask", "update": "UpdateService", "cancel": "TagResource"}
    words |= {"register": "RegisterTaskDefinition", "deregister": "DeregisterTaskDefinition"}
    told = {words[line.split()[0]] for line in plan} | ({"TagResource"} if plan else set())
    assert told == set(writes)
    gone = {line.split()[1] for line in plan if line.startswith("deregister ")}
    assert gone == set(before) - set(active(world))


def test_what_it_did_is_told_step_by_step() -> None:
    end = rollback(start_of("A is promoted"))
    outcomes = {step.name: step.outcome for step in end.run.recorder.record.steps}
    assert outcomes == {
        "preflight": "passed",
        "drain": "skipped",
        "cleanup": "skipped",
        "service-update": "passed",
        "stable": "passed",
        "deregister": "passed",
    }
    assert end.message("service-update") == "back to web:2"
    assert end.message("stable") == "3 of 3 tasks run web:2"
    assert end.message("deregister") == "deregistered web:3"
    assert end.release == "A"


def test_the_report_names_the_build_of_the_release_that_went() -> None:
    world = start_of("P runs")
    canary(world, Origin(commit="c0ffee", build="https://ci.example.com/7/"), release="A")
    found = rollback(world).run.recorder.record.release
    assert (found.id, found.commit, found.build) == ("A", "c0ffee", "https://ci.example.com/7/")


def test_the_report_says_from_which_revision_the_service_came_back_to_which() -> None:
    found = rollback(start_of("A is promoted")).run.recorder.record.release
    revisions = names([found.previous_task_definition, found.task_definition])
    assert (found.id, revisions) == ("A", ["web:3", "web:2"])
