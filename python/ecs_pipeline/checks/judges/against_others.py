"""A check that compares with other tasks: without any of them it has no last word."""

from __future__ import annotations

from ecs_pipeline.checks.judges.judged import Judged
from ecs_pipeline.checks.sample import Conclusion
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.comparisons import BASELINE
from ecs_pipeline.model.release import FAIL, INCONCLUSIVE


class AgainstOthers(Judged):
    """What the comparisons of all kinds share; `_group` are the others, BASELINE or STABLE."""

    _group: str
    _subject: Subject

    def conclude(self) -> Conclusion | None:
        """The last word; with nobody left to compare with there is none, unless a failure was shown before."""
        found = super().conclude()
        if self._alone and not (found and found.verdict == FAIL):
            return Conclusion(INCONCLUSIVE, self._no_others)
        return found

    @property
    def _alone(self) -> bool:
        """Whether the baseline is gone; of the stable tasks others come."""
        return self._group == BASELINE and not self._subject.baseline

    @property
    def _no_others(self) -> str:
        return f"no {self._group} task lives to compare with"
