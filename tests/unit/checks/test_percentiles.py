"""Percentiles and what they may be: by order statistics, of few values by a tolerance limit."""

from __future__ import annotations

import math
from random import Random

import pytest

from ecs_pipeline.checks.percentiles import bounded, holds, needed, percentile


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (95, 95), (99, 99)])
def test_a_percentile_is_a_value_that_was_measured(percent: int, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == value
    assert percentile([7.0], percent) == 7.0


@pytest.mark.parametrize(
    ("count", "percent", "least", "most"),
    [(100, 95, 91, 99), (200, 50, 88, 113), (59, 95, 53, 59), (1000, 99, 985, 996)],
)
def test_of_many_values_the_bounds_are_order_statistics(count: int, percent: int, least: int, most: int) -> None:
    """The ranks by the binomial distribution, as scipy.stats.binom 1.17.1 has it."""
    found = bounded([float(number) for number in range(1, count + 1)], percent, 0.95)
    assert (found.least, found.most) == (least, most)


def test_of_few_values_the_upper_bound_is_beyond_all_of_them() -> None:
    found = bounded([14.0, 15.0, 13.0, 18.0, 16.0], 95, 0.95)
    assert found.value == 18
    assert 20 < found.most < 40
    assert bounded([10.0, 10.0], 95, 0.95).most == math.inf


def test_the_bounds_hold_as_often_as_they_say() -> None:
    random, true = Random(3), math.exp(0.5 * 1.6449)
    for count in (5, 20, 80):
        draws = [bounded([random.lognormvariate(0, 0.5) for _ in range(count)], 95, 0.95) for _ in range(200)]
        assert sum(found.most >= true for found in draws) >= 180
        assert sum(found.least <= true for found in draws) >= 180


@pytest.mark.parametrize(
    ("values", "percent", "held"),
    [
        ([100.0] * 20, 95, True),
        ([299.0] * 59, 95, True),
        ([280.0, 290.0, 270.0, 260.0, 295.0], 95, None),
        ([100.0] * 57 + [400.0] * 3, 95, None),
        ([100.0] * 50 + [400.0] * 10, 95, False),
        ([400.0] * 5, 50, False),
        ([100.0] * 5, 50, True),
        ([100.0, 400.0] * 10, 50, None),
        ([400.0] * 2, 95, False),
    ],
)
def test_a_limit_between_the_bounds_cannot_be_told(values: list[float], percent: int, held: object) -> None:
    assert holds(values, percent, 0.95, 300.0) is held


@pytest.mark.parametrize(
    ("percent", "confidence", "count"), [(95, 0.95, 59), (99, 0.95, 299), (50, 0.95, 5), (95, 0.99, 90)]
)
def test_so_many_fast_values_need_no_distribution(percent: int, confidence: float, count: int) -> None:
    assert needed(percent, confidence) == count
