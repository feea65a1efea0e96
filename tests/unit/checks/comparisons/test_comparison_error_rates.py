"""How often a comparison is wrong: a small sample of docs/judging.md's tables."""

from __future__ import annotations

from random import Random

import pytest

from ecs_pipeline.checks.comparisons.comparison import of_values
from ecs_pipeline.checks.comparisons.rules import Rules
from tests.unit.checks.comparisons.draws import KINDS, moments, played

DRAWS = 40


def verdicts(kind: str, factor: float, rules: Rules | None = None, others: int = 3) -> list[str]:
    random = Random(11)
    return [
        played(of_values(rules or Rules(), "stable"), moments(random, kind, factor, others=others))
        for _ in range(DRAWS)
    ]


def share(verdicts: list[str], verdict: str) -> float:
    return sum(found.startswith(verdict) for found in verdicts) / len(verdicts)


@pytest.mark.parametrize("kind", KINDS)
def test_a_canary_like_the_others_hardly_ever_fails(kind: str) -> None:
    found = verdicts(kind, 1)
    assert share(found, "fail") <= (0.10 if kind in ("ar", "tasks") else 0.02)
    assert share(found, "pass") > 0.6


@pytest.mark.parametrize("kind", KINDS)
def test_a_canary_at_its_tolerance_hardly_ever_fails(kind: str) -> None:
    assert share(verdicts(kind, 1.25), "fail") <= (0.2 if kind in ("ar", "tasks") else 0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_canary_that_is_three_times_as_bad_fails_early(kind: str) -> None:
    found = verdicts(kind, 3)
    assert share(found, "fail") >= 0.95
    at = sorted(int(verdict[5:]) for verdict in found if verdict.startswith("fail"))
    assert at[len(at) // 2] < 15


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_told_is_not_passed(kind: str) -> None:
    assert share(verdicts(kind, 1.75), "pass") <= 0.12
    assert share(verdicts(kind, 2), "pass") <= 0.05


def test_more_confidence_fails_and_passes_less() -> None:
    usual, sure = (verdicts("plain", 1.8, Rules(alpha=alpha)) for alpha in (0.05, 0.001))
    assert share(sure, "fail") < share(usual, "fail")
    assert share(sure, "pass") <= share(usual, "pass")
