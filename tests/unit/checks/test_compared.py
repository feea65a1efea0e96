"""Comparisons at work: metrics and logs of canary and others as they come, and what is judged of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ecs_pipeline.checks import queries
from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.sample import GOOD, MISSING, UNCLEAR, Check, Sample
from ecs_pipeline.checks.subject import MOST_COMPARED, Subject
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.telemetry import LogLine
from tests.fakes.world import World
from tests.unit.checks.metrics import SEARCH, after, dimension, put, value_of, with_others
from tests.unit.checks.world import WithOthers, check_of, cloudwatch, logs, subject_of

PERIOD = 60


def near(value: float, count: int = 12) -> list[float]:
    return [value + number % 3 / 100 for number in range(count)]


def metric(subject: Subject, **keys: Any) -> Check:
    shared = {key: keys.pop(key) for key in ("on_missing", "min_samples") if key in keys}
    settings = check_of(metric={"query": [dimension("{canary.task_ids}")], "compare": "stable", **keys}, **shared)
    return Kinds(subject.run.cloudwatch).make(settings, subject)


def compared(canary: Sequence[float], stable: Mapping[str, Sequence[float]], **keys: Any) -> tuple[list[Sample], Check]:
    """All datapoints at once, looked at when their periods are over."""
    subject = with_others(subject_of(World()), stable=list(stable))
    put(subject, **{subject.canary[0].id: canary}, **stable)
    check = metric(subject, **keys)
    most = max(len(series) for series in (canary, *stable.values()))
    return after(subject, PERIOD * (most + 4) + 1, check), check


def verdict(check: Check) -> str:
    conclusion = check.decided() or check.conclude()
    return conclusion.verdict if conclusion else "pass"


# ---- metrics


def test_a_canary_that_is_worse_fails_as_soon_as_that_is_shown() -> None:
    samples, check = compared(near(3), {"s1": near(1), "s2": near(1)})
    assert {sample.outcome for sample in samples} == {GOOD}
    assert len(samples) < 12
    decided = check.decided()
    assert decided
    assert decided.message.startswith("median 3.01 against 1.01 of the 2 stable tasks: 198 % more")
    assert "of 20; worse by more than 25 % is shown" in decided.message
    assert (check.limit, check.unit) == (25, "%")
    assert check.evidence is not None
    assert check.evidence >= 20


@pytest.mark.parametrize(
    ("canary", "direction", "expected"),
    [(1, "increase", "pass"), (0.2, "increase", "pass"), (0.2, "decrease", "fail"), (0.2, "either", "fail")],
)
def test_direction_says_what_is_worse(canary: float, direction: str, expected: str) -> None:
    _, check = compared(near(canary), {"s1": near(1)}, direction=direction)
    assert verdict(check) == expected


def test_too_little_is_inconclusive_and_says_how_much_longer_it_takes() -> None:
    _, check = compared([1.0, 2.0, 1.5, 1.8], {"s1": [1.0, 1.4, 0.9, 1.2]})
    conclusion = check.conclude()
    assert conclusion
    assert conclusion.verdict == "inconclusive"
    assert "neither worse by more than 25 % is shown nor worse by more than 75 % ruled out" in conclusion.message


def test_no_data_at_all_may_be_taken_as_good() -> None:
    _, check = compared([], {"s1": near(1)}, on_missing="pass")
    assert check.conclude() is None
    _, check = compared([], {"s1": near(1)})
    assert verdict(check) == "inconclusive"


@pytest.mark.parametrize("on_missing", ["inconclusive", "pass", "fail"])
def test_nobody_to_compare_with_is_inconclusive_whatever_counts_as_missing(on_missing: str) -> None:
    subject = with_others(subject_of(World()))
    put(subject, **{subject.canary[0].id: near(1, 4)})
    check = metric(subject, compare="baseline", on_missing=on_missing)
    assert after(subject, 241, check) == [Sample(UNCLEAR, "no baseline task lives to compare with")]
    conclusion = check.conclude()
    assert conclusion
    assert (conclusion.verdict, conclusion.message) == ("inconclusive", "no baseline task lives to compare with")


def test_others_that_cannot_be_listed_are_a_sample_without_data() -> None:
    subject = subject_of(World())
    put(subject, **{subject.canary[0].id: near(1, 4)})
    check = metric(subject)

    def denied() -> list[str]:
        raise Trouble("ecs:ListTasks: AccessDeniedException: no")

    subject.run.ecs.arns_of_service = denied  # type: ignore[method-assign, assignment]
    assert after(subject, 241, check) == [Sample(MISSING, "ecs:ListTasks: AccessDeniedException: no")]
    assert verdict(check) == "inconclusive"


def test_a_datapoint_of_another_task_that_is_late_is_waited_for_but_not_for_long() -> None:
    subject = with_others(subject_of(World()), stable=["s1", "s2"])
    canary = subject.canary[0].id
    put(subject, **{canary: near(1, 3), "s1": near(1, 3), "s2": near(1, 1)})
    check = metric(subject)
    assert len(after(subject, 3 * PERIOD + 1, check)) == 1
    put(subject, **{canary: near(1, 3), "s1": near(1, 3), "s2": near(1, 2)})
    assert len(after(subject, 3 * PERIOD + 2, check)) == 1
    (third,) = after(subject, 6 * PERIOD + 1, check)
    assert third.shown.at == 2 * PERIOD
    assert sorted(third.shown.others) == ["s1"]


def test_a_time_of_which_the_others_have_nothing_is_no_sample() -> None:
    samples, check = compared(near(1, 3), {"s1": near(1, 1)})
    assert [sample.outcome for sample in samples] == [GOOD, UNCLEAR, UNCLEAR]
    assert samples[1].message == "nothing of the stable to compare"
    assert verdict(check) == "inconclusive"


def test_each_task_is_asked_for_itself_and_not_too_many() -> None:
    subject = with_others(subject_of(World()), stable=[f"s{number:02}" for number in range(30)])
    asked = queries.asked_apart([{"Id": "m", "Expression": SEARCH % "canary"}], subject, "stable")
    assert len(asked.variants) == MOST_COMPARED
    assert asked.tasks[:2] == ["s00", "s01"]
    assert "TaskId=(s01)" in asked.variants[1][0]["Expression"]
    insights = [{"Id": "m", "Expression": "SELECT AVG(M) FROM N WHERE TaskId = '{canary.task_ids}'", "Period": 60}]
    assert queries.asked_apart(insights, subject, "stable").tasks == ["stable"]


def test_samples_have_the_numbers_that_were_compared() -> None:
    samples, _ = compared(near(1.5, 3), {"s1": near(1, 3), "s2": near(1.2, 3)})
    shown = samples[1].shown
    assert (shown.at, shown.canary, shown.others) == (60, [1.51], {"s1": [1.01], "s2": [1.21]})
    assert shown.evidence is not None
    assert shown.evidence > 0


def test_judged_alone_all_datapoints_since_the_bake_began_are_compared() -> None:
    subject = replace(with_others(subject_of(World()), stable=["s1"]), judged_alone=True)
    put(subject, **{subject.canary[0].id: near(1), "s1": near(1)})
    assert len(after(subject, 12 * PERIOD + 1, metric(subject))) == 12


# ---- logs


def line(subject: Subject, task: str, second: float, number: int = 0) -> LogLine:
    at = subject.since + timedelta(seconds=second)
    stream = f"app/app/{task}"
    return LogLine(f"{stream} {at.timestamp()} {number}", at, stream, f"ERROR {second}")


def logged(
    canary: Callable[[int], int], *others: Callable[[int], int], looks: int = 60, **keys: Any
) -> tuple[list[Sample], Check, WithOthers]:
    """A look every ten seconds: so many new lines of the canary, and of each other task."""
    names = [f"s{number}" for number in range(len(others))]
    subject = with_others(subject_of(World()), stable=names)
    check = Kinds(subject.run.cloudwatch).make(check_of(logs={"filter": "ERROR", "compare": "stable", **keys}), subject)
    samples: list[Sample] = []
    for look in range(looks):
        if look:
            subject.run.clock.sleep(10)
        written = zip([subject.canary[0].id, *names], (canary, *others), strict=True)
        second = 10 * look
        logs(subject).lines += [line(subject, task, second, n) for task, count in written for n in range(count(look))]
        check.begin()
        samples += check.collect() or []
        if check.decided():
            break
    return samples, check, subject


def every(number: int) -> Callable[[int], int]:
    """A line at each so manieth look."""
    return lambda look: int(look % number == 1)


def never(_look: int) -> int:
    return 0


def test_more_lines_than_the_others_fail_on_the_way() -> None:
    samples, check, subject = logged(every(2), never, never)
    decided = check.decided()
    assert decided
    assert decided.verdict == "fail"
    assert "against 0 (0 a minute and task) of the 2 stable tasks" in decided.message
    assert samples[0].shown.canary == 1
    assert samples[0].shown.others == {"s0": 0, "s1": 0}
    assert subject.canary[0].id in check.details()[-1]


@pytest.mark.parametrize(("looks", "expected"), [(30, "pass"), (12, "inconclusive")])
def test_none_against_none_passes_when_enough_time_went_by(looks: int, expected: str) -> None:
    assert verdict(logged(never, never, looks=looks)[1]) == expected


def test_as_many_as_the_others_do_not_fail() -> None:
    assert verdict(logged(every(2), every(2), every(2))[1]) == "pass"


def test_a_task_that_has_just_begun_counts_from_its_second_look_on() -> None:
    _, check, subject = logged(never, never, looks=3)
    newcomer = replace(subject.canary[0], arn="arn:task/prd/new")
    subject.others = (*subject.others, newcomer)
    subject.run.clock.sleep(10)
    check.begin()
    assert [sorted(sample.shown.others) for sample in check.collect() or []] == [["s0"]]
    subject.run.clock.sleep(10)
    check.begin()
    assert [sorted(sample.shown.others) for sample in check.collect() or []] == [["new", "s0"]]


def test_a_baseline_that_died_is_nobody_to_compare_with() -> None:
    subject = subject_of(World())
    subject.baseline = [replace(subject.canary[0], arn="arn:task/prd/b")]
    check = Kinds(subject.run.cloudwatch).make(check_of(logs={"filter": "ERROR", "compare": "baseline"}), subject)
    check.begin()
    assert check.collect() == []
    for _ in range(40):
        subject.run.clock.sleep(10)
        check.begin()
        assert [sample.outcome for sample in check.collect() or []] == [GOOD]
    assert verdict(check) == "pass"
    subject.baseline = []
    check.begin()
    assert check.collect() == [Sample(UNCLEAR, "no baseline task lives to compare with")]
    assert verdict(check) == "inconclusive"


def test_metrics_come_task_by_task() -> None:
    subject = with_others(subject_of(World()), stable=["s1", "s2"])
    asked: list[str] = []

    def points(query: Mapping[str, Any]) -> Mapping[datetime, float]:
        asked.append(value_of(query))
        return {}

    cloudwatch(subject).points = points
    after(subject, 61, metric(subject))
    assert asked == [subject.canary[0].id, "s1", "s2"]
