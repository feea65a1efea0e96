"""What a check yields: samples, and now and then a last word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ecs_pipeline import text

GOOD, BAD, MISSING, UNCLEAR = "good", "bad", "missing", "unclear"
"""A sample is good or bad; without data it is what `on_missing` says; one that is unclear is none at all."""


@dataclass(frozen=True)
class Sample:
    """One look at the canary; `message` says what was seen, in a few words: one plain line, whoever wrote it."""

    outcome: str
    message: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", text.message(self.message))


@dataclass(frozen=True)
class Conclusion:
    """A check's last word over the whole bake, which its single samples do not tell: FAIL or INCONCLUSIVE."""

    verdict: str
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", text.message(self.message))


class Check(Protocol):
    """One check at work. It never blocks for long: what takes time is begun, and collected when it is there."""

    value: str | float | None
    limit: str | float | None
    unit: str

    def begin(self) -> None:
        """Begin to take a sample."""

    def collect(self) -> Sequence[Sample] | None:
        """The samples that came of it, none or several; None while it is under way."""

    def conclude(self) -> Conclusion | None:
        """The last word at the end of the bake; None when the samples say it all."""

    def summary(self) -> str:
        """What the samples came to, in numbers with their units, beside the limit: `p95 15 ms, limit 300 ms`."""

    def details(self) -> Sequence[str]:
        """Lines for the reports."""

    def close(self) -> None:
        """End what is under way."""
