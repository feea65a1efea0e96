"""What equals differ by among themselves: hosts, zones and neighbours make one task slower than the next for good.

A canary is one more such task. With three or more others it is worse only when it is beyond all that a further one of
them could be: a prediction interval for one more observation (Hahn and Meeker, Statistical Intervals, 1991).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

LEAST_TASKS = 3
AT_THE_END = (1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372)
"""Student's t for 2 degrees of freedom and more, one side, 10 % …"""
ON_THE_WAY = (2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812)
"""… and 5 %, for it is looked at more than once."""


@dataclass(frozen=True)
class Spread:
    """Levels of tasks, turned so that greater is worse: the canary's as `seen`, and without what is tolerated.

    `noise` is the part of the others' variance that chance alone brings, where it is known.
    """

    seen: Sequence[float]
    canary: Sequence[float]
    others: Sequence[float]
    noise: float = 0.0

    @property
    def known(self) -> bool:
        """There are enough others to tell."""
        return len(self.others) >= LEAST_TASKS

    @property
    def width(self) -> float:
        """From the best of the others to the worst, as a part of their middle."""
        middle = abs(fmean(self.others)) if self.others else 0.0
        return self._range / middle if middle else 0.0

    def beyond(self, quantiles: Sequence[float]) -> bool:
        """The canary is worse than one more of the others could be, and off by more than they are."""
        if not self.known:
            return True
        off, too_much = (fmean(levels) - fmean(self.others) for levels in (self.seen, self.canary))
        return too_much > self._room(quantiles) and off > self._range

    def below(self, quantiles: Sequence[float]) -> bool:
        """The canary is better than one more of the others could be."""
        return not self.known or fmean(self.others) - fmean(self.canary) > self._room(quantiles)

    def _room(self, quantiles: Sequence[float]) -> float:
        """How far from the others' middle one more of them may be."""
        others = len(self.others)
        quantile = quantiles[min(others - LEAST_TASKS, len(quantiles) - 1)]
        return quantile * math.sqrt(self._natural * (1 / len(self.canary) + 1 / others))

    @property
    def _natural(self) -> float:
        """The variance that is not chance."""
        return max(variance(self.others) - self.noise, 0.0)

    @property
    def _range(self) -> float:
        if not self.noise:
            return max(self.others) - min(self.others)
        whole = variance(self.others) if len(self.others) > 1 else 0.0
        return (max(self.others) - min(self.others)) * math.sqrt(self._natural / whole) if whole else 0.0


def levels(values: Mapping[str, Sequence[float]]) -> list[float]:
    """The level of each task; one that was there for less than half of the time says too little."""
    most = max((len(series) for series in values.values()), default=0)
    return [middle_mean(series) for series in values.values() if 2 * len(series) >= most > 0]


def middle_mean(values: Sequence[float]) -> float:
    """The mean of the middle half: as steady as a mean, and no outlier moves it."""
    ordered, cut = sorted(values), len(values) // 4
    return fmean(ordered[cut : len(ordered) - cut])
