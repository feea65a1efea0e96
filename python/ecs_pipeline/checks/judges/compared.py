"""A comparison as a check has it: samples that count, a failure that ends the bake, a last word, numbers to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ecs_pipeline.checks.comparisons.comparison import Comparison, of_answers, of_counts, of_values
from ecs_pipeline.checks.comparisons.moment import Moment
from ecs_pipeline.checks.comparisons.rules import Rules
from ecs_pipeline.checks.comparisons.words import against
from ecs_pipeline.checks.sample import GOOD, UNCLEAR, Conclusion, Sample, Shown
from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.model.release import PASS

ONCE_IN = 50
"""The difference is measured anew when there is this part more of moments."""


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
    """The judge of a comparison; `limit` is what is tolerated, in percent.

    `quiet`: its values were recorded, and its samples say nothing.
    """

    unit = "%"

    def __init__(self, settings: CheckSettings, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._comparison = comparison_of(settings)
        self._name = str(settings.compared.compare) if settings.compared else ""
        self._counts = settings.logs is not None
        self._nothing_is_fine = settings.on_missing == "pass"
        self._last = ""
        self._final: float | None = None
        self._shown: tuple[str, float | None] = ("", None)
        self._shown_until = 0
        self._canary_seen = False
        self.line = self._comparison.rules.line
        self.limit = 100 * self._comparison.rules.tolerance

    def add(self, moment: Moment) -> Sample:
        """One moment; it is a sample when both sides were seen."""
        if not self._quiet:
            moment = replace(moment, canary=_rounded(moment.canary), others=_rounded(moment.others))
        before = self._comparison.moments
        self._comparison.add(moment)
        seen = bool(any(moment.canary.values()) or moment.canary_errors)
        self._canary_seen = self._canary_seen or seen
        shown = Shown() if self._quiet else shown_of(moment, self.evidence, counts=self._counts)
        if self._comparison.moments == before:
            return Sample(UNCLEAR, f"nothing of the {self._name if seen else 'canary'} to compare", shown)
        return Sample(GOOD, "" if self._quiet else self.stands(), shown)

    @property
    def evidence(self) -> float:
        """That against the canary, to be held against `line`."""
        return self._comparison.evidence if self._final is None else self._final

    @property
    def value(self) -> float | None:
        """By how much the canary differs, in percent of the others."""
        effect = self._comparison.effect() if self._final is not None else self._differs()[1]
        return None if effect is None else float(f"{100 * effect:.3g}")

    def stands(self) -> str:
        """How it stands on the way."""
        return f"{self._differs()[0]}; {against(self.evidence, self._comparison.rules)}"

    def decided(self) -> Conclusion | None:
        """The failure that ends the bake, as soon as it is shown."""
        return self._concluded() if self._comparison.failed else None

    def conclude(self) -> Conclusion | None:
        """The last word; None for a pass, which `summary` tells."""
        found = self._concluded()
        if self._nothing_is_fine and not self._canary_seen:
            return None
        return None if found.verdict == PASS else found

    def summary(self) -> str:
        """Why it passed."""
        return self._last

    def _differs(self) -> tuple[str, float | None]:
        """How the canary differs; of many moments that is not measured anew at each, for it would hardly change."""
        moments = self._comparison.moments
        if moments >= self._shown_until:
            self._shown = self._comparison.differs(), self._comparison.effect()
            self._shown_until = moments + 1 + moments // ONCE_IN
        return self._shown

    def _concluded(self) -> Conclusion:
        found = self._comparison.conclude()
        self._last, self._final = found.message, found.evidence
        return Conclusion(found.verdict, found.message)


def shown_of(moment: Moment, evidence: float, *, counts: bool) -> Shown:
    """A moment as reports and recorded bakes have it: null for an answer that was none or wrong, numbers for counts."""
    canary = _in_order(moment.canary, moment.canary_errors)
    others = _in_order(moment.others, moment.other_errors)
    rounded = float(f"{evidence:.4g}")
    if counts:
        counted = [sum(value or 0 for value in values) for values in canary.values()]
        canary_count = counted[0] if len(counted) == 1 else counted
        return Shown(
            moment.at,
            canary_count,
            {task: sum(value or 0 for value in values) for task, values in others.items()},
            rounded,
        )
    return Shown(moment.at, [value for values in canary.values() for value in values or [None]], others, rounded)


def _in_order(values: Mapping[str, Sequence[float]], errors: Mapping[str, int]) -> dict[str, list[float | None]]:
    """The values of each task, and a null for each error."""
    tasks = dict.fromkeys((*values, *errors))
    return {task: [*values.get(task, ()), *[None] * errors.get(task, 0)] for task in tasks}


def _rounded(values: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Six digits: what is kept of a bake is exactly what was judged."""
    return {task: [float(f"{value:.6g}") for value in series] for task, series in values.items()}
