"""A comparison as a check has it: samples that count, a failure that ends the bake, a last word, numbers to show."""

from __future__ import annotations

from ecs_pipeline.check_settings import CheckSettings
from ecs_pipeline.checks.comparisons.comparison import Comparison, of_answers, of_counts, of_values
from ecs_pipeline.checks.comparisons.moment import Moment
from ecs_pipeline.checks.comparisons.rules import Rules
from ecs_pipeline.checks.comparisons.words import against
from ecs_pipeline.checks.sample import GOOD, UNCLEAR, Conclusion, Sample
from ecs_pipeline.model import PASS


def comparison_of(settings: CheckSettings) -> Comparison:
    """The comparison that a check's settings ask for."""
    section = settings.compared
    assert section is not None  # noqa: S101 - asked for comparisons only
    rules = Rules(section.tolerance, section.detect, 1 - section.confidence)
    name = str(section.compare)
    if settings.metric:
        rules = Rules(section.tolerance, section.detect, 1 - section.confidence, settings.metric.direction)
        return of_values(rules, name, settings.metric.unit_shown)
    floor = settings.http.ignore_below if settings.http else settings.logs.ignore_below if settings.logs else 0.0
    rules = Rules(section.tolerance, section.detect, 1 - section.confidence, ignore_below=floor)
    return of_answers(rules, name) if settings.http else of_counts(rules, name)


class Compared:
    """The judge of a comparison; `limit` is what is tolerated, in percent."""

    unit = "%"

    def __init__(self, settings: CheckSettings) -> None:
        self._comparison = comparison_of(settings)
        self._name = str(settings.compared.compare) if settings.compared else ""
        self._last = ""
        self._final: float | None = None
        self.line = self._comparison.rules.line
        self.limit = 100 * self._comparison.rules.tolerance

    def add(self, moment: Moment) -> Sample:
        """One moment; it is a sample when both sides were seen."""
        before = self._comparison.moments
        self._comparison.add(moment)
        if self._comparison.moments == before:
            seen = any(moment.canary.values()) or moment.canary_errors
            return Sample(UNCLEAR, f"nothing of the {self._name if seen else 'canary'} to compare")
        return Sample(GOOD)

    @property
    def evidence(self) -> float:
        """That against the canary, to be held against `line`."""
        return self._comparison.evidence if self._final is None else self._final

    @property
    def value(self) -> float | None:
        """By how much the canary differs, in percent of the others."""
        effect = self._comparison.effect()
        return None if effect is None else round(100 * effect, 1)

    def stands(self) -> str:
        """How it stands on the way."""
        return f"{self._comparison.differs()}; {against(self.evidence, self._comparison.rules)}"

    def decided(self) -> Conclusion | None:
        """The failure that ends the bake, as soon as it is shown."""
        return self._concluded() if self._comparison.failed else None

    def conclude(self) -> Conclusion | None:
        """The last word; None for a pass, which `summary` tells."""
        found = self._concluded()
        return None if found.verdict == PASS else found

    def summary(self) -> str:
        """Why it passed."""
        return self._last

    def _concluded(self) -> Conclusion:
        found = self._comparison.conclude()
        self._last, self._final = found.message, found.evidence
        return Conclusion(found.verdict, found.message)
