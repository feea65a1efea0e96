"""A small seeded sample of `make judge-characteristics`: what docs/judging.md's table says holds."""

from __future__ import annotations

from functools import cache

import pytest

from tests.characteristics.measuring import CANARIES, COUNTS, Setting, Tally, measure, settings
from tests.characteristics.rivals import kayenta, pooled, pooled_counts
from tests.characteristics.tables import tables

DRAWS = 60
SEED = 20


@cache
def measured(kind: str, canary: str) -> dict[str, Tally]:
    """One setting in the middle of each row: 30 datapoints of a canary and three others, or half an hour of counts."""
    if kind == COUNTS:
        return measure(Setting(kind, canary, 2.0, 180, 3), DRAWS, SEED)
    return measure(Setting(kind, canary, 0.3, 30, 3), DRAWS, SEED)


@pytest.mark.parametrize(
    ("kind", "most"), [("plain", 0.02), ("heavy", 0.02), ("drift", 0.02), ("ar", 0.1), ("tasks", 0.1), (COUNTS, 0.04)]
)
def test_an_identical_canary_hardly_ever_fails(kind: str, most: float) -> None:
    assert measured(kind, "same")["ours"].failed <= most


@pytest.mark.parametrize(
    ("kind", "most"), [("plain", 0.1), ("heavy", 0.1), ("drift", 0.1), ("ar", 0.2), ("tasks", 0.2), (COUNTS, 0.1)]
)
def test_one_at_its_tolerance_fails_less_often_than_in_any_other_way(kind: str, most: float) -> None:
    found = measured(kind, "tolerated")
    assert found["ours"].failed <= most
    if kind != COUNTS:
        assert found["ours"].failed < found["kayenta"].failed
    assert found["ours"].failed < found["before"].failed


@pytest.mark.parametrize("kind", ["plain", "heavy", "drift", "ar", "tasks", COUNTS])
def test_one_three_times_as_bad_is_found_early_and_never_passed(kind: str) -> None:
    found = measured(kind, "three times")
    assert found["ours"].failed >= found["kayenta"].failed - 0.1
    when = sorted(found["ours"].when)
    assert when[len(when) // 2] < 0.5
    assert found["ours"].passed == 0


@pytest.mark.parametrize("kind", ["plain", "heavy", "drift", COUNTS])
def test_one_at_the_edge_is_hardly_ever_passed(kind: str) -> None:
    assert measured(kind, "at the edge")["ours"].passed <= 0.1


def test_the_other_ways_are_what_they_are_said_to_be() -> None:
    """By hand: 5 against 5 without overlap."""
    canary, others = [2.0, 2.1, 2.2, 2.3, 2.4], [[1.0], [1.1], [1.2], [1.3], [1.4]]
    assert pooled(canary, others) == ("fail", 5)
    assert kayenta(canary, others)[0] == "fail"
    assert kayenta([1.0, 1.2, 1.4], [[1.1], [1.3], [1.0]])[0] == "pass"
    assert pooled_counts([3] * 5, [[0]] * 5)[0] == "fail"
    assert pooled_counts([1] * 5, [[1]] * 5) == ("pass", 5)


def test_the_tables_have_all_rows() -> None:
    nothing = {way: Tally(0.5, 0.25, [0.5]) for way in ("before", "kayenta", "ours")}
    found = [(setting, nothing) for setting in settings()]
    text = tables(dict(found), 1000)
    assert text.count("| 50.0 (50.0) | 50.0 (50.0) | 50.0 (50.0) | 25.0 | 25.0 | 50 % of the bake |") == 6 * len(
        CANARIES
    )
    assert "| 120 minutes | 50.0 (50.0)" in text
