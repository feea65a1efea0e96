"""Samples make a verdict: a pure account of what a check has seen.

A check fails as soon as `failures` of its last `of` samples failed. At the end it passes with at least `min_samples`,
else it is inconclusive: too little data is no pass. A sample without data counts as `on_missing` says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, UNCLEAR, Conclusion, Sample
from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.engine.record import CheckRecord
from ecs_pipeline.model.release import FAIL, INCONCLUSIVE, PASS

COUNTED = {"pass": GOOD, "fail": BAD, "inconclusive": UNCLEAR}


class Tally:
    """The samples of one check so far."""

    def __init__(self, settings: CheckSettings) -> None:
        self._settings = settings
        self._window: deque[bool] = deque(maxlen=settings.of)
        self._last = ""
        self._last_failure = ""
        self._last_unclear = ""
        self.samples = 0
        self.failures = 0
        self.unclear = 0

    def add(self, sample: Sample) -> None:
        """Count a sample."""
        outcome = COUNTED[self._settings.on_missing] if sample.outcome == MISSING else sample.outcome
        if outcome == UNCLEAR:
            self.unclear += 1
            self._last_unclear = sample.message
            return
        bad = outcome == BAD
        self.samples += 1
        self.failures += bad
        self._window.append(bad)
        self._last = sample.message
        self._last_failure = sample.message if bad else self._last_failure

    @property
    def failed(self) -> bool:
        """So many of the last samples failed that the check has."""
        return sum(self._window) >= self._settings.failures

    @property
    def enough(self) -> bool:
        """There are as many samples as a pass takes."""
        return self.samples >= self._settings.min_samples

    @property
    def last(self) -> str:
        """What the last sample said."""
        return self._last

    def verdict(self, conclusion: Conclusion | None, summary: str = "") -> tuple[str, str]:
        """Verdict and its reason at the end of the bake; `conclusion` is the check's own last word.

        A pass is told with the number of samples and the check's `summary` of them.
        """
        if self.failed:
            return FAIL, self._failure()
        if conclusion and conclusion.verdict == FAIL:
            return FAIL, conclusion.message
        if not self.enough:
            return INCONCLUSIVE, self._too_little()
        if conclusion:
            return conclusion.verdict, conclusion.message
        return PASS, ", ".join(filter(None, (_counted(self.samples), summary)))

    def _failure(self) -> str:
        why = f": {self._last_failure}" if self._last_failure else ""
        return f"{sum(self._window)} of the last {_counted(len(self._window))} failed{why}"

    def _too_little(self) -> str:
        missing = f", {self.unclear} without data" if self.unclear else ""
        why = f": {self._last_unclear}" if self._last_unclear else ""
        return f"{_counted(self.samples)}, at least {self._settings.min_samples} are needed{missing}{why}"


def overall(checks: Iterable[CheckRecord]) -> str:
    """The verdict of the bake: what required checks say; an informative one never decides."""
    verdicts = {check.verdict for check in checks if check.required}
    return next((verdict for verdict in (FAIL, INCONCLUSIVE) if verdict in verdicts), PASS)


def _counted(number: int) -> str:
    return f"{number} sample" if number == 1 else f"{number} samples"
