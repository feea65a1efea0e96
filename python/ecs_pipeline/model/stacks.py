"""CloudFormation's facts: a stack, and what a change set would do to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Stack:
    """A stack; `parameters` are those that it was given last."""

    name: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def planned(self) -> bool:
        """There is only a change set that would make it; an earlier run ended before it was carried out."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def settled(self) -> bool:
        """Nothing is going on."""
        return not self.status.endswith("_IN_PROGRESS") or self.planned


def is_new(stack: Stack | None) -> bool:
    """True when there is no stack yet, or only a change set that would make it."""
    return stack is None or stack.planned


@dataclass(frozen=True)
class Change:
    """One line of a change set."""

    action: str
    resource: str
    kind: str
    replacement: str = ""

    def __str__(self) -> str:
        replaced = " (replaced)" if self.replacement == "True" else ""
        return f"{self.action.lower():<7} {self.resource} ({self.kind}){replaced}"


@dataclass(frozen=True)
class ChangeSet:
    """A change set as described; `empty` when it would change nothing."""

    status: str
    reason: str
    changes: tuple[Change, ...]

    @property
    def empty(self) -> bool:
        """AWS makes it FAILED when there is nothing to change."""
        return self.status == "FAILED" and any(text in self.reason for text in NO_CHANGES)


class StackPort(Protocol):
    """One stack; see aws/cloudformation.py."""

    name: str

    def stack(self) -> Stack | None:
        """The stack, None when there is none."""

    def template(self) -> str:
        """The text that it was made from."""

    def create_change_set(
        self, name: str, template: str, parameters: Sequence[Mapping[str, Any]], *, new: bool
    ) -> None:
        """Prepare a change set."""

    def change_set(self, name: str) -> ChangeSet:
        """What it would do."""

    def execute(self, name: str) -> None:
        """Do it."""

    def drop_change_set(self, name: str) -> None:
        """Drop it."""

    def delete(self) -> None:
        """Delete the stack."""

    def events(self, since: datetime) -> list[tuple[str, str]]:
        """(id, line) of its events since a time."""


class NetworkPort(Protocol):
    """The default network; see aws/ec2.py."""

    def default_network(self) -> tuple[str, list[str]] | None:
        """(VPC, subnets)."""
