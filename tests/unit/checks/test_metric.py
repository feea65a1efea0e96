"""Metrics: placeholders, datapoints as samples, one call for all checks, comparisons that cannot tell."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ecs_pipeline.checks import queries
from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.reachable import period_of
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import Task
from ecs_pipeline.model.telemetry import Series
from tests.fakes.telemetry import FakeCloudWatch
from tests.fakes.world import World
from tests.unit.checks.metrics import SEARCH, after, dimension, metric, put, value_of, with_others
from tests.unit.checks.world import cloudwatch, subject_of


def ids(tasks: Sequence[Task]) -> list[str]:
    return [task.id for task in tasks]


# ---- placeholders


def test_ids_are_joined_in_an_expression() -> None:
    subject = with_others(subject_of(World(), 2), stable=["s1"])
    expression = "SEARCH('{canary.task_ids}', 'Sum', 60) / SEARCH('{stable.task_ids}', 'Sum', 60)"
    (variant,) = queries.asked([{"Id": "m", "Expression": expression}], subject, "canary").variants
    first, second = ids(subject.canary)
    assert variant[0]["Expression"] == f"SEARCH('{first} OR {second}', 'Sum', 60) / SEARCH('s1', 'Sum', 60)"


def test_each_task_is_asked_for_itself_in_a_dimension() -> None:
    subject = subject_of(World(), 2)
    variants = queries.asked([dimension("{canary.task_ids}")], subject, "canary").variants
    assert [value_of(variant[0]) for variant in variants] == ids(subject.canary)


def test_the_family_is_that_of_the_tasks_that_are_asked_for() -> None:
    subject = subject_of(World())
    other = replace(subject.revision.revision, arn="arn:aws:ecs:r:1:task-definition/web-next:1")
    subject = with_others(replace(subject, revision=replace(subject.revision, revision=other)), stable=["s1"])
    query = [{"Id": "m", "Expression": "SEARCH('{N,F,TaskId} F={family} TaskId={canary.task_ids}', 'Sum', 60)"}]
    found = {group: queries.asked(query, subject, group).variants[0][0]["Expression"] for group in ("canary", "stable")}
    assert ["F=web-next " in found["canary"], "F=web TaskId=s1" in found["stable"]] == [True, True]
    (variant,) = queries.asked([dimension("{family}")], subject, "canary").variants
    assert value_of(variant[0]) == "web-next"


def test_an_expression_beside_a_dimension_has_all_ids() -> None:
    subject = subject_of(World(), 2)
    query = [dimension("{canary.task_ids}"), {"Id": "e", "Expression": SEARCH % "canary"}]
    variants = queries.asked(query, subject, "canary").variants
    joined = " OR ".join(ids(subject.canary))
    assert [joined in variant[1]["Expression"] for variant in variants] == [True, True]


def test_two_groups_in_dimensions_are_asked_for_in_all_pairs() -> None:
    subject = with_others(subject_of(World(), 2), stable=["s1", "s2"])
    query = [
        {**dimension("{canary.task_ids}"), "Id": "a", "ReturnData": False},
        {**dimension("{stable.task_ids}"), "Id": "b", "ReturnData": False},
        {"Id": "m", "Expression": "a - b"},
    ]
    variants = queries.asked(query, subject, "canary").variants
    pairs = [(value_of(variant[0]), value_of(variant[1])) for variant in variants]
    assert pairs == list(itertools.product(ids(subject.canary), ["s1", "s2"]))


def test_a_comparison_asks_the_same_of_the_others() -> None:
    subject = with_others(subject_of(World()), stable=["s1", "s2"])
    (variant,) = queries.asked([{"Id": "m", "Expression": SEARCH % "canary"}], subject, "stable").variants
    assert "TaskId=(s1 OR s2)" in variant[0]["Expression"]


def test_a_query_without_placeholders_is_sent_as_it_is() -> None:
    query = [dimension("{Brace}s stay")]
    assert queries.asked(query, subject_of(World()), "canary").variants == [query]


def test_tasks_that_do_not_live_cannot_be_asked_for() -> None:
    subject = with_others(subject_of(World()))
    with pytest.raises(Trouble, match=r"^no baseline task lives$"):
        queries.asked([{"Id": "m", "Expression": "{canary.task_ids} {baseline.task_ids}"}], subject, "canary")


def test_ids_of_queries_are_kept_apart_in_one_request_but_not_in_quoted_text() -> None:
    asked = queries.Asked(
        [[{"Id": "m", "ReturnData": False}, {"Id": "e", "Expression": "m + SUM(m1) + SEARCH('m', 1)"}]]
    )
    first, second = asked.numbered(3)
    assert (first["Id"], second["Id"]) == ("c3v0_m", "c3v0_e")
    assert second["Expression"] == "c3v0_m + SUM(m1) + SEARCH('m', 1)"


@pytest.mark.parametrize(
    ("query", "period"),
    [
        ([dimension("x", 10)], 10),
        ([{"Id": "m", "Expression": "SEARCH('x', 'Sum', 300)"}], 300),
        ([{"Id": "m", "Expression": "1", "Period": 5}], 5),
        ([{"Id": "m", "Expression": "1"}], 60),
        ([dimension("x", 60), {"Id": "e", "Expression": "m * 2"}], 60),
    ],
)
def test_the_period_is_the_longest_that_the_query_names(query: Any, period: float) -> None:
    assert period_of(query) == period


def of_canary(subject: Subject, *values: float) -> FakeCloudWatch:
    return put(subject, **{subject.canary[0].id: values})


def test_a_datapoint_is_a_sample_once_its_period_is_over_and_only_once() -> None:
    subject = subject_of(World())
    of_canary(subject, 1, 5, 2)
    check = metric(subject, at_most=3)
    assert after(subject, 59, check) == []
    assert [sample.outcome for sample in after(subject, 121, check)] == [GOOD, BAD]
    assert check.value == 5
    assert after(subject, 122, check) == []
    (last,) = after(subject, 181, check)
    assert last == Sample(GOOD, f"2 at {subject.since + timedelta(minutes=2):%H:%M:%S}")


def test_datapoints_from_before_the_bake_are_none() -> None:
    subject = subject_of(World())
    cloudwatch(subject).points = lambda _query: {subject.since - timedelta(seconds=1): 99.0}
    assert after(subject, 100, metric(subject, at_most=3)) == []


@pytest.mark.parametrize(("limit", "value"), [({"at_most": 3}, 9), ({"at_least": 3}, 1)])
def test_of_several_tasks_the_worst_counts(limit: dict[str, Any], value: float) -> None:
    subject = subject_of(World(), 3)
    values = dict(zip(ids(subject.canary), ([3.0], [float(value)], [3.0]), strict=True))
    put(subject, **values)
    check = metric(subject, **limit)
    (sample,) = after(subject, 61, check)
    assert (sample.outcome, check.value) == (BAD, value)
    assert sample.message.startswith(f"{value} at ")


def test_three_periods_without_a_datapoint_are_a_sample_without_data_and_each_further_one() -> None:
    subject = subject_of(World())
    of_canary(subject)
    check = metric(subject, at_most=3)
    assert after(subject, 179, check) == []
    assert after(subject, 180, check) == [Sample(MISSING, "no datapoint of a 1m period")]
    assert after(subject, 181, check) == []
    assert [sample.outcome for sample in after(subject, 240, check)] == [MISSING]


def test_all_checks_that_are_due_are_read_with_one_call_unless_one_bears_no_company() -> None:
    subject = subject_of(World())
    fake = cloudwatch(subject)
    kinds = Kinds(fake)
    insights = [{"Id": "m", "Expression": 'SELECT AVG(M) FROM "N"', "Period": 60}]
    checks = [metric(subject, query, kinds, at_most=1) for query in (None, [dimension("other")], insights)]
    for check in checks:
        check.begin()
    assert [check.collect() for check in checks] == [[], [], []]
    assert fake.calls == ["GetMetricData", "GetMetricData"]


class Troubled(FakeCloudWatch):
    """CloudWatch that answers with what a test says of a series, or not at all."""

    def __init__(self, *found: Series, error: Trouble | None = None) -> None:
        super().__init__()
        self._found, self._error = found, error

    def series(self, queries: Sequence[Mapping[str, Any]], since: datetime, until: datetime) -> list[Series]:
        if self._error:
            raise self._error
        return [replace(found, id=str(queries[0]["Id"])) for found in self._found]


@pytest.mark.parametrize(
    ("cloudwatch", "why"),
    [
        (Troubled(error=Trouble("cloudwatch:GetMetricData: denied")), "cloudwatch:GetMetricData: denied"),
        (Troubled(Series("", trouble="InternalError no such function")), "InternalError no such function"),
        (Troubled(Series("", "a"), Series("", "b")), "the query returns 2 series (a, b), not one"),
    ],
)
def test_what_cannot_be_read_is_a_sample_without_data(cloudwatch: Troubled, why: str) -> None:
    subject = subject_of(World(), cloudwatch=cloudwatch)
    assert after(subject, 61, metric(subject, at_most=3)) == [Sample(MISSING, why)]


def test_judged_alone_the_last_datapoints_since_the_bake_began_are_looked_at() -> None:
    subject = replace(subject_of(World()), judged_alone=True)
    of_canary(subject, *range(1, 11))
    samples = after(subject, 601, metric(subject, at_most=100))
    assert [sample.message.partition(" ")[0] for sample in samples] == ["9", "10"]


# ---- units


def in_unit(unit: str) -> list[dict[str, Any]]:
    query = dimension("{canary.task_ids}")
    query["MetricStat"]["Unit"] = unit
    return [query]


@pytest.mark.parametrize(
    ("keys", "unit", "summary"),
    [
        ({"at_most": 3}, "", "highest 2, limit at most 3"),
        ({"at_most": 3, "unit": "jobs"}, "jobs", "highest 2 jobs, limit at most 3 jobs"),
        ({"at_least": 1, "query": in_unit("Percent")}, "%", "lowest 1.5 %, limit at least 1 %"),
        ({"at_most": 3, "query": in_unit("Count")}, "count", "highest 2, limit at most 3"),
        ({"at_most": 3, "query": in_unit("Megabits")}, "megabits", "highest 2 megabits, limit at most 3 megabits"),
        ({"at_most": 3, "query": in_unit("Percent"), "unit": "of 1"}, "of 1", "highest 2 of 1, limit at most 3 of 1"),
    ],
)
def test_what_it_came_to_is_told_with_its_unit(keys: dict[str, Any], unit: str, summary: str) -> None:
    subject = subject_of(World())
    of_canary(subject, 1.5, 2)
    check = metric(subject, **keys)
    samples = after(subject, 121, check)
    assert (check.unit, check.summary()) == (unit, summary)
    shown = {"": "2", "count": "2"}.get(unit, f"2 {unit}")
    assert samples[-1].message.startswith(f"{shown} at ")


def test_without_a_datapoint_that_is_told() -> None:
    assert metric(subject_of(World()), at_most=3).summary() == "no datapoint, limit at most 3"
