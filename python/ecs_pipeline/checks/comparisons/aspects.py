"""What tasks are compared by: values of some size, counts in time, errors among answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Protocol

from ecs_pipeline.checks.comparisons import words
from ecs_pipeline.checks.comparisons.counts import CountsQuestion, Total
from ecs_pipeline.checks.comparisons.moment import History, Moment
from ecs_pipeline.checks.comparisons.question import Question
from ecs_pipeline.checks.comparisons.rules import DECREASE, INCREASE, Rules
from ecs_pipeline.checks.comparisons.spread import Spread, levels
from ecs_pipeline.checks.comparisons.values import ValuesQuestion
from ecs_pipeline.engine.record import measured

MINUTE = 60.0


class Aspect(Protocol):
    """One thing that the canary and the others are compared by."""

    @property
    def questions(self) -> Sequence[Question]:
        """What is asked about it."""

    def add(self, moment: Moment) -> bool:
        """Take what was seen at one moment; False when there was nothing to compare."""

    def end(self) -> None:
        """No more moments come."""

    def differs(self) -> str:
        """How the canary differs from the others, in words and numbers; '' when nothing was compared."""

    def effect(self) -> float | None:
        """How much more the canary has than the others, as a part of theirs; None when that is not known."""

    def spread(self) -> Spread:
        """The levels of canary and others."""


class ValuesAspect:
    """Values in a unit: latencies, utilisations."""

    def __init__(self, rules: Rules, name: str, unit: str = "") -> None:
        ways = [up for up in (True, False) if rules.direction != (DECREASE if up else INCREASE)]
        self._history = History()
        self.questions = [ValuesQuestion(rules, self._history, up=up) for up in ways]
        self._name, self._unit = name, unit

    def add(self, moment: Moment) -> bool:
        """Bet on a moment in which both sides were seen."""
        if not moment.paired:
            return False
        self._history.add(moment)
        for question in self.questions:
            question.add(moment)
        return True

    def end(self) -> None:
        """Nothing is left over."""

    def differs(self) -> str:
        """The two medians."""
        if not self._history.moments:
            return ""
        mine, theirs = (measured(float(f"{middle:.4g}"), self._unit) for middle in self._medians())
        effect = self.effect()
        more = "" if effect is None else f": {words.more_or_less(effect)}"
        return f"median {mine} against {theirs} of {words.others(self._name, len(self._history.others))}{more}"

    def effect(self) -> float | None:
        """The difference of the medians."""
        if not self._history.moments:
            return None
        canary, others = self._medians()
        return (canary - others) / abs(others) if others else None

    def spread(self) -> Spread:
        """By the level of each task."""
        canary = levels(self._history.canary)
        return Spread(canary, canary, levels(self._history.others))

    def _medians(self) -> tuple[float, float]:
        canary, others = self._history.balanced()
        return median(canary), median(others)


class CountsAspect:
    """Counts of the time since the moment before: log lines. `ignore_below` of the rules is a rate a second."""

    def __init__(self, rules: Rules, name: str) -> None:
        self._counts = CountsQuestion(rules)
        self.questions = [self._counts]
        self._name = name
        self._until = 0.0
        self._waiting: Moment | None = None

    def add(self, moment: Moment) -> bool:
        """Bet on the interval that ends here; one that ends at 0 is taken to be as long as the next."""
        exposure = moment.at - self._until
        if exposure <= 0:
            self._waiting = self._waiting or moment
            return False
        self._until = moment.at
        if self._waiting:
            self._count(self._waiting, exposure)
            self._waiting = None
        return self._count(moment, exposure)

    def end(self) -> None:
        """What came at 0 alone is taken for a second."""
        if self._waiting:
            self._count(self._waiting, 1.0)
            self._waiting = None

    def differs(self) -> str:
        """The two totals and rates."""
        canary, others = self._counts.canary, self._counts.others
        if not others.tasks:
            return ""
        who = words.others(self._name, len(others.tasks))
        return f"{_a_minute(canary.all)} against {_a_minute(others.all)} of {who}"

    def effect(self) -> float | None:
        """The difference of the rates."""
        canary, others = self._counts.canary.all, self._counts.others.all
        return canary.rate / others.rate - 1 if others.count else None

    def spread(self) -> Spread:
        """By the rate of each task."""
        return self._counts.spread()

    def rates(self) -> tuple[float, float]:
        """Of the canary and of the others, a second and task."""
        canary, others = self._counts.canary.all, self._counts.others.all
        return (canary.rate, others.rate) if others.exposure else (0.0, 0.0)

    def _count(self, moment: Moment, exposure: float) -> bool:
        canary, others = _totals(moment.canary), _totals(moment.others)
        if not canary or not others:
            return False
        self._counts.add(canary, others, exposure)
        return True


class ErrorsAspect:
    """Errors among answers. `ignore_below` of the rules is a part of the answers."""

    def __init__(self, rules: Rules, name: str) -> None:
        self._counts = CountsQuestion(rules)
        self.questions = [self._counts]
        self._name = name

    def add(self, moment: Moment) -> bool:
        """Bet on the answers of one moment."""
        if not moment.canary_errors or not moment.other_errors:
            return False
        self._counts.add(moment.canary_errors, moment.other_errors, 1.0)
        return True

    def end(self) -> None:
        """Nothing is left over."""

    def differs(self) -> str:
        """The two totals."""
        canary, others = self._counts.canary.all, self._counts.others.all
        if not others.exposure:
            return ""
        return f"errors {canary.count} of {canary.exposure:.0f} answers against {others.count} of {others.exposure:.0f}"

    def effect(self) -> float | None:
        """The difference of the rates."""
        canary, others = self._counts.canary.all, self._counts.others.all
        return canary.rate / others.rate - 1 if others.count else None

    def spread(self) -> Spread:
        """By the rate of each task."""
        return self._counts.spread()


def _totals(values: Mapping[str, Sequence[float]]) -> dict[str, int]:
    return {task: round(sum(counts)) for task, counts in values.items() if counts}


def _a_minute(total: Total) -> str:
    return f"{total.count} ({MINUTE * total.rate:.3g} a minute and task)"
