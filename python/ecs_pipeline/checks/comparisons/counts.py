"""One question of counts, log lines or failed requests: is the canary's rate higher than the others'?

Given how many there were in all, each is the canary's with a known probability, whatever the load. The bets are a
mixture of likelihood ratios: Lindon and Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022;
Lindon, Sanden and Shirikian, Rapid regression detection in software deployments through sequential testing, KDD 2022.
At the end the exact binomial test of the total.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

from ecs_pipeline.checks.comparisons.dispersion import Dispersion
from ecs_pipeline.checks.comparisons.exact import binomial_head, binomial_tail, poisson_head, poisson_tail
from ecs_pipeline.checks.comparisons.question import End
from ecs_pipeline.checks.comparisons.rank_test import z_of
from ecs_pipeline.checks.comparisons.rules import Rules
from ecs_pipeline.checks.comparisons.spread import AT_THE_END, ON_THE_WAY, Spread

RATIOS = (1.25, 1.6, 2.2, 3.2, 5.0, 8.0, 14.0)
"""What is bet on: so many times what is tolerated."""
FLOOR_WINS = tuple((math.log(ratio), ratio - 1) for ratio in RATIOS)
"""What a bet on so many times the rate that does not matter wins by each count, and loses while time goes by."""
LEAST_INTERVALS = 3
"""Before, one burst may be all that was seen."""
MOST = 600.0
"""The logarithm of a wealth that is enough."""


@dataclass
class Total:
    """What one task counted in all, and in how much time, or of how many requests."""

    count: int = 0
    exposure: float = 0.0

    @property
    def rate(self) -> float:
        """Per unit of exposure."""
        return self.count / self.exposure


class Side:
    """The totals of the canary's tasks, or of the others'."""

    def __init__(self) -> None:
        self.tasks: dict[str, Total] = {}
        self.all = Total()

    def add(self, counts: Mapping[str, int], exposure: float) -> None:
        """Count one interval."""
        for task, count in counts.items():
            for total in (self.tasks.setdefault(task, Total()), self.all):
                total.count += count
                total.exposure += exposure

    @property
    def rates(self) -> list[float]:
        """Of each task that was there for at least half of the time."""
        longest = max((total.exposure for total in self.tasks.values()), default=0.0)
        return [total.rate for total in self.tasks.values() if 2 * total.exposure >= longest > 0]


class CountsQuestion:
    """Bets at each interval, and the exact test at the end."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._tolerated = 1 + rules.tolerance
        self._detected = self._tolerated + rules.detect
        self._dispersion = Dispersion()
        self._bets = [0.0] * len(RATIOS)
        self._floor_bets = [0.0] * len(RATIOS)
        self.canary, self.others = Side(), Side()

    def add(self, canary: Mapping[str, int], others: Mapping[str, int], exposure: float) -> None:
        """Bet on an interval in which both sides were there; `exposure` is its time, or requests, of each task."""
        self._bet(sum(canary.values()), sum(others.values()), len(canary) * exposure, len(others) * exposure)
        self._dispersion.add({**{f"canary {task}": count for task, count in canary.items()}, **others}, exposure)
        self.canary.add(canary, exposure)
        self.others.add(others, exposure)

    @property
    def wealth(self) -> float:
        """Of who bet against the canary: on more than is tolerated, and on more than does not matter."""
        bets = [self._bets, self._floor_bets] if self._rules.ignore_below else [self._bets]
        return min(fmean(math.exp(min(bet, MOST)) for bet in kind) for kind in bets)

    def beyond_others(self) -> bool:
        """The canary is beyond what the others differ by, and it is no burst."""
        return self._dispersion.intervals >= LEAST_INTERVALS and self._beyond(ON_THE_WAY)

    def end(self) -> End:
        """The exact tests of the totals."""
        if not self.canary.all.exposure or not self.others.all.exposure:
            return End()
        ignored = self._ignored()
        return End(
            shown=self._shown(),
            refuted=max(self._refuted(), ignored),
            beyond=self._beyond(AT_THE_END),
            below=ignored >= z_of(self._rules.alpha) or self.spread(self._detected).below(AT_THE_END),
        )

    def _bet(self, canary: int, others: int, exposure: float, other_exposure: float) -> None:
        stake = 1 / self._dispersion.index
        wins = _wins(self._tolerated, exposure / other_exposure)
        self._bets = [
            bet + stake * (canary * mine + others * theirs)
            for bet, (mine, theirs) in zip(self._bets, wins, strict=True)
        ]
        floor = self._rules.ignore_below * exposure
        if floor:
            pairs = zip(self._floor_bets, FLOOR_WINS, strict=True)
            self._floor_bets = [bet + stake * (canary * win - loss * floor) for bet, (win, loss) in pairs]

    def _beyond(self, quantiles: Sequence[float]) -> bool:
        """A burst may have won the bets: it is not taken for as many events as it has lines."""
        return self._shown() >= z_of(self._rules.alpha / 2) and self.spread(self._tolerated).beyond(quantiles)

    def _shown(self) -> float:
        """The z of: more than is tolerated, and more than does not matter."""
        canary, others, floor = self.canary.all, self.others.all, self._rules.ignore_below
        share = _share(self._tolerated, canary.exposure / others.exposure)
        p = binomial_tail(canary.count, canary.count + others.count, share)
        if floor:
            p = max(p, poisson_tail(canary.count, floor * canary.exposure))
        return z_of(p) / math.sqrt(self._dispersion.index)

    def _refuted(self) -> float:
        """The z of: not so much more as is to be detected."""
        canary, others = self.canary.all, self.others.all
        share = _share(self._detected, canary.exposure / others.exposure)
        return z_of(binomial_head(canary.count, canary.count + others.count, share)) / math.sqrt(self._dispersion.index)

    def _ignored(self) -> float:
        """The z of: so few that they do not matter."""
        canary, floor = self.canary.all, self._rules.ignore_below
        if not floor:
            return -math.inf
        return z_of(poisson_head(canary.count, floor * canary.exposure)) / math.sqrt(self._dispersion.index)

    def spread(self, factor: float = 1.0) -> Spread:
        """The rates of the tasks, the canary's divided by what is tolerated."""
        seen, others = self.canary.rates, self.others.rates
        exposures = [total.exposure for total in self.others.tasks.values()]
        noise = self._dispersion.index * fmean(others) / fmean(exposures) if others else 0.0
        return Spread(seen, [rate / factor for rate in seen], others, noise)


def _share(ratio: float, exposures: float) -> float:
    """The probability that a count is the canary's, were its rate so many times the others'."""
    return ratio * exposures / (ratio * exposures + 1)


@lru_cache(maxsize=256)
def _wins(tolerated: float, exposures: float) -> list[tuple[float, float]]:
    """What each bet wins by a count of the canary, and by one of the others."""
    fair = _share(tolerated, exposures)
    shares = [_share(tolerated * ratio, exposures) for ratio in RATIOS]
    return [(math.log(share / fair), math.log((1 - share) / (1 - fair))) for share in shares]
