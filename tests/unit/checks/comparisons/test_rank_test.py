"""The rank test gives what SciPy 1.17.1 gives; the expected values are its results."""

from __future__ import annotations

import math

import pytest

from ecs_pipeline.checks.comparisons.rank_test import p_of, rank_z, z_of, z_of_same


@pytest.mark.parametrize(
    ("left", "right", "p"),
    [
        ([5, 6, 7, 8], [1, 2, 3, 4], 0.014285714285714285),
        ([3.1, 4.2, 9.9], [1.0, 2.5, 3.0, 8.7], 0.11428571428571428),
        ([1, 1, 2, 3, 5], [1, 2, 2, 8], 0.6481458372059075),
        (
            [0.31, 0.42, 0.29, 0.55, 0.61, 0.38, 0.47, 0.52, 0.44, 0.36],
            [0.12, 0.22, 0.35, 0.41, 0.18, 0.27, 0.33, 0.25, 0.39],
            0.003981744603274998,
        ),
        ([0] * 18 + [4, 7], [0] * 15 + [1, 2, 3, 9, 11], 0.8858689025769301),
    ],
)
def test_it_is_scipys(left: list[float], right: list[float], p: float) -> None:
    """scipy.stats.mannwhitneyu(left, right, alternative="greater")."""
    assert p_of(rank_z(left, right)) == pytest.approx(p, rel=1e-9)


def test_three_values_against_three_tell_no_more_than_one_order_of_twenty() -> None:
    assert p_of(rank_z([9, 9, 9], [1, 1, 1])) == pytest.approx(1 / 20)


def test_what_is_all_the_same_tells_nothing() -> None:
    assert rank_z([5, 5, 5], [5, 5, 5, 5]) == 0


def test_a_probability_and_its_z_are_one() -> None:
    assert z_of(0.025) == pytest.approx(1.959964, rel=1e-6)
    assert p_of(z_of(0.3)) == pytest.approx(0.3)
    assert p_of(100) > 0
    assert math.isfinite(z_of(0))
    assert math.isfinite(z_of(1))


def test_eleven_times_the_same_rule_out_that_one_in_four_differs() -> None:
    assert z_of_same(10) < z_of(0.05) < z_of_same(11)
