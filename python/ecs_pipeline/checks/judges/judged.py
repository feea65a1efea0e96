"""A check whose samples are handed to a judge, which has the last word."""

from __future__ import annotations

from collections.abc import Sequence

from ecs_pipeline.checks.sample import Conclusion, Judge


class Judged:
    """What a check tells of its judge."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    @property
    def value(self) -> str | float | None:
        """What is judged."""
        return self._judge.value

    @property
    def limit(self) -> str | float | None:
        """What it is held to."""
        return self._judge.limit

    @property
    def unit(self) -> str:
        """Of both."""
        return self._judge.unit

    @property
    def evidence(self) -> float | None:
        """That against the canary."""
        return self._judge.evidence

    def decided(self) -> Conclusion | None:
        """A failure that ends the bake."""
        return self._judge.decided()

    def conclude(self) -> Conclusion | None:
        """The judge's last word."""
        return self._judge.conclude()

    def summary(self) -> str:
        """What the samples came to."""
        return self._judge.summary()

    def details(self) -> Sequence[str]:
        """Nothing more than the message."""
        return ()

    def close(self) -> None:
        """Nothing is left under way."""
