"""What was tried and how it ended: lines, a table, and the sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Result:
    """One fault that was tried; no problems: the stage recovered."""

    scenario: str
    kind: str
    at: str
    problems: list[str] = field(default_factory=list)

    @property
    def recovered(self) -> bool:
        """Whether AWS ended as without the fault."""
        return not self.problems

    def __str__(self) -> str:
        word = "recovered" if self.recovered else f"NOT RECOVERED: {'; '.join(self.problems)}"
        return f"{self.scenario}, {self.kind} at {self.at}: {word}"

    def as_json(self) -> dict[str, Any]:
        """Plain data: test processes hand it to the one that prints."""
        return asdict(self)


def table(results: Sequence[Result]) -> str:
    """A row a stage, a column a kind of fault: how many were tried and, where that differs, how many recovered."""
    kinds = list(dict.fromkeys(result.kind for result in results))
    lines = ["| stage | " + " | ".join(kinds) + " |", "|---|" + "---:|" * len(kinds)]
    for scenario in dict.fromkeys(result.scenario for result in results):
        cells = [
            _cell([result for result in results if (result.scenario, result.kind) == (scenario, kind)])
            for kind in kinds
        ]
        lines.append(f"| {scenario} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(tried: Sequence[Result]) -> str:
    recovered = sum(result.recovered for result in tried)
    if not tried:
        return ""
    return str(recovered) if recovered == len(tried) else f"{recovered} of {len(tried)}"


def total(results: Sequence[Result]) -> str:
    """The sum."""
    return f"{len(results)} faults tried, {sum(result.recovered for result in results)} recovered"
