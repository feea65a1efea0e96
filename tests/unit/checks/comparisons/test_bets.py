"""The bets are fair: were the canary like the others, nobody would win."""

from __future__ import annotations

import itertools
import math
from random import Random

import pytest

from ecs_pipeline.checks.comparisons.bets import GRID, STAKES, Bets, Pool


def paid(values: tuple[float, ...], canaries: int, places: tuple[int, ...] = ()) -> float:
    bets = Bets()
    bets.add(values, canaries, places, 1)
    return bets.wealth


@pytest.mark.parametrize("values", [(1, 2, 3, 4), (1, 1, 2, 9), (0, 0, 0, 0), (-3, -2, 5, 5)])
@pytest.mark.parametrize("canaries", [1, 2])
def test_over_all_who_might_have_the_canarys_values_a_bet_pays_what_was_put_in(
    values: tuple[float, ...], canaries: int
) -> None:
    places = {value: GRID * rank // 4 for rank, value in enumerate(sorted(values))}
    orders = list(itertools.permutations(values))
    on_order = [paid(order, canaries) for order in orders]
    on_both = [paid(order, canaries, tuple(places[value] for value in order)) for order in orders]
    assert math.fsum(on_order) / len(orders) == pytest.approx(1, rel=1e-12)
    assert math.fsum(on_both) / len(orders) == pytest.approx(1, rel=1e-12)


def test_the_worst_place_pays_and_the_best_costs() -> None:
    assert paid((9, 1, 2, 3), 1) > 1.5
    assert paid((0, 1, 2, 3), 1) < 0.7


def test_a_smaller_stake_wins_and_loses_less() -> None:
    whole, half = Bets(), Bets()
    whole.add((9, 1, 2, 3), 1, (), 1)
    half.add((9, 1, 2, 3), 1, (), 0.5)
    assert 1 < half.wealth < whole.wealth


def test_a_place_is_told_by_what_was_seen_before() -> None:
    pool = Pool()
    pool.add([1.0])
    assert pool.places([1.0]) == []
    pool.add([2.0, 3.0, 4.0])
    assert pool.places([0, 9, 2.5, 2.0]) == [0, GRID, GRID // 2, GRID * 3 // 8]


def test_the_wealth_of_a_bet_against_equals_hardly_ever_reaches_its_line() -> None:
    """Looked at after each of 100 moments, in 200 bakes: no more than 1 in 20 may ever reach 20."""
    random, reached = Random(4), 0
    for _ in range(200):
        bets, pool = Bets(), Pool()
        for _ in range(100):
            values = [random.gauss(0, 1) for _ in range(4)]
            bets.add(values, 1, pool.places(values), 1)
            pool.add(values)
            if bets.wealth >= 20:
                reached += 1
                break
    assert reached <= 10


def test_wealth_has_no_end() -> None:
    bets = Bets()
    for _ in range(5000):
        bets.add((9, 1, 2, 3), 1, (), 1)
    assert bets.wealth == math.inf
    for _ in range(5000):
        bets.add((0, 1, 2, 3), 1, (), 1)
    assert not math.isnan(bets.wealth)
    assert len(STAKES) * 2 == len(bets._wealth)
