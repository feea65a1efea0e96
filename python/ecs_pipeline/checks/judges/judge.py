"""What judges have in common that leave it to the samples to end a bake."""

from __future__ import annotations

from ecs_pipeline.checks.sample import Conclusion


class Undecided:
    """A judge that leaves it to the samples to end a bake."""

    evidence: float | None = None

    def decided(self) -> Conclusion | None:
        """Never."""
        return None
