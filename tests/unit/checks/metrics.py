"""Metric checks in memory, and the series that CloudWatch has of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.sample import Check, Sample
from ecs_pipeline.checks.subject import Subject
from tests.fakes.telemetry import FakeCloudWatch
from tests.unit.checks.world import WithOthers, beside, check_of, cloudwatch

SEARCH = "SEARCH('{N,TaskId} TaskId=({%s.task_ids})', 'Average', 60)"


def dimension(value: str, period: int = 60) -> dict[str, Any]:
    metric = {"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "TaskId", "Value": value}]}
    return {"Id": "m", "MetricStat": {"Metric": metric, "Period": period, "Stat": "Average"}}


def value_of(query: Mapping[str, Any]) -> str:
    return str(query["MetricStat"]["Metric"]["Dimensions"][0]["Value"])


def with_others(subject: Subject, **groups: Sequence[str]) -> WithOthers:
    """The same with a baseline and stable tasks of these ids only, which stay as they are."""
    like = subject.canary[0]
    found = {name: tuple(replace(like, arn=f"arn:task/prd/{task}") for task in named) for name, named in groups.items()}
    return beside(subject, found.get("stable", ()), found.get("baseline", ()))


def metric(subject: Subject, query: Any = None, kinds: Kinds | None = None, **keys: Any) -> Check:
    shared = {key: keys.pop(key) for key in ("on_missing", "min_samples") if key in keys}
    chosen = query or [dimension("{canary.task_ids}")]
    settings = check_of(metric={"query": chosen, **keys}, **shared)
    return (kinds or Kinds(subject.run.cloudwatch)).make(settings, subject)


def after(subject: Subject, seconds: float, check: Check) -> list[Sample]:
    """The samples that come at so many seconds after the bake began."""
    passed = (subject.run.clock.wall() - subject.since).total_seconds()
    subject.run.clock.sleep(seconds - passed)
    check.begin()
    return list(check.collect() or [])


def put(subject: Subject, **values: Sequence[float]) -> FakeCloudWatch:
    """A datapoint a minute of the tasks whose ids are given; the first period begins with the bake."""
    fake = cloudwatch(subject)

    def points(query: Mapping[str, Any]) -> Mapping[datetime, float]:
        given = values.get(value_of(query), ())
        return {subject.since + timedelta(minutes=number): value for number, value in enumerate(given)}

    fake.points = points
    return fake
