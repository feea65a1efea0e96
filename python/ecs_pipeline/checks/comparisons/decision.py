"""The verdict of a comparison from the questions that it asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from ecs_pipeline.checks.comparisons.question import End, Question
from ecs_pipeline.checks.comparisons.rank_test import p_of, z_of
from ecs_pipeline.checks.comparisons.rules import Rules
from ecs_pipeline.model.release import FAIL, INCONCLUSIVE, PASS

MOST_LONGER = 100.0
"""So many times the bake: what takes longer is not told."""


@dataclass(frozen=True)
class Decision:
    """`evidence` against the canary, to be held against Rules.line.

    `longer`: a bake of so many times the length would tell, at this rate; 0 when it is not known. `within`: what was
    seen would fail a canary, but the others differ as much among themselves.
    """

    verdict: str
    evidence: float
    longer: float = 0.0
    within: bool = False


def evidence(questions: Sequence[Question]) -> float:
    """The evidence on the way: half of the false alarms are left for the end."""
    if len(questions) == 1:
        return questions[0].wealth / 2
    return fmean(question.wealth for question in questions) / 2


def failed(rules: Rules, questions: Sequence[Question]) -> bool:
    """On the way: "worse than tolerated" is shown."""
    if evidence(questions) < rules.line:
        return False
    return _strongest(questions).beyond_others()


def decide(rules: Rules, questions: Sequence[Question]) -> Decision:
    """At the end: one exact test of each question, with the other half of the false alarms."""
    ends = [question.end() for question in questions]
    to_fail, to_pass = z_of(rules.alpha / 2 / len(ends)), z_of(rules.alpha)
    against = max(evidence(questions), *(1 / (2 * len(ends) * p_of(end.shown)) for end in ends))
    shown = [end for end in ends if end.shown >= to_fail]
    if evidence(questions) >= rules.line:
        shown.append(ends[questions.index(_strongest(questions))])
    if any(end.beyond for end in shown):
        return Decision(FAIL, against)
    if all(end.refuted >= to_pass and end.below for end in ends):
        return Decision(PASS, against)
    return Decision(INCONCLUSIVE, against, _longer(ends, to_fail, to_pass), within=bool(shown))


def _strongest(questions: Sequence[Question]) -> Question:
    return max(questions, key=lambda question: question.wealth)


def _longer(ends: Sequence[End], to_fail: float, to_pass: float) -> float:
    """A z grows with the square root of the time: when would the first of them be reached?"""
    nearest = max(*(end.shown / to_fail for end in ends), min(end.refuted / to_pass for end in ends))
    longer = 1 / nearest**2 if nearest > 0 else 0.0
    return longer if 1 < longer < MOST_LONGER else 0.0
