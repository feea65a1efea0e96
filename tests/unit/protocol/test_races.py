"""Two stages at once on one service, in many orders: nothing is left over, and whatever comes next works."""

from __future__ import annotations

import pytest

from tests.unit.protocol.simulation import clean, heals, side_by_side, start_of

ONE_WINS = [("P runs", "canary A | canary B")]
BOTH_END_WELL = [
    ("P runs", "canary A | canary A"),
    ("A is a canary", "promote A | promote A"),
]
ANY_END = [
    ("P runs", "canary A | rollback A"),
    ("P runs", "canary A | rollback"),
    ("A was rolled back", "canary A | promote A"),
    ("A is a canary", "canary A | promote A"),
    ("A is a canary", "promote A | canary B"),
    ("A is a canary", "promote A | rollback A"),
    ("A is a canary", "rollback | rollback"),
    ("A is a canary", "rollback A | canary A"),
    ("A is a canary", "rollback A | canary B"),
    ("A is promoted", "rollback | rollback A"),
    ("A is promoted", "rollback A | canary B"),
    ("P runs", "canary A; promote A | canary B"),
    ("P runs", "canary A; promote A | rollback A"),
    ("P runs", "canary A | rollback A; canary A"),
    ("P runs", "canary A | rollback A; canary B"),
    ("P runs", "canary A | canary A; promote A"),
    ("A is a canary", "promote A | rollback A; canary B"),
    ("A is a canary", "canary A | promote A; canary B; rollback B"),
    ("P runs", "canary A | canary B | rollback A"),
    ("P runs", "canary A | canary B | canary C"),
]
Ends = dict[str, list[int | str]]
FAILING = [
    ("P runs", "canary A | canary B"),
    ("P runs", "canary A | rollback A"),
    ("P runs", "canary A | rollback"),
    ("P runs", "canary A; canary A | canary B; promote B"),
]


def violations(start: str, script: str, seed: int, failing: dict[str, str] | None = None) -> tuple[list[str], Ends]:
    world = start_of(start, failing)
    ends = side_by_side(world, script, seed)
    return [*clean(world), *heals(world)], ends


@pytest.mark.parametrize(("start", "script"), ONE_WINS)
def test_of_two_releases_exactly_one_gets_the_service(start: str, script: str, seeds: range) -> None:
    for seed in seeds:
        broken, ends = violations(start, script, seed)
        assert not broken, (seed, ends, broken)
        assert sorted(code for codes in ends.values() for code in codes) == [0, 3], (seed, ends)


@pytest.mark.parametrize(("start", "script"), BOTH_END_WELL)
def test_the_same_command_twice_at_once_ends_well_both_times(start: str, script: str, seeds: range) -> None:
    for seed in seeds:
        broken, ends = violations(start, script, seed)
        assert not broken, (seed, ends, broken)
        assert {code for codes in ends.values() for code in codes} == {0}, (seed, ends)


@pytest.mark.parametrize(("start", "script"), ANY_END)
def test_nothing_is_left_over_whoever_comes_first(start: str, script: str, seeds: range) -> None:
    for seed in seeds:
        broken, ends = violations(start, script, seed)
        assert not broken, (seed, ends, broken)
        assert all(code in (0, 3) for codes in ends.values() for code in codes), (seed, ends)


@pytest.mark.parametrize(("start", "script"), FAILING)
def test_a_failing_canary_beside_others_leaves_nothing_over(start: str, script: str, seeds: range) -> None:
    for seed in seeds:
        broken, ends = violations(start, script, seed, {"A": "crash"})
        assert not broken, (seed, ends, broken)
        assert all(code in (0, 1, 3) for codes in ends.values() for code in codes), (seed, ends)
