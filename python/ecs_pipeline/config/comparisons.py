"""What a check may say of a comparison with other tasks (docs/judging.md)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from ecs_pipeline.config.types import Percentage, Section

BASELINE, STABLE = "baseline", "stable"
"""What a canary may be compared with: one fresh task of the stable revision, or the service's own tasks."""

LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.9999


class ComparedSection(Section):
    """The canary like others: `tolerance` and `detect` are parts of their value, `confidence` a probability."""

    compare: Literal["baseline", "stable"] | None = None
    tolerance: Percentage = Field(0.25, description="so much worse than the others is tolerated")
    detect: Percentage = Field(0.5, gt=0, description="a pass rules out: worse by more than tolerance and this")
    confidence: Percentage = Field(0.95, description="one minus the share of false alarms that may be")

    only_compared: ClassVar[tuple[str, ...]] = ("tolerance", "detect", "confidence")
    """Keys that mean something in a comparison only."""

    @property
    def line(self) -> float:
        """The evidence that fails a canary: 20 for a confidence of 95%."""
        return round(1 / (1 - self.confidence), 6)

    @model_validator(mode="after")
    def _told_of_a_comparison(self) -> ComparedSection:
        given = [key for key in self.only_compared if key in self.model_fields_set]
        if given and not self.compare:
            raise ValueError(f"{' and '.join(given)} belong to a comparison; add `compare: stable` or leave them out")
        return self

    @model_validator(mode="after")
    def _sure_enough(self) -> ComparedSection:
        if not LEAST_CONFIDENCE <= self.confidence <= MOST_CONFIDENCE:
            raise ValueError(
                f"confidence {100 * self.confidence:g}%: it is between "
                f"{100 * LEAST_CONFIDENCE:g}% and {100 * MOST_CONFIDENCE:g}%; write 95%"
            )
        return self
