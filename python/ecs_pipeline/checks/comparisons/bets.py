"""A gambler who bets that the canary is worse: evidence that may be looked at after every moment.

Were the canary no worse than tolerated, its values would be as likely to stand at any place among those of the same
moment as the others' are, and no strategy would make money: the probability that the wealth ever reaches x is 1/x at
most (Ville's inequality). Only values of one moment are held against each other, so what moves all tasks is harmless.

References: Shekhar and Ramdas, Nonparametric two-sample testing by betting, IEEE Transactions on Information Theory
2023; Ramdas, Grünwald, Vovk and Shafer, Game-theoretic statistics and safe anytime-valid inference, Statistical
Science 2023.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from functools import lru_cache
from operator import mul

STAKES = (1.0, 3.0, 9.0)
"""How strongly a better prefers high scores. The average of all needs no tuning."""
KEPT = 0.02
"""The part of the wealth that is never at stake."""
GRID = 256
"""Places in the pool are told apart so finely."""
WEIGHTS = tuple(tuple(math.exp(stake * (place / GRID - 1)) for stake in STAKES) for place in range(GRID + 1))
NOTHING = (1.0,) * len(STAKES)


class Pool:
    """All values that were seen before."""

    def __init__(self) -> None:
        self._ordered: list[float] = []

    def places(self, values: Sequence[float]) -> list[int]:
        """The place of each value among those seen before: 0 below all of them, GRID above."""
        ordered = self._ordered
        if len(ordered) < 2:
            return []
        scale = GRID / (2 * len(ordered))
        return [int(scale * (bisect_left(ordered, value) + bisect_right(ordered, value))) for value in values]

    def add(self, values: Sequence[float]) -> None:
        """Remember the values of a moment."""
        for value in values:
            insort(self._ordered, value)


class Bets:
    """The wealth of all betters, which begins at 1."""

    def __init__(self) -> None:
        self._wealth = [1.0] * (2 * len(STAKES))

    @property
    def wealth(self) -> float:
        """The average of all betters."""
        return sum(self._wealth) / len(self._wealth)

    def add(self, values: Sequence[float], canaries: int, places: Sequence[int], stake: float) -> None:
        """Bet on one moment: `values` are the canary's first, so many `canaries`, then the others'.

        `places` are theirs in the pool, empty for no bet on them. `stake` (0 to 1) is what is dared.
        """
        payoffs = [*_within(values, canaries), *(_payoffs(places, canaries) if places else NOTHING)]
        if stake < 1:
            payoffs = [payoff**stake for payoff in payoffs]
        self._wealth = list(map(mul, self._wealth, payoffs))


def _within(values: Sequence[float], canaries: int) -> list[float]:
    """What the bets on the order within the moment pay."""
    ordered = sorted(values)
    places = [bisect_left(ordered, value) + bisect_right(ordered, value) - 1 for value in values]
    return _on_order(tuple(places[:canaries]), tuple(sorted(places[canaries:])))


@lru_cache(maxsize=4096)
def _on_order(canary: tuple[int, ...], others: tuple[int, ...]) -> list[float]:
    most = 2 * (len(canary) + len(others) - 1)
    return _payoffs([GRID * place // most for place in (*canary, *others)], len(canary))


def _payoffs(places: Sequence[int], canaries: int) -> list[float]:
    """What each better gets for the canary's places: 1 on average over all who might have them."""
    rows = [WEIGHTS[place] for place in places]
    totals = map(sum, zip(*rows, strict=True))
    mine = rows[0] if canaries == 1 else map(sum, zip(*rows[:canaries], strict=True))
    scale = (1 - KEPT) * len(rows) / canaries
    return [KEPT + scale * part / total for part, total in zip(mine, totals, strict=True)]
