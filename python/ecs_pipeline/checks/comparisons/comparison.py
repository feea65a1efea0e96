"""A comparison at work: what is seen goes in; evidence, a verdict and its reason come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecs_pipeline.checks.comparisons import decision, words
from ecs_pipeline.checks.comparisons.aspects import Aspect, CountsAspect, ErrorsAspect, ValuesAspect
from ecs_pipeline.checks.comparisons.moment import Moment
from ecs_pipeline.checks.comparisons.rules import Rules
from ecs_pipeline.model.release import FAIL


@dataclass(frozen=True)
class Finding:
    """The verdict of a comparison and why; `evidence` is that against the canary."""

    verdict: str
    message: str
    evidence: float


class Comparison:
    """Moments are added as they come; it has failed as soon as `failed` says so, and else concludes at the end."""

    def __init__(self, rules: Rules, name: str, aspects: Sequence[Aspect]) -> None:
        self.rules = rules
        self.aspects = aspects
        self.moments = 0
        self._name = name
        self._questions = [question for aspect in aspects for question in aspect.questions]
        self._first = self._last = 0.0

    def add(self, moment: Moment) -> None:
        """Take what was seen at one moment."""
        compared = [aspect.add(moment) for aspect in self.aspects]
        if not any(compared):
            return
        if not self.moments:
            self._first = moment.at
        self._last = moment.at
        self.moments += 1

    @property
    def evidence(self) -> float:
        """That against the canary, on the way."""
        return decision.evidence(self._questions)

    @property
    def failed(self) -> bool:
        """ "Worse than tolerated" is shown: nothing that comes changes that."""
        return decision.failed(self.rules, self._questions)

    def differs(self) -> str:
        """How the canary differs from the others."""
        return "; ".join(filter(None, (aspect.differs() for aspect in self.aspects)))

    def effect(self) -> float | None:
        """How much more the canary has than the others by the first aspect, as a part of theirs."""
        return self.aspects[0].effect()

    def conclude(self) -> Finding:
        """The verdict over all that was seen."""
        for aspect in self.aspects:
            aspect.end()
        on_the_way = decision.Decision(FAIL, self.evidence) if self.failed else None
        found = on_the_way or decision.decide(self.rules, self._questions)
        differs = self.differs()
        if not differs:
            return Finding(found.verdict, f"no values of canary and {self._name} of the same time", found.evidence)
        why = words.reason(found, differs, self._differ(), self.rules, self._seconds)
        return Finding(found.verdict, why, found.evidence)

    @property
    def _seconds(self) -> float:
        """How long both sides were watched, the last moment included."""
        return (self._last - self._first) * self.moments / max(self.moments - 1, 1)

    def _differ(self) -> str:
        spread = self.aspects[0].spread()
        if not spread.known or not spread.width:
            return ""
        who = words.others(self._name, len(spread.others))
        return f"{who} differ by up to {words.percent(spread.width)} among themselves"


def of_values(rules: Rules, name: str, unit: str = "") -> Comparison:
    """Values in a unit; `name` is whom the canary is compared with, baseline or stable."""
    return Comparison(rules, name, [ValuesAspect(rules, name, unit)])


def of_counts(rules: Rules, name: str) -> Comparison:
    """Counts in time; `rules.ignore_below` is a rate a second."""
    return Comparison(rules, name, [CountsAspect(rules, name)])


def of_answers(rules: Rules, name: str) -> Comparison:
    """Answers of one moment, by their milliseconds and by their errors; `rules.ignore_below` is a part of them."""
    return Comparison(rules, name, [ValuesAspect(rules, name, "ms"), ErrorsAspect(rules, name)])
