"""What a check yields: samples, and now and then a last word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ecs_pipeline import text
from ecs_pipeline.engine.check_series import Values

GOOD, BAD, MISSING, UNCLEAR = "good", "bad", "missing", "unclear"
"""A sample is good or bad; without data it is what `on_missing` says; one that is unclear is none at all."""


@dataclass(frozen=True)
class Shown:
    """The numbers of a sample, for the reports; `at` in seconds of the check, None for now."""

    at: float | None = None
    canary: Values = None
    others: Mapping[str, Values] = field(default_factory=dict)
    evidence: float | None = None


@dataclass(frozen=True)
class Sample:
    """One look at the canary; `message` says what was seen in one plain line, and `shown` in numbers."""

    outcome: str
    message: str = ""
    shown: Shown = field(default=Shown(), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", text.message(self.message))


@dataclass(frozen=True)
class Conclusion:
    """A check's last word over the whole bake, which its single samples do not tell: FAIL or INCONCLUSIVE."""

    verdict: str
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", text.message(self.message))


class Judge(Protocol):
    """Makes samples of what was seen, and a last word of all samples."""

    @property
    def value(self) -> str | float | None:
        """What is judged, as a number to show."""

    @property
    def limit(self) -> str | float | None:
        """What it is held to."""

    @property
    def unit(self) -> str:
        """Of both; '' for none."""

    @property
    def evidence(self) -> float | None:
        """That against the canary, of a comparison; None for other judges."""

    def decided(self) -> Conclusion | None:
        """A failure that ends the bake, whatever comes; None without one."""

    def conclude(self) -> Conclusion | None:
        """The last word at the end of the bake; None when the samples say it all, or for a pass."""

    def summary(self) -> str:
        """What the samples came to, in numbers with their units; asked after the last word."""


class Check(Judge, Protocol):
    """One check at work. It never blocks for long: what takes time is begun, and collected when it is there."""

    def begin(self) -> None:
        """Begin to take a sample."""

    def collect(self) -> Sequence[Sample] | None:
        """The samples that came of it, none or several; None while it is under way."""

    def details(self) -> Sequence[str]:
        """Lines for the reports."""

    def close(self) -> None:
        """End what is under way."""
