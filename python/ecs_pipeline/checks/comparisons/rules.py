"""What a comparison is held to."""

from __future__ import annotations

from dataclasses import dataclass

INCREASE, DECREASE, EITHER = "increase", "decrease", "either"


@dataclass(frozen=True)
class Rules:
    """`tolerance` and `detect` are parts of the others' value; `alpha` is the share of false alarms that may be.

    `direction` is what is bad of values. Counts below `ignore_below` (per unit of exposure) do not matter.
    """

    tolerance: float = 0.25
    detect: float = 0.5
    alpha: float = 0.05
    direction: str = INCREASE
    ignore_below: float = 0.0

    @property
    def line(self) -> float:
        """The evidence that fails a canary: 20 for 5 % of false alarms."""
        return 1 / self.alpha
