"""What every judge has, whatever it is given to judge by."""

from __future__ import annotations

from typing import Protocol

from ecs_pipeline.checks.sample import Conclusion


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


class Undecided:
    """A judge that leaves it to the samples to end a bake."""

    evidence: float | None = None

    def decided(self) -> Conclusion | None:
        """Never."""
        return None
