"""A sample of the faults: every call of every stage at least once, and a death after each write.

`make chaos` tries every kind of fault at every call, each on a service of its own (tests/chaos/__main__.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest

from tests.chaos.faults import KILLED_BEFORE, SILENT, Storm
from tests.chaos.proxy import Call
from tests.chaos.results import Result
from tests.chaos.rig import Rig
from tests.chaos.scenarios import SCENARIOS, Scenario

Judge = Callable[[Sequence[Result]], None]
CANARY = next(scenario for scenario in SCENARIOS if scenario.name == "canary")
BY_CHANCE = {"rollback": {"DescribeTargetGroups", "DescribeTargetGroupAttributes"}}
"""Calls that a stage makes only where some task has got an address again that is written down."""


def each(scenarios: Iterable[Scenario]) -> pytest.MarkDecorator:
    """One process tries all of a stage: it runs undisturbed once."""
    stages = [pytest.param(case, id=case.name, marks=pytest.mark.xdist_group(case.name)) for case in scenarios]
    return pytest.mark.parametrize("scenario", stages)


@each(case for case in SCENARIOS if case.disturbed)
def test_a_stage_ends_right_though_every_call_is_disturbed(rig: Rig, scenario: Scenario, judge: Judge) -> None:
    results = rig.try_storm(scenario, Storm(rig.microburst), "a passing fault at every call")
    judge(results)
    undisturbed = {call.operation for call in rig.undisturbed(scenario).calls}
    assert undisturbed - BY_CHANCE.get(scenario.stage, set()) <= {result.at.partition(" ")[0] for result in results}


@each(case for case in SCENARIOS if case.dies)
def test_a_stage_that_dies_at_every_write_ends_right(rig: Rig, scenario: Scenario, judge: Judge) -> None:
    judge(rig.try_deaths(scenario))


@pytest.mark.parametrize("kind", ["ThrottlingException", KILLED_BEFORE, SILENT])
def test_a_canary_is_started_once_though_run_task_is_refused_or_not_answered(rig: Rig, kind: str, judge: Judge) -> None:
    result = rig.try_fault(CANARY, kind, Call("RunTask", 1))
    judge([result] if result else [])
