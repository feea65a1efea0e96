"""Answers of a canary against those of others: by time, and by errors."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from ecs_pipeline.checks.comparisons.comparison import of_answers
from ecs_pipeline.checks.comparisons.moment import Moment
from ecs_pipeline.checks.comparisons.rules import Rules
from tests.unit.checks.comparisons.draws import played


def answers(random: Random, errors: float, slower: float = 1.0, count: int = 200, others: int = 2) -> list[Moment]:
    found = []
    for n in range(count):
        wrong = {"0": int(random.random() < errors)}
        right: Callable[[float], list[float]] = lambda factor: [factor * 10 * random.lognormvariate(0, 0.2)]  # noqa: E731
        canary = {"0": right(slower)} if not wrong["0"] else {}
        rest = {f"s{t}": right(1) for t in range(others)}
        found.append(Moment(n / 2, canary, rest, wrong, dict.fromkeys(rest, 0)))
    return found


@pytest.mark.parametrize(
    ("errors", "slower", "verdict"),
    [(0.0, 1.0, "pass"), (0.0, 2.0, "fail"), (0.2, 1.0, "fail"), (1.0, 1.0, "fail"), (0.03, 1.0, "inconclusive")],
)
def test_answers_are_compared_by_time_and_by_errors(errors: float, slower: float, verdict: str) -> None:
    comparison = of_answers(Rules(ignore_below=0.02), "stable")
    assert played(comparison, iter(answers(Random(1), errors, slower))).startswith(verdict)


def test_too_few_answers_rule_errors_out_of_none() -> None:
    comparison = of_answers(Rules(ignore_below=0.02), "stable")
    assert played(comparison, iter(answers(Random(1), 0, count=100))) == "inconclusive"
    assert "errors 0 of 100 answers against 0 of 200" in comparison.conclude().message
