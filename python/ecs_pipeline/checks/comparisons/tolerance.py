"""What is tolerated: values turned so that greater is worse, the canary's with the tolerated part taken off."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Tolerance:
    """So much more (`up`), or so much less, is tolerated of the canary; `detect` comes on top of `part`.

    Of negative values, more is nearer to zero: -10 and 25 % more are -7.5. No logarithm and no estimate is needed.
    """

    up: bool
    part: float
    detect: float = 0.0

    def turned(self, value: float) -> float:
        """A value of the others."""
        return value if self.up else -value

    def excused(self, value: float) -> float:
        """A value of the canary, as it would be had it not used what is tolerated."""
        grown = (value >= 0) == self.up
        less = max(1 - self.part, 0.0) / (1 + self.detect)
        factor = 1 + self.part + self.detect if grown else less
        return self.turned(value / factor) if factor else -math.inf
