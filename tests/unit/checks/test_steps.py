"""A canary that grows by steps: each is judged at its size, and one that was killed goes on with the step it was in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.sample import BAD, GOOD, UNCLEAR, Check, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.steps import judging
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.schedule import Killed
from tests.fakes.stages import run_stage, stage_of
from tests.fakes.telemetry import FakeCloudWatch
from tests.fakes.world import World
from tests.unit.checks.world import Scripted
from tests.unit.protocol.simulation import clean, heals, start_of
from tests.unit.stage_runs import canary

STEPS = [{"tasks": 1}, {"tasks": 2, "bake": "4s"}, {"percent": 50}]
SETTINGS: dict[str, Any] = {
    "canary": {
        "bake": "2s",
        "healthy_within": "30s",
        "steps": STEPS,
        "checks": [{"name": "c", "interval": "1s", "failures": 1, "of": 1, "min_samples": 1, "http": {"path": "/"}}],
    }
}
"""Beside three tasks: one, two, three."""


class Sizes(Kinds):
    """One check whose samples are what a test says of each size; it writes down which sizes began to be judged."""

    def __init__(self, outcomes: Mapping[int, str]) -> None:
        super().__init__(FakeCloudWatch())
        self._outcomes = outcomes
        self.judged: list[int] = []

    def make(self, settings: CheckSettings, subject: Subject) -> Check:
        size = len(subject.canary)
        self.judged.append(size)
        return Scripted(lambda _now: [Sample(self._outcomes.get(size, GOOD), "seen")], subject)


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> Sizes:
    return scripted(monkeypatch)


def scripted(monkeypatch: pytest.MonkeyPatch, outcomes: Mapping[int, str] | None = None) -> Sizes:
    kinds = Sizes(outcomes or {})
    monkeypatch.setattr(judging, "Kinds", lambda _cloudwatch: kinds)
    return kinds


def kill_at(world: World, number: int, when: str) -> bool:
    """Run the canary until it dies before or after its call of that number; whether there was one."""
    calls = 0

    def hook(moment: str, _call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        nonlocal calls
        calls += moment == when
        if (moment, calls) == (when, number):
            raise Killed

    world.hook = hook
    try:
        run_stage(world, "canary A", SETTINGS)
    except Killed:
        return True
    finally:
        world.hook = lambda _when, _call, _write: None
    return False


def test_each_size_is_judged_for_its_own_time(sizes: Sizes) -> None:
    world = World()
    code, run, text = stage_of(world, "canary A", SETTINGS)
    assert (code, sizes.judged, len(world.alive())) == (0, [1, 2, 3], 3), text
    assert run.recorder.record.share == 50
    assert run.recorder.record.step("bake").seconds == pytest.approx(2 + 4 + 2, abs=0.5)
    assert [check.verdict for check in run.recorder.record.checks] == ["pass"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_one_that_was_killed_anywhere_goes_on_with_the_step_that_it_was_in(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    killed_in: set[int] = set()
    for number in range(1, 500):
        world, sizes = start_of("P runs"), scripted(monkeypatch)
        if not kill_at(world, number, when):
            break
        before = list(sizes.judged)
        code, run, text = stage_of(world, "canary A", SETTINGS)
        assert code == 0, (number, text)
        again = sizes.judged[len(before) :]
        last = before[-1] if before else 1
        assert not again or again in (list(range(step, 4)) for step in (last, last + 1)), (number, before, again)
        assert before[-1:] == [3] or again[-1:] == [3], number
        assert len(world.alive()) == len(world.registered()) == 3, number
        assert run.recorder.record.share == 50
        assert run_stage(world, "promote A", SETTINGS) == 0
        assert not [*clean(world), *heals(world)], number
        killed_in.add(last)
    assert killed_in == {1, 2, 3}


@pytest.mark.parametrize(("outcome", "code", "left"), [(BAD, 1, 0), (UNCLEAR, 5, 2)])
def test_a_step_that_does_not_pass_is_the_last(
    monkeypatch: pytest.MonkeyPatch, outcome: str, code: int, left: int
) -> None:
    world, sizes = World(), scripted(monkeypatch, {2: outcome})
    assert run_stage(world, "canary A", SETTINGS) == code
    assert (sizes.judged, len(world.alive())) == ([1, 2], left)
    if code == 5:
        assert run_stage(world, "canary A", SETTINGS) == 5
        assert sizes.judged == [1, 2]


def test_a_bake_that_was_cut_short_starts_over(monkeypatch: pytest.MonkeyPatch) -> None:
    world, sizes = World(), scripted(monkeypatch)
    settings = {"canary": {**SETTINGS["canary"], "steps": [], "bake": "20s"}}
    kinds: list[str] = []

    def hook(when: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        kinds.append(call)
        if when == "before" and sizes.judged and kinds.count("DescribeTargetHealth") > 8:
            raise Killed

    world.hook = hook
    with pytest.raises(Killed):
        run_stage(world, "canary A", settings)
    world.hook = lambda _when, _call, _write: None
    code, run, text = stage_of(world, "canary A", settings)
    assert (code, sizes.judged) == (0, [1, 1]), text
    assert run.recorder.record.step("bake").seconds == pytest.approx(20, abs=0.5)


def test_a_dry_run_tells_every_size() -> None:
    world = World()
    world.images["v2"] = digest_of("v2")
    end = canary(world, dry_run=True, settings=SETTINGS, release="A", image=f"{REGISTRY}/web:v2")
    assert end.writes == []
    assert end.message("tasks") == "; then ".join(3 * ["would run 1 task of web:new"])
    assert end.message("bake") == "; then ".join(f"would watch for {time}, checks: c" for time in ("2s", "4s", "2s"))


def test_a_percentage_that_is_less_than_the_step_before_takes_none_away(sizes: Sizes) -> None:
    world = World()
    settings = {"canary": {**SETTINGS["canary"], "steps": [{"tasks": 3}, {"percent": 10}]}}
    assert run_stage(world, "canary A", settings) == 0
    assert (sizes.judged, len(world.alive())) == ([3, 3], 3)
