"""The statistics give what SciPy 1.17.1 gives; the expected values are its results."""

from __future__ import annotations

import math
from statistics import median

import pytest

from ecs_pipeline.checks.statistics import binomial_tail, least_p, mann_whitney, percentile, shift


@pytest.mark.parametrize(
    ("left", "right", "u", "p"),
    [
        ([1, 2, 3, 4], [5, 6, 7, 8], 0.0, 1.0),
        ([5, 6, 7, 8], [1, 2, 3, 4], 16.0, 0.014285714285714285),
        ([3.1, 4.2, 9.9], [1.0, 2.5, 3.0, 8.7], 10.0, 0.11428571428571428),
        ([1, 1, 2, 3, 5], [1, 2, 2, 8], 9.0, 0.6481458372059075),
        ([5, 5, 5, 5], [5, 5, 5, 5], 8.0, 1.0),
        (
            [0.31, 0.42, 0.29, 0.55, 0.61, 0.38, 0.47, 0.52, 0.44, 0.36],
            [0.12, 0.22, 0.35, 0.41, 0.18, 0.27, 0.33, 0.25, 0.39],
            78.0,
            0.003981744603274998,
        ),
        ([0] * 18 + [4, 7], [0] * 15 + [1, 2, 3, 9, 11], 171.0, 0.8858689025769301),
    ],
)
def test_mann_whitney_u_is_scipys(left: list[float], right: list[float], u: float, p: float) -> None:
    """scipy.stats.mannwhitneyu(left, right, alternative="greater")."""
    assert mann_whitney(left, right) == (u, pytest.approx(p, rel=1e-12))


@pytest.mark.parametrize(
    ("successes", "trials", "probability", "p"),
    [
        (6, 6, 0.5556, 0.02941530950784754),
        (0, 5, 0.3, 1.0),
        (3, 10, 0.25, 0.4744071960449219),
        (40, 55, 0.5556, 0.006712152932952403),
        (1, 1, 0.5, 0.5),
    ],
)
def test_the_binomial_test_is_scipys(successes: int, trials: int, probability: float, p: float) -> None:
    """scipy.stats.binomtest(successes, trials, probability, alternative="greater")."""
    assert binomial_tail(successes, trials, probability) == pytest.approx(p, rel=1e-9)


def test_thousands_of_errors_are_no_trouble() -> None:
    assert binomial_tail(9000, 10_000, 0.5) < 1e-300
    assert math.isclose(binomial_tail(5000, 10_000, 0.5), 0.503989, rel_tol=1e-4)


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (95, 95), (99, 99)])
def test_a_percentile_is_a_value_that_was_measured(percent: int, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == value
    assert percentile([7.0], percent) == 7.0


def test_the_shift_is_the_median_of_all_differences() -> None:
    assert shift([11, 12, 13], [1, 2, 3]) == 10
    assert shift([1, 100, 1], [1, 1, 1]) == 0


def test_the_least_p_is_that_of_values_that_lie_apart() -> None:
    for n, m in ((3, 3), (4, 4), (2, 9)):
        left, right = [100.0 + one for one in range(n)], [float(one) for one in range(m)]
        assert mann_whitney(left, right)[1] == pytest.approx(least_p(n, m))


def test_of_many_values_a_part_tells_the_shift() -> None:
    """The median of all nine million differences of these is 2.9999."""
    right = [math.sin(number) for number in range(3000)]
    left = [3 + math.sin(0.7 * number) for number in range(3000)]
    assert shift(left, right) == pytest.approx(2.9999, abs=0.001)
    assert shift(left[:400], right[:400]) == pytest.approx(median(a - b for a in left[:400] for b in right[:400]))
