"""`status --watch`: the facts again and again, until there is nothing more to see."""

from __future__ import annotations

import pytest

from ecs_pipeline.engine.run import Origin
from ecs_pipeline.errors import Trouble
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.reports.status_table import rows
from ecs_pipeline.stages import status as status_stage
from ecs_pipeline.stages.status import status, watch
from tests.fakes.ports import new_run
from tests.fakes.stages import run_stage
from tests.fakes.world import World
from tests.unit.canary_world import kill_at
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary, promote


def test_it_ends_with_the_verdict() -> None:
    world = World()
    assert run_stage(world, "canary A") == 0
    (task,) = world.alive()
    verdict = task.tags.pop(release_tags.VERDICT)
    seen = []
    for facts in watch(new_run(world, "status", ())):
        seen.append(facts["canary"]["verdict"])
        if len(seen) == 3:
            task.tags[release_tags.VERDICT] = verdict
    assert seen == ["", "", "", "pass"]


def test_without_a_release_under_way_it_looks_once() -> None:
    assert len(list(watch(new_run(World(), "status", ())))) == 1


def test_a_baseline_has_a_row_of_its_own_and_no_part_in_the_share() -> None:
    world = World()
    settings = {"canary": {"bake": "5s", "healthy_within": "30s", "baseline": True}}
    assert run_stage(world, "canary A", settings) == 0
    facts = status(new_run(world, "status", ()))
    assert facts["canary"]["share"] == 25
    assert len(facts["canary"]["tasks"]) == 1
    (baseline,) = facts["baseline"]
    table = dict(rows(facts))
    assert table["baseline"] == f"{baseline['id']} RUNNING, {baseline['ip']}:8000 healthy, web:1"
    assert table["task 0"].startswith(facts["canary"]["tasks"][0]["id"])


def table_of(world: World) -> dict[str, str]:
    return dict(rows(status(new_run(world, "status", ()))))


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ("A is promoted", "web:2, release P, by a rollback"),
        ("P runs", "web:1, which no release made, by a rollback"),
        ("A is a canary", "web:2, which it runs: a rollback undoes release A alone"),
        ("A was rolled back", "nothing: there is no release that a plain rollback would undo"),
    ],
)
def test_what_a_rollback_returns_to_is_told_in_words(start: str, told: str) -> None:
    assert table_of(start_of(start))["returns to"] == told


def test_who_approved_is_told_and_a_promotion_that_is_half_done() -> None:
    world = start_of("A is a canary")
    kill_at(world, "after", "UpdateService", lambda: promote(world, release="A", approved_by="ann"))
    table = table_of(world)
    assert (table["approved by"], table["promotion"]) == ("ann", "of release A under way: `promote` finishes it")
    assert promote(world, release="A").code == 0
    after = table_of(world)
    assert (after["approved by"], "promotion" in after) == ("ann", False)


def test_a_canary_is_told_with_its_commit_and_build() -> None:
    world = start_of("P runs")
    canary(world, Origin(commit="ab12cd3" + 33 * "0", build="https://ci.example.com/7/"), release="A")
    assert table_of(world)["canary"] == "release A, web:3, commit ab12cd3, build https://ci.example.com/7/"


def test_it_ends_when_the_canary_is_gone_though_nobody_took_its_release_back() -> None:
    world = World()
    assert run_stage(world, "canary A") == 0
    (task,) = world.alive()
    del task.tags[release_tags.VERDICT]
    seen = []
    for facts in watch(new_run(world, "status", ())):
        seen.append(facts["canary"] is not None)
        if len(seen) == 2:
            world.stop_task(task.arn, "Essential container in task exited", "EssentialContainerExited")
    assert seen == [True, True, False]
    assert facts["under_way"] == "A"


def test_it_does_not_watch_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    assert run_stage(world, "canary A") == 0
    (task,) = world.alive()
    del task.tags[release_tags.VERDICT]
    monkeypatch.setattr(status_stage, "WATCHED_FOR", 60.0)
    with pytest.raises(Trouble, match=r"^the release is still under way after a day;"):
        list(watch(new_run(world, "status", ())))
