"""A stage killed before or after any of its calls, then run again: AWS ends as after an undisturbed run."""

from __future__ import annotations

import pytest

from tests.unit.protocol.simulation import clean, heals, picture, side_by_side, start_of

PRUNED = "after a rollback: a revision is left over"
"""A killed loser's revision stays, unused: docs/protocol.md, "What remains"."""

ALONE = [
    ("P runs", "canary A", {}),
    ("P runs", "canary A", {"A": "crash"}),
    ("P runs", "canary A", {"A": "unhealthy"}),
    ("A is a canary", "promote A", {}),
    ("A is a canary", "promote A", {"A": "rollout"}),
    ("A is a canary", "rollback", {}),
    ("A is promoted", "rollback", {}),
    ("A is promoted", "canary B", {}),
    ("A is promoted", "canary B", {"B": "crash"}),
]


@pytest.mark.parametrize(("start", "command", "failing"), ALONE)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_stage_is_finished_when_run_again(
    start: str, command: str, failing: dict[str, str], when: str
) -> None:
    undisturbed = start_of(start, failing)
    wanted = side_by_side(undisturbed, command, seed=0)
    killed = 0
    for number in range(1, 200):
        world = start_of(start, failing)
        ends = side_by_side(world, command, seed=0, kill=(0, number, when))
        codes = next(iter(ends.values()))
        if codes[0] != "killed":
            break
        killed += 1
        assert codes[-1] in (*next(iter(wanted.values())), *already_undone(command, failing)), (number, ends)
        assert comparable(picture(world)) == comparable(picture(undisturbed)), number
        assert not [*clean(world), *heals(world)], number
    assert killed > 5


def already_undone(command: str, failing: dict[str, str]) -> list[int]:
    """A promote that died when its restore was through finds nothing to promote."""
    return [3] if command.startswith("promote") and failing else []


def comparable(picture: dict[str, object]) -> dict[str, object]:
    """How often a failing release was tried shows in the epoch and in revisions that are deregistered."""
    shown = dict(picture)
    if "turn" in dict(shown["marks"]):  # type: ignore[call-overload]
        shown["revisions"] = [revision for revision in shown["revisions"] if revision[1]]  # type: ignore[attr-defined]
        shown["marks"] = {key: value for key, value in dict(shown["marks"]).items() if key != "turn"}  # type: ignore[call-overload]
    return shown


@pytest.mark.parametrize(
    ("start", "script"),
    [
        ("P runs", "canary A | canary B"),
        ("A is a canary", "promote A | rollback A"),
        ("A is a canary", "canary A | rollback A"),
        ("P runs", "canary A; promote A | rollback"),
    ],
)
def test_a_death_in_a_race_leaves_nothing_that_a_rollback_does_not_heal(start: str, script: str) -> None:
    for number in range(1, 60, 2):
        for seed in range(3):
            world = start_of(start)
            ends = side_by_side(world, script, seed, kill=(0, number, "after" if seed else "before"))
            broken = [what for what in heals(world) if what != PRUNED]
            assert not broken, (number, seed, ends)
