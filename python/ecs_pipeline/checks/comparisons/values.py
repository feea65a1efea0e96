"""One question of values, latencies or utilisations: is the canary worse than the others in this direction?"""

from __future__ import annotations

from ecs_pipeline.checks.comparisons.autocorrelation import Autocorrelation
from ecs_pipeline.checks.comparisons.bets import Bets, Pool
from ecs_pipeline.checks.comparisons.moment import History, Moment
from ecs_pipeline.checks.comparisons.question import End
from ecs_pipeline.checks.comparisons.rank_test import rank_z, z_of_same
from ecs_pipeline.checks.comparisons.rules import Rules
from ecs_pipeline.checks.comparisons.spread import AT_THE_END, ON_THE_WAY, Spread, levels
from ecs_pipeline.checks.comparisons.tolerance import Tolerance


class ValuesQuestion:
    """Bets at each moment, and the rank test at the end."""

    def __init__(self, rules: Rules, history: History, *, up: bool) -> None:
        self._history = history
        self._tolerated = Tolerance(up, rules.tolerance)
        self._detected = Tolerance(up, rules.tolerance, rules.detect)
        self._bets, self._pool, self._memory = Bets(), Pool(), Autocorrelation()

    @property
    def wealth(self) -> float:
        """Of who bet against the canary, 1 at the beginning."""
        return self._bets.wealth

    def add(self, moment: Moment) -> None:
        """Bet on a moment in which both sides were seen; it is the last of the history."""
        excused, turned = self._tolerated.excused, self._tolerated.turned
        mine = [excused(value) for values in moment.canary.values() for value in values]
        theirs = [turned(value) for values in moment.others.values() for value in values]
        values = mine + theirs
        places = self._pool.places(values)
        self._bets.add(values, len(mine), places, 1 / self._memory.inflation_on_the_way)
        self._pool.add(values)
        if places:
            self._memory.add(_tasks(moment), places)

    def beyond_others(self) -> bool:
        """The canary is beyond what the others differ by."""
        return self._spread(self._tolerated).beyond(ON_THE_WAY)

    def end(self) -> End:
        """The rank test of all that was seen."""
        canary, others = self._history.balanced()
        if not canary:
            return End()
        turned = [self._tolerated.turned(value) for value in others]
        tolerated, detected = ([part.excused(value) for value in canary] for part in (self._tolerated, self._detected))
        if len({*canary, *others}) == 1:
            return End(refuted=z_of_same(len(canary)), below=True)
        return End(
            shown=rank_z(tolerated, turned) / self._memory.inflation_at_the_end**0.5,
            refuted=rank_z(turned, detected) / self._memory.inflation_for_a_pass**0.5,
            beyond=self._spread(self._tolerated).beyond(AT_THE_END),
            below=self._spread(self._detected).below(AT_THE_END),
        )

    def _spread(self, tolerance: Tolerance) -> Spread:
        canary, others = levels(self._history.canary), levels(self._history.others)
        seen, turned = ([tolerance.turned(level) for level in side] for side in (canary, others))
        return Spread(seen, [tolerance.excused(level) for level in canary], turned)


def _tasks(moment: Moment) -> list[tuple[bool, str]]:
    """The task of each value, canary first."""
    found = [(True, task) for task, values in moment.canary.items() for _ in values]
    return found + [(False, task) for task, values in moment.others.items() for _ in values]
