"""Where a stage is stopped or held: in which step, and at which of its calls."""

from __future__ import annotations

from dataclasses import dataclass

from tests.chaos.faults import Gate
from tests.chaos.proxy import Call
from tests.chaos.scenarios import SCENARIOS, Scenario


@dataclass(frozen=True)
class Place:
    """A call of a stage. `sampled`: it is among those that `make test` tries."""

    scenario: str
    step: str
    operation: str
    number: int = 1
    after: bool = False
    sampled: bool = False

    def __str__(self) -> str:
        when = "after" if self.after else "before"
        return f"{self.scenario}-{self.step}-{when} {self.operation} {self.number}"

    @property
    def gate(self) -> Gate:
        """Holds the call."""
        return Gate(Call(self.operation, self.number), self.after)

    @property
    def stage(self) -> Scenario:
        """The stage and the state that it begins with."""
        return next(scenario for scenario in SCENARIOS if scenario.name == self.scenario)
