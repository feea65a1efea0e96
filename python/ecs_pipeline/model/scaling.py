"""What of a service's automatic scaling is suspended, as Application Auto Scaling tells it and as a tag says it. Pure.

Application Auto Scaling API Reference, data type SuspendedState.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecs_pipeline.model import tag_values


@dataclass(frozen=True)
class Suspended:
    """Which scaling activities of a service are suspended: dynamic scaling in and out, and scheduled scaling."""

    scale_in: bool = False
    scale_out: bool = False
    scheduled: bool = False

    def __str__(self) -> str:
        """As the tag says it; a tag may hold neither commas nor quotes."""
        flags = {"in": self.scale_in, "out": self.scale_out, "scheduled": self.scheduled}
        return " ".join(f"{name}={'yes' if suspended else 'no'}" for name, suspended in flags.items())


ALL = Suspended(scale_in=True, scale_out=True, scheduled=True)


def told(before: str) -> str:
    """What `status` says of a service whose tag says what was suspended before."""
    return f"held by a promotion; suspended before: {before}"


def parse(value: str) -> Suspended | None:
    """What a tag says; None when it is empty, or when nobody of us can have written it."""
    found = tag_values.SCALING.fullmatch(value)
    return Suspended(*(flag == "yes" for flag in found.groups())) if found else None
