"""Logs: lines that match since the bake began, counted in all, within a while, or against others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, Check, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import Task, TaskDefinition
from ecs_pipeline.model.telemetry import LogLine, LogStream
from tests.fakes.telemetry import FakeLogs
from tests.fakes.world import World
from tests.unit.checks.world import check_of, logs, subject_of


def check(subject: Subject, **keys: Any) -> Check:
    return Kinds(subject.run.cloudwatch).make(check_of(logs={"filter": "ERROR", **keys}), subject)


def sample(one: Check) -> Sample:
    one.begin()
    (found,) = one.collect() or []
    return found


def line(subject: Subject, second: float, task: Task | None = None, number: int = 0) -> LogLine:
    """A line at that second of the bake."""
    at = subject.since + timedelta(seconds=second)
    stream = f"app/app/{(task or subject.canary[0]).id}"
    return LogLine(f"{stream} {at.timestamp()} {number}", at, stream, f"ERROR {second}")


def write(subject: Subject, *lines: LogLine) -> None:
    logs(subject).lines += lines


def test_none_may_be_unless_another_number_is_given() -> None:
    subject = subject_of(World())
    checks = [check(subject), check(subject, at_most=1)]
    subject.run.clock.sleep(10)
    assert sample(checks[0]) == Sample(GOOD, "0 lines with ERROR")
    write(subject, line(subject, 5))
    assert [sample(judged) for judged in checks] == [
        Sample(BAD, "1 line with ERROR, at most 0 may be: ERROR 5"),
        Sample(GOOD, "1 line with ERROR"),
    ]
    assert (checks[0].value, checks[0].limit) == (1, 0)
    assert [bool(judged.conclude()) for judged in checks] == [True, False]
    stream = subject.canary[0].id
    assert checks[0].details() == [f"{subject.since + timedelta(seconds=5):%H:%M:%S} app/app/{stream}: ERROR 5"]


def test_lines_from_before_the_bake_and_of_others_do_not_count() -> None:
    subject = subject_of(World())
    write(subject, line(subject, -1), line(subject, 1, replace(subject.canary[0], arn="arn:task/prd/other")))
    subject.run.clock.sleep(10)
    assert sample(check(subject)).outcome == GOOD


def test_a_line_that_is_late_counts_and_none_counts_twice() -> None:
    subject = subject_of(World())
    one = check(subject, at_most=9)
    subject.run.clock.sleep(70)
    write(subject, line(subject, 60), line(subject, 60, number=1))
    assert sample(one).message == "2 lines with ERROR"
    write(subject, line(subject, 15))
    subject.run.clock.sleep(1)
    assert sample(one).message == "3 lines with ERROR"


def test_within_a_while_only_the_last_lines_count_and_the_whole_bake_is_not_judged() -> None:
    subject = subject_of(World())
    one = check(subject, at_most=1, per="1m")
    write(subject, line(subject, 1), line(subject, 2))
    subject.run.clock.sleep(30)
    assert sample(one).message.startswith("2 lines with ERROR within 1m, at most 1 may be")
    subject.run.clock.sleep(60)
    assert sample(one) == Sample(GOOD, "0 lines with ERROR within 1m")
    assert one.conclude() is None


class Unreadable(FakeLogs):
    """Logs that cannot be read, or that nobody writes."""

    def __init__(self, streams: Sequence[LogStream] = (LogStream("/web", "a"),)) -> None:
        super().__init__()
        self._streams = list(streams)

    def streams(self, task: Task, definition: TaskDefinition) -> list[LogStream]:
        return self._streams

    def matches(self, streams: Sequence[LogStream], pattern: str, since: datetime) -> list[LogLine]:
        raise Trouble("logs:FilterLogEvents: AccessDeniedException: no")


@pytest.mark.parametrize(
    ("adapter", "why"),
    [
        (Unreadable(), "logs:FilterLogEvents: AccessDeniedException: no"),
        (Unreadable(()), "no container of the canary logs with awslogs"),
    ],
)
def test_what_cannot_be_read_is_a_sample_without_data(adapter: Unreadable, why: str) -> None:
    subject = subject_of(World(), logs=adapter)
    assert sample(check(subject)) == Sample(MISSING, why)


@pytest.mark.parametrize(
    ("keys", "unit", "summary"),
    [
        ({"at_most": 3}, "lines", "2 lines with ERROR, limit 3"),
        ({"at_most": 3, "per": "1m"}, "lines/min", "2 lines with ERROR within 1m, limit 3"),
        ({"at_most": 3, "per": "30s"}, "lines", "2 lines with ERROR within 30s, limit 3"),
    ],
)
def test_what_it_came_to_is_told_with_its_unit(keys: dict[str, Any], unit: str, summary: str) -> None:
    subject = subject_of(World())
    one = check(subject, **keys)
    write(subject, line(subject, 1), line(subject, 2))
    subject.run.clock.sleep(10)
    sample(one)
    subject.run.clock.sleep(90)
    sample(one)
    assert (one.unit, one.summary()) == (unit, summary)


def test_matching_lines_may_be_left_out_of_the_reports() -> None:
    subject = subject_of(World(), settings={"reports": {"log_lines": 0}})
    stream = subject.run.logs.streams(subject.canary[0], subject.revision)[0].name
    logs(subject).lines = [LogLine("1", subject.since, stream, "ERROR hunter2")]
    check = Kinds(subject.run.cloudwatch).make(check_of(logs={"filter": "ERROR"}), subject)
    check.begin()
    (sample,) = check.collect() or []
    assert (sample.outcome, list(check.details())) == (BAD, [])
    assert "hunter2" not in sample.message
