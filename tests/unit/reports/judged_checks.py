"""Checks as a bake leaves them, judged by the very code that judges: for the tests of the reports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Any

from ecs_pipeline.checks.comparisons.moment import Moment
from ecs_pipeline.checks.judges.compared import Compared
from ecs_pipeline.checks.recorded_bakes import rules_of, unit_of
from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.engine.check_series import Point
from ecs_pipeline.engine.record import CheckRecord, StageRecord
from tests.unit.reports import stage_records

QUERY = [{"Id": "m", "Expression": "{canary.task_ids}"}]


def compared(name: str, entry: dict[str, Any], moments: Sequence[Moment]) -> CheckRecord:
    """A comparison after these moments."""
    settings = CheckSettings.model_validate({"name": name, **entry})
    judge = Compared(settings)
    record = CheckRecord(
        name,
        settings.kind,
        limit=judge.limit,
        unit=judge.unit,
        line=settings.compared.line if settings.compared else None,
    )
    record.rules, record.series.unit = rules_of(settings), unit_of(settings)
    record.series.counts = settings.logs is not None
    conclusion = None
    for moment in moments:
        shown = (sample := judge.add(moment)).shown
        record.series.add(Point(moment.at, sample.outcome, shown.canary, shown.others, shown.evidence))
        record.samples, record.value = record.samples + 1, judge.value
        conclusion = judge.decided()
        if conclusion:
            break
    conclusion = conclusion or judge.conclude()
    record.verdict = conclusion.verdict if conclusion else "pass"
    record.message = conclusion.message if conclusion else judge.summary()
    record.evidence, record.seconds = judge.evidence, moments[-1].at
    return record


def latencies(factor: float, count: int = 40, noise: float = 0.3, others: int = 3) -> list[Moment]:
    """A minute each; milliseconds."""
    random = Random(4)
    return [
        Moment(
            60.0 * number,
            {"c": [factor * 120 * random.lognormvariate(0, noise)]},
            {f"s{task}": [120 * random.lognormvariate(0, noise)] for task in range(others)},
        )
        for number in range(count)
    ]


def slow_metric() -> CheckRecord:
    """A canary that is twice as slow."""
    return compared(
        "latency", {"metric": {"query": QUERY, "unit": "ms", "compare": "stable"}}, latencies(2.2, noise=0.5)
    )


def like_metric() -> CheckRecord:
    """A canary that is like the others."""
    return compared("like the others", {"metric": {"query": QUERY, "unit": "ms", "compare": "stable"}}, latencies(1))


def unclear_metric() -> CheckRecord:
    """A canary of which too little was seen."""
    entry = {"metric": {"query": QUERY, "unit": "ms", "compare": "stable"}}
    return compared("too short", entry, latencies(1.5, count=6, noise=0.5))


def lines() -> CheckRecord:
    """A canary that logs more errors."""
    random = Random(3)
    moments = [
        Moment(
            10.0 * n, {"c": [int(random.random() < 0.4)]}, {f"s{t}": [int(random.random() < 0.08)] for t in range(3)}
        )
        for n in range(1, 60)
    ]
    return compared("errors", {"logs": {"filter": "ERROR", "compare": "stable"}}, moments)


def answers() -> CheckRecord:
    """Two requests a second to each task."""
    random = Random(2)
    moments = []
    for number in range(400):
        wrong = random.random() < 0.01
        times = {f"s{task}": [12 * random.lognormvariate(0, 0.4)] for task in range(4)}
        canary = {} if wrong else {"c": [12 * random.lognormvariate(0, 0.4)]}
        moments.append(Moment(number / 2, canary, times, {"c": int(wrong)}, dict.fromkeys(times, 0)))
    return compared("http /", {"http": {"compare": "stable"}}, moments)


def limited() -> CheckRecord:
    """Answers within a limit, but for a few."""
    random = Random(1)
    record = CheckRecord("answers", "http", "fail", 0, 5, 320.0, 300.0, "p95 320 ms, limit 300 ms", unit="ms")
    record.series.unit = "ms"
    for number in range(30):
        value = 150 * math.exp(random.gauss(0.1, 0.3)) * (1 + number / 30)
        record.series.add(Point(10.0 * number, "bad" if value > 300 else "good", [round(value, 1)]))
        record.samples += 1
    return record


def alarms() -> CheckRecord:
    """A check without numbers."""
    record = CheckRecord("alarm sample-app-5xx", "alarm", "pass", 30, 1, "OK", "OK", "30 samples, OK: sample-app-5xx")
    for number in range(30):
        record.series.add(Point(10.0 * number, "bad" if number == 12 else "good"))
    return record


def all_kinds() -> list[CheckRecord]:
    """One of each."""
    return [slow_metric(), like_metric(), unclear_metric(), lines(), answers(), limited(), alarms()]


def whole_canary() -> StageRecord:
    """A canary with one check of each kind."""
    record = stage_records.passed_canary()
    record.checks = all_kinds()
    return record
