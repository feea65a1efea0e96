"""`judge`: the checks alone, once, on the canary that lives."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import pytest

from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, Sample
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, PipelineError
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.stages import judge as stage
from ecs_pipeline.steps import judging
from tests.fakes.ports import new_run
from tests.fakes.stages import run_stage
from tests.fakes.world import World
from tests.unit.checks.world import ScriptedKinds

CHECKS = [
    {"name": "a", "interval": "1s", "command": {"run": [sys.executable]}},
    {"name": "b", "interval": "2s", "failures": 4, "min_samples": 2, "command": {"run": [sys.executable]}},
]


@dataclass
class Judged:
    code: int
    text: str
    run: Run
    kinds: ScriptedKinds
    writes: list[str]


def judged(monkeypatch: pytest.MonkeyPatch, world: World, a: str = GOOD, b: str = GOOD, release: str = "") -> Judged:
    kinds = ScriptedKinds({"a": lambda _now: [Sample(a, "seen")], "b": lambda _now: [Sample(b, "seen")]})
    monkeypatch.setattr(judging, "Kinds", lambda _cloudwatch: kinds)
    run = new_run(world, "judge", stage.STEPS, {"canary": {"bake": "5m", "checks": CHECKS}})
    before, code, text = len(world.writes()), 0, ""
    try:
        stage.judge(run, release)
    except PipelineError as error:
        code, text = error.exit_code, str(error)
    return Judged(code, text, run, kinds, world.writes()[before:])


@pytest.fixture
def world() -> World:
    made = World()
    assert run_stage(made, "canary A") == 0
    return made


@pytest.mark.parametrize(
    ("a", "b", "code"),
    [
        (GOOD, GOOD, 0),
        (BAD, GOOD, 1),
        (GOOD, BAD, 1),
        (MISSING, GOOD, 5),
        (GOOD, MISSING, 5),
    ],
)
def test_it_ends_with_the_verdict_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, world: World, a: str, b: str, code: int
) -> None:
    end = judged(monkeypatch, world, a, b)
    assert (end.code, end.writes) == (code, [])
    assert end.text.endswith("its canary lives: `rollback` removes it") == (code == 1)
    assert len(world.alive()) == 1


def test_each_check_takes_as_many_samples_as_a_verdict_needs(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    begun = world.now
    end = judged(monkeypatch, world)
    assert [check.samples for check in end.run.recorder.record.checks] == [3, 4]
    assert world.now - begun == pytest.approx(6, abs=0.1)
    assert [step.name for step in end.run.recorder.record.steps if step.outcome == "passed"] == ["preflight", "checks"]


def test_it_looks_back_to_the_beginning_of_the_last_bake(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    (task,) = world.alive()
    began = int(task.tags[release_tags.BAKE_BEGAN])
    end = judged(monkeypatch, world)
    assert int(end.kinds.made["a"].subject.since.timestamp()) == began


def test_without_a_canary_there_is_nothing_to_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    end = judged(monkeypatch, World())
    assert end.code == 3
    assert end.text == "no canary lives at prd/web; run `canary` first"


def test_another_releases_canary_is_refused(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    end = judged(monkeypatch, world, release="B")
    assert end.code == 3
    assert "is release A, not B" in end.text
    assert judged(monkeypatch, world, release="A").code == 0


def test_a_canary_that_is_unwell_fails_whatever_its_checks_say(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    world.targets.clear()
    end = judged(monkeypatch, world)
    assert end.code == 1
    assert "is not registered any more" in end.text


def test_the_facts_are_those_of_the_canary(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    record: Any = judged(monkeypatch, world).run.recorder.record
    assert record.release.id == "A"
    assert record.release.previous_task_definition == world.service_facts().revision
    assert record.share == 25
    assert [task.role for task in record.canary] == ["canary"]


def test_an_unknown_alarm_is_a_mistake_of_the_config_also_where_nothing_bakes(world: World) -> None:
    settings = {"canary": {"bake": "0s", "checks": [{"alarm": {"names": ["no-such-alarm"]}}]}}
    run = new_run(world, "judge", stage.STEPS, settings)
    with pytest.raises(InvalidInput, match="no alarm no-such-alarm in CloudWatch"):
        stage.judge(run, "")
