"""Absolute limits: samples, last words, summaries with their units."""

from __future__ import annotations

import pytest

from ecs_pipeline.checks.judges.limits import AnswersLimit, LinesLimit, ValueLimit, latency
from ecs_pipeline.checks.sample import BAD, GOOD, Conclusion, Sample


def test_the_worst_value_of_a_moment_counts() -> None:
    most, least = ValueLimit(5, None, "ms"), ValueLimit(None, 5, "ms")
    assert most.add([1, 7, 3], "at 10:00") == Sample(BAD, "7 ms at 10:00, more than 5 ms")
    assert least.add([6, 4, 9], "at 10:00") == Sample(BAD, "4 ms at 10:00, less than 5 ms")
    assert most.add([1, 2], "at 10:01") == Sample(GOOD, "2 ms at 10:01")
    assert (most.value, most.limit, most.unit) == (2, 5, "ms")
    assert most.summary() == "highest 7 ms, limit at most 5 ms"
    assert least.summary() == "lowest 4 ms, limit at least 5 ms"
    assert ValueLimit(5, None, "").summary() == "no datapoint, limit at most 5"
    assert most.conclude() is most.decided() is None


def test_lines_of_the_whole_bake_or_of_a_while() -> None:
    bake, minute = LinesLimit("ERROR", 1, None), LinesLimit("ERROR", 1, 60.0)
    assert bake.add(10, [3, 9], "late") == Sample(BAD, "2 lines with ERROR, at most 1 may be: late")
    assert minute.add(10, [3, 9]) == Sample(BAD, "2 lines with ERROR within 1m, at most 1 may be")
    assert minute.add(90, [80]) == Sample(GOOD, "1 line with ERROR within 1m")
    assert bake.conclude() == Conclusion("fail", "2 lines with ERROR, at most 1 may be: late")
    assert minute.conclude() is None
    assert (bake.unit, minute.unit) == ("lines", "lines/min")
    assert minute.summary() == "2 lines with ERROR within 1m, limit 1"


def answers(*times: float, limit: float = 300.0, percent: int = 95) -> AnswersLimit:
    judge = AnswersLimit({percent: limit}, 0.95)
    for time in times:
        judge.add([time], "")
    return judge


def test_a_percentile_that_is_surely_within_its_limit_passes() -> None:
    judge = answers(*[15.0] * 20)
    assert judge.conclude() is None
    assert judge.summary() == "p95 15 ms, limit 300 ms (95 % sure: at least 15 ms, at most 19 ms)"
    assert (judge.value, judge.limit, judge.unit) == (15, 300, "ms")


def test_one_that_is_surely_beyond_fails() -> None:
    judge = answers(*[350.0] * 3)
    found = judge.conclude()
    assert found
    assert found.verdict == "fail"
    assert found.message.startswith("3 answers, p95 350 ms, limit 300 ms (95 % sure: at least 350 ms, at most ")


def test_one_that_cannot_be_told_from_its_limit_is_inconclusive_and_says_what_would_tell() -> None:
    found = answers(*[260.0, 270.0, 280.0, 290.0, 265.0]).conclude()
    assert found
    assert found.verdict == "inconclusive"
    assert found.message.startswith("5 answers, p95 290 ms, limit 300 ms (95 % sure: ")
    assert found.message.endswith("); 59 answers within the limit would tell")
    slow = answers(*[100.0] * 57, 400.0, 400.0, 400.0).conclude()
    assert slow
    assert "would tell" not in slow.message


def test_a_slow_answer_is_a_bad_sample_once_its_percentile_is_over() -> None:
    judge = AnswersLimit({50: 300.0}, 0.95)
    assert judge.add([100.0], "").outcome == GOOD
    assert judge.add([400.0], "").outcome == GOOD
    assert judge.add([500.0], "") == Sample(BAD, "p50 of 3 answers is 400 ms, more than 300 ms")
    assert judge.add([100.0], "").outcome == GOOD
    assert judge.add([], "no answer within 5s") == Sample(BAD, "no answer within 5s")


def test_without_a_percentile_only_wrong_answers_count() -> None:
    judge = AnswersLimit({}, 0.95, "200")
    assert judge.add([1250.0], "", "200") == Sample(GOOD, "200 in 1.25 s")
    assert (judge.value, judge.limit, judge.unit) == ("200", "200", "")
    assert judge.conclude() is None
    assert judge.summary() == "status 200, p95 1.25 s"
    assert judge.details() == ["1 answers: p50 1.25 s, p95 1.25 s, slowest 1.25 s"]


@pytest.mark.parametrize(("milliseconds", "text"), [(15.2, "15 ms"), (999, "999 ms"), (1250, "1.25 s")])
def test_a_latency_is_written_as_people_do(milliseconds: float, text: str) -> None:
    assert latency(milliseconds) == text
