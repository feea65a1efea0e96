"""What a scan of an image found, as ECR tells it: basic or enhanced, one form for both. Pure.

ECR API Reference, data types ImageScanStatus, ImageScanFinding and EnhancedImageScanFinding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
"""The worst first. ECR has others beside (UNDEFINED, UNTRIAGED): what nobody rated counts as the least of these."""
UNDER_WAY, DONE = frozenset(("PENDING", "IN_PROGRESS")), frozenset(("COMPLETE", "ACTIVE"))
MOST_NAMED = 20
"""Findings that a message names."""


@dataclass(frozen=True)
class Finding:
    """A vulnerability by its name, mostly a CVE."""

    name: str
    severity: str


@dataclass(frozen=True)
class ImageScan:
    """The state of a scan. `complete`: its findings are all there. `counts` are ECR's own, where it tells them."""

    status: str
    description: str = ""
    complete: bool = False
    findings: Sequence[Finding] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def under_way(self) -> bool:
        """Whether an end is to be waited for; a scan that is done may still gather what it found."""
        return self.status in UNDER_WAY or (self.status in DONE and not self.complete)

    @property
    def done(self) -> bool:
        """Whether it ended, and what it found can be believed."""
        return self.status in DONE and self.complete

    @property
    def by_severity(self) -> dict[str, int]:
        """How many findings there are of each severity, the worst first."""
        listed = Counter(finding.severity for finding in self.findings)
        found = {severity: max(listed[severity], self.counts.get(severity, 0)) for severity in {*listed, *self.counts}}
        return {severity: found[severity] for severity in sorted(found, key=rank) if found[severity]}

    def at_least(self, severity: str) -> dict[str, int]:
        """How many there are of this severity and of worse ones."""
        return {name: count for name, count in self.by_severity.items() if rank(name)[0] <= rank(severity)[0]}

    def named(self, severity: str) -> list[str]:
        """A line for each finding of this severity and worse, the worst first, and for how many more there are."""
        counted = sum(self.at_least(severity).values())
        worse = [finding for finding in self.findings if rank(finding.severity)[0] <= rank(severity)[0]]
        names = sorted({(rank(finding.severity), finding.name) for finding in worse})[:MOST_NAMED]
        lines = [f"{severity} {name}" for (_, severity), name in names]
        return [*lines, f"and {counted - len(lines)} more"] if counted > len(lines) else lines


def rank(severity: str) -> tuple[int, str]:
    """Where a severity stands, the worst first; with its name, so that two of one rank have an order."""
    known = severity if severity in SEVERITIES else SEVERITIES[-1]
    return SEVERITIES.index(known), severity


def counted(counts: Mapping[str, int]) -> str:
    """Counts in words: `2 CRITICAL, 1 HIGH`."""
    return ", ".join(f"{count} {severity}" for severity, count in counts.items()) or "nothing"
