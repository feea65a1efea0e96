"""Counts: exact tails, bursts, a rate that does not matter."""

from __future__ import annotations

import math
from random import Random

import pytest

from ecs_pipeline.checks.comparisons.comparison import Comparison, of_counts
from ecs_pipeline.checks.comparisons.dispersion import Dispersion
from ecs_pipeline.checks.comparisons.exact import binomial_head, binomial_tail, poisson_head, poisson_tail
from ecs_pipeline.checks.comparisons.moment import Moment
from ecs_pipeline.checks.comparisons.rules import Rules
from ecs_pipeline.checks.simulation import poisson
from tests.unit.checks.comparisons.draws import played

EVERY = 10.0


def counted(*rows: tuple[int, ...], rules: Rules | None = None) -> Comparison:
    """A comparison that has seen so many of the canary, and of each other task, every ten seconds."""
    comparison = of_counts(rules or Rules(), "stable")
    for number, (canary, *others) in enumerate(rows, start=1):
        comparison.add(_moment(number, canary, others))
    return comparison


def _moment(number: int, canary: int, others: list[int]) -> Moment:
    return Moment(EVERY * number, {"0": [canary]}, {f"s{task}": [count] for task, count in enumerate(others)})


@pytest.mark.parametrize(
    ("successes", "trials", "probability", "tail", "head"),
    [
        (6, 6, 0.5556, 0.02941530950784754, 1.0),
        (0, 5, 0.3, 1.0, 0.16807),
        (3, 10, 0.25, 0.4744071960449219, 0.7758750915527344),
        (40, 55, 0.5556, 0.006712152932952403, 0.9971128895982437),
        (1, 1, 0.5, 0.5, 1.0),
    ],
)
def test_the_binomial_tails_are_scipys(
    successes: int, trials: int, probability: float, tail: float, head: float
) -> None:
    """scipy.stats.binomtest(…, alternative="greater") and "less"."""
    assert binomial_tail(successes, trials, probability) == pytest.approx(tail, rel=1e-9)
    assert binomial_head(successes, trials, probability) == pytest.approx(head, rel=1e-9)


@pytest.mark.parametrize(
    ("count", "mean", "tail", "head"),
    [
        (0, 3.0, 1.0, 0.04978706836786395),
        (3, 1.0, 0.08030139707139418, 0.9810118431238462),
        (20, 10.0, 0.0034543419758568334, 0.998411739338142),
        (5, 10.0, 0.9707473119230389, 0.06708596287903189),
        (900, 1000.0, 0.9993774022157249, 0.0006977673277963054),
        (1100, 1000.0, 0.0009626304058665587, 0.9991323590365565),
    ],
)
def test_the_poisson_tails_are_scipys(count: int, mean: float, tail: float, head: float) -> None:
    """scipy.stats.poisson.sf(count - 1, mean) and cdf(count, mean)."""
    assert poisson_tail(count, mean) == pytest.approx(tail, rel=1e-9)
    assert poisson_head(count, mean) == pytest.approx(head, rel=1e-9)


def test_thousands_of_errors_are_no_trouble() -> None:
    assert binomial_tail(9000, 10_000, 0.5) < 1e-300
    assert binomial_tail(5000, 10_000, 0.5) == pytest.approx(0.503989, rel=1e-4)
    assert poisson_tail(200_000, 100_000) == pytest.approx(0, abs=1e-300)


def test_what_is_out_of_all_proportion_costs_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terms that are too small for a float are not added up one by one."""
    asked = 0
    found = math.lgamma

    def lgamma(value: float) -> float:
        nonlocal asked
        asked += 1
        return found(value)

    monkeypatch.setattr(math, "lgamma", lgamma)
    assert poisson_tail(5000, 5.0) == poisson_head(5, 5000.0) == 0
    assert binomial_tail(90_000, 100_000, 0.1) == binomial_head(10, 100_000, 0.9) == 0
    assert asked < 50


def test_a_canary_at_its_tolerance_hardly_ever_fails_however_long_it_is_watched() -> None:
    """100 bakes of two hours at 2 errors a minute of each other task: 5 % may fail."""
    random, failed = Random(6), 0
    for _ in range(100):
        comparison = of_counts(Rules(), "stable")
        rows = (_moment(n, poisson(random, 2.5), [poisson(random, 2.0) for _ in range(3)]) for n in range(1, 121))
        failed += played(comparison, rows).startswith("fail")
    assert failed <= 5


def test_three_times_the_errors_fail_on_the_way() -> None:
    random = Random(7)
    rows = (_moment(n, poisson(random, 9), [poisson(random, 3) for _ in range(3)]) for n in range(1, 61))
    verdict = played(of_counts(Rules(), "stable"), rows)
    assert verdict.startswith("fail@")
    assert int(verdict[5:]) <= 15


def test_one_burst_is_one_event() -> None:
    """A stack trace of eight lines; the same number of single errors fails."""
    quiet = [(0, 0, 0, 0)] * 10
    assert counted(*quiet, (8, 0, 0, 0), *quiet).conclude().verdict == "inconclusive"
    alone = [(1, 0, 0, 0), (0, 0, 0, 0)] * 8
    assert counted(*alone).conclude().verdict == "fail"


def test_a_burst_at_the_beginning_fails_nothing_on_the_way() -> None:
    assert not counted((40, 0, 0)).failed
    assert not counted((0, 0, 0), (40, 0, 0)).failed
    assert counted((40, 0, 0), (38, 0, 0), (44, 0, 0)).failed


@pytest.mark.parametrize(("minutes", "verdict"), [(2, "inconclusive"), (4, "pass")])
def test_none_against_none_passes_when_enough_time_went_by(minutes: int, verdict: str) -> None:
    rows = [(0, 0, 0)] * (6 * minutes)
    assert counted(*rows, rules=Rules(ignore_below=1 / 60)).conclude().verdict == verdict
    assert counted(*rows).conclude().verdict == "inconclusive"


def test_rates_that_do_not_matter_fail_nothing() -> None:
    """Six in an hour, against none: beyond chance, but of no interest."""
    rows = [(1, 0, 0), *[(0, 0, 0)] * 59] * 6
    assert counted(*rows).conclude().verdict == "fail"
    assert counted(*rows, rules=Rules(ignore_below=1 / 60)).conclude().verdict == "pass"


def test_the_reason_has_both_rates() -> None:
    found = counted(*[(3, 1, 2)] * 20).conclude()
    assert found.message.startswith(
        "60 (18 a minute and task) against 60 (9 a minute and task) of the 2 stable tasks; evidence against it 75.3 of"
    )


def test_nobody_to_compare_with_tells_nothing() -> None:
    found = counted((3,), (4,), (9,)).conclude()
    assert (found.verdict, found.message) == ("inconclusive", "no values of canary and stable of the same time")


def test_counts_at_the_first_moment_are_of_as_long_a_time_as_the_next() -> None:
    comparison = of_counts(Rules(), "stable")
    for at in (0, 10, 20):
        comparison.add(Moment(at, {"0": [5]}, {"s": [1]}))
    assert comparison.conclude().message.startswith("15 (30 a minute and task) against 3 (6 a minute and task)")


def test_events_by_themselves_have_a_dispersion_of_one_and_bursts_their_size() -> None:
    random = Random(8)
    single, bursts, growing = Dispersion(), Dispersion(), Dispersion()
    for number in range(400):
        single.add({"a": poisson(random, 3)}, 1)
        bursts.add({"a": 5 * poisson(random, 0.6)}, 1)
        growing.add({"a": poisson(random, 0.2 * number)}, 1)
    assert single.index == pytest.approx(1, abs=0.2)
    assert bursts.index == pytest.approx(5, abs=1)
    assert growing.index == pytest.approx(1, abs=0.2)


def test_intervals_of_other_lengths_are_not_held_against_each_other() -> None:
    found = Dispersion()
    for exposure in (0.02, 10.0, 10.0):
        found.add({"a": round(2 * exposure)}, exposure)
    assert found.index == 1
