"""Values of a canary against others: verdicts and reasons, drift, zeros, ties, gaps, tasks that come and go."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from ecs_pipeline.checks.comparisons.autocorrelation import Autocorrelation
from ecs_pipeline.checks.comparisons.comparison import of_values
from ecs_pipeline.checks.comparisons.moment import History, Moment
from ecs_pipeline.checks.comparisons.rules import Rules
from ecs_pipeline.checks.comparisons.spread import AT_THE_END, Spread, middle_mean
from ecs_pipeline.checks.comparisons.tolerance import Tolerance
from tests.unit.checks.comparisons.draws import moments, noise, played

# ---- reasons


def constant(canary: float, others: float, count: int = 12, tasks: int = 3) -> list[Moment]:
    """Nearly the same value again and again."""
    return [
        Moment(60.0 * n, {"0": [canary + n % 3 / 100]}, {f"s{t}": [others + (n + t) % 4 / 100] for t in range(tasks)})
        for n in range(count)
    ]


def concluded(
    seen: list[Moment], rules: Rules | None = None, name: str = "stable", unit: str = "ms"
) -> tuple[str, str]:
    comparison = of_values(rules or Rules(), name, unit)
    for moment in seen:
        comparison.add(moment)
    found = comparison.conclude()
    return found.verdict, found.message


def test_a_failure_says_by_how_much_and_how_sure_it_is() -> None:
    verdict, message = concluded(constant(200, 100))
    assert verdict == "fail"
    assert message.startswith("median 200 ms against 100 ms of the 3 stable tasks: 100 % more; evidence against it ")
    assert message.endswith(" of 20; worse by more than 25 % is shown")


def test_a_pass_says_what_is_ruled_out() -> None:
    verdict, message = concluded(constant(100, 100, tasks=1), name="baseline")
    assert verdict == "pass"
    assert message == (
        "median 100 ms against 100 ms of the baseline: the same; evidence against it 0.5 of 20; "
        "worse by more than 75 % is ruled out"
    )


def test_an_inconclusive_one_says_how_long_a_bake_would_have_told() -> None:
    random = Random(3)
    seen = [
        Moment(60.0 * n, {"0": [random.lognormvariate(0.1, 0.6)]}, {"s": [random.lognormvariate(0, 0.6)]})
        for n in range(8)
    ]
    verdict, message = concluded(seen)
    assert verdict == "inconclusive"
    assert "neither worse by more than 25 % is shown nor worse by more than 75 % ruled out" in message
    assert message.endswith("more minutes at this rate would tell")


@pytest.mark.parametrize(("side", "empty"), [("canary", {}), ("others", {}), ("others", {"s": []})])
def test_one_side_alone_tells_nothing(side: str, empty: dict[str, Any]) -> None:
    members: dict[str, Any] = {side: empty}
    seen = [replace(moment, **members) for moment in constant(200, 100)]
    assert concluded(seen) == ("inconclusive", "no values of canary and stable of the same time")


def test_a_few_values_tell_nothing() -> None:
    assert concluded(constant(200, 100, count=1))[0] == "inconclusive"
    assert concluded(constant(200, 100, count=2))[0] == "inconclusive"


# ---- directions, zeros, negative values


@pytest.mark.parametrize(
    ("direction", "canary", "others", "verdict"),
    [
        ("increase", 200, 100, "fail"),
        ("increase", 50, 100, "pass"),
        ("decrease", 50, 100, "fail"),
        ("decrease", 200, 100, "pass"),
        ("either", 200, 100, "fail"),
        ("either", 50, 100, "fail"),
        ("either", 100, 100, "pass"),
        ("increase", -50, -100, "fail"),
        ("increase", -100, -100, "pass"),
        ("increase", -200, -100, "pass"),
        ("decrease", -200, -100, "fail"),
        ("decrease", -100, -100, "pass"),
        ("decrease", -50, -100, "pass"),
        ("increase", 5, -5, "fail"),
        ("increase", 5, 0, "fail"),
        ("decrease", 0, 5, "fail"),
        ("increase", 0, 5, "pass"),
    ],
)
def test_worse_is_told_in_each_direction_whatever_the_sign(
    direction: str, canary: float, others: float, verdict: str
) -> None:
    seen = [
        Moment(n, {"0": [canary and canary + n % 3 / 100]}, {"s": [others and others + n % 4 / 100]}) for n in range(30)
    ]
    assert concluded(seen, Rules(direction=direction))[0] == verdict


def test_what_is_tolerated_is_a_part_of_the_others_value() -> None:
    more, less = Tolerance(up=True, part=0.25), Tolerance(up=False, part=0.25)
    assert (more.excused(125), more.excused(-7.5), more.excused(0)) == (100, -10, 0)
    assert (less.excused(75), less.excused(-12.5), less.turned(100)) == (-100, 10, -100)
    assert Tolerance(up=False, part=1.5).excused(3) == float("-inf")


@pytest.mark.parametrize(("count", "verdict"), [(8, "inconclusive"), (12, "pass")])
def test_zero_against_zero_passes_after_a_while(count: int, verdict: str) -> None:
    assert concluded([Moment(n, {"0": [0]}, {"s": [0], "t": [0]}) for n in range(count)])[0] == verdict


def test_zeros_with_a_few_ones_are_no_pass_when_the_canary_has_more_of_them() -> None:
    random = Random(5)
    seen = [Moment(n, {"0": [random.random() < 0.5]}, {"s": [random.random() < 0.1]}) for n in range(30)]
    assert concluded(seen)[0] != "pass"


# ---- what comes and goes


def test_tasks_that_join_while_load_falls_make_no_canary_worse() -> None:
    """One other task while all are slow, five while all are fast: a pool of all values would be fast for that alone."""
    random, failed = Random(9), 0
    for _ in range(40):
        comparison = of_values(Rules(tolerance=0.0, detect=0.5), "stable")
        seen = [
            Moment(
                n,
                {"0": [(3 if n < 30 else 1) * random.lognormvariate(0, 0.1)]},
                {f"s{t}": [(3 if n < 30 else 1) * random.lognormvariate(0, 0.1)] for t in range(1 if n < 30 else 5)},
            )
            for n in range(60)
        ]
        failed += played(comparison, iter(seen)).startswith("fail")
    assert failed <= 2


def test_of_tasks_that_come_and_go_equally_many_are_compared() -> None:
    seen = [
        Moment(0, {"0": [1]}, {"a": [10], "b": [20]}),
        Moment(1, {"0": [2]}, {"a": [11], "b": [21]}),
        Moment(2, {"0": [3]}, {"a": [12], "b": [22], "c": [32]}),
        Moment(3, {"0": [4]}, {"c": [33]}),
    ]
    history = History()
    for moment in seen[:2]:
        history.add(moment)
    assert history.balanced() == ([1, 2], [10, 11, 20, 21])
    for moment in seen[2:]:
        history.add(moment)
    assert history.balanced() == ([1, 2, 3], [10, 20, 11, 21, 12, 22])


def test_gaps_on_either_side_are_passed_over() -> None:
    random = Random(2)
    seen = list(moments(random, "plain", 1, count=60))
    gaps = [replace(moment, canary={}) if n % 5 == 0 else moment for n, moment in enumerate(seen)]
    gaps = [replace(moment, others=dict(list(moment.others.items())[: n % 4])) for n, moment in enumerate(gaps)]
    assert concluded(gaps)[0] == "pass"


def test_several_canary_tasks_are_compared() -> None:
    seen = [
        Moment(n, {"0": [200 + n % 3], "1": [210 + n % 5]}, {"s": [100 + n % 4], "t": [101 + n % 3]}) for n in range(10)
    ]
    assert played(of_values(Rules(), "stable"), iter(seen)).startswith("fail@")


# ---- tasks that differ, series that remember


def test_a_canary_within_what_the_others_differ_by_is_not_failed() -> None:
    """The slowest of the others is 60 % slower than the fastest; the canary is 40 % slower than their middle."""
    seen = [
        Moment(60.0 * n, {"0": [170 + n % 3]}, {"a": [95 + n % 4], "b": [120 + n % 3], "c": [152 + n % 5]})
        for n in range(40)
    ]
    verdict, message = concluded(seen)
    assert verdict == "inconclusive"
    assert "no failure, for the 3 stable tasks differ by up to 4" in message
    two = [replace(moment, others={"b": moment.others["b"]}) for moment in seen]
    assert concluded(two)[0] == "fail"


def test_with_three_others_one_more_of_them_may_be_this_far_off() -> None:
    others = [90, 100, 110]
    assert not Spread([126], [126 / 1.05], others).beyond(AT_THE_END)
    assert Spread([140], [140 / 1.05], others).beyond(AT_THE_END)
    assert Spread([140], [140 / 1.05], others[:2]).beyond(AT_THE_END)
    assert Spread([70], [70 / 1.75], others).below(AT_THE_END)
    assert not Spread([145], [145 / 1.75], others).below(AT_THE_END)
    assert Spread([100], [100], others).width == pytest.approx(0.2)


def test_without_a_tolerance_too_a_canary_that_is_off_by_less_than_the_others_is_no_failure() -> None:
    others = [90, 98, 99, 100, 101, 102, 110]
    assert not Spread([119], [119], others).beyond(AT_THE_END)
    assert Spread([121], [121], others).beyond(AT_THE_END)


def test_spread_that_chance_brings_is_left_out() -> None:
    others = [9, 10, 11]
    assert Spread([20], [16], others, noise=1.0).width == 0
    assert Spread([20], [16], others, noise=1.0).beyond(AT_THE_END)


def test_the_middle_mean_leaves_out_the_outer_quarters() -> None:
    assert middle_mean([1, 100, 2, 3, 4]) == 3
    assert middle_mean([5]) == 5


@pytest.mark.parametrize(("kind", "least", "most"), [("ar", 2.5, 5.5), ("plain", 1, 1.3), ("drift", 1, 1.4)])
def test_series_that_remember_are_told_from_others(kind: str, least: float, most: float) -> None:
    memory = Autocorrelation()
    series = noise(Random(1), kind, 0.3, 400, 4)
    for number in range(400):
        memory.add(["canary", "a", "b", "c"], [each[number] for each in series])
    assert least < memory.inflation_on_the_way < most


def test_little_is_believed_of_few_values() -> None:
    memory = Autocorrelation()
    assert memory.inflation_on_the_way == memory.inflation_at_the_end == 1
    assert memory.inflation_for_a_pass > 1.5
