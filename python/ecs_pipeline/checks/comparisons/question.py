"""One question that a comparison asks: is the canary worse? Values and counts ask it in their own ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class End:
    """What the test at the end says.

    `shown` is the z of "worse than tolerated", `refuted` that of "not worse than what is to be detected"; `beyond` and
    `below`: the canary is so even if it differs from the others by as much as these do among themselves.
    """

    shown: float = 0.0
    refuted: float = 0.0
    beyond: bool = False
    below: bool = False


class Question(Protocol):
    """A question that is put again at every moment, and once more at the end."""

    @property
    def wealth(self) -> float:
        """Of who bet that the canary is worse: 1 at the beginning, x with a probability of 1/x at most if it is not."""

    def beyond_others(self) -> bool:
        """The canary is beyond what the others differ by among themselves, as far as that is known."""

    def end(self) -> End:
        """The test of all that was seen."""
