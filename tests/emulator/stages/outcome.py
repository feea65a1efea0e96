"""How a command ended on the embedded AWS: its exit code, its lines, its reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree


@dataclass
class Outcome:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str
    report: Mapping[str, Any]
    junit: Path

    def step(self, name: str) -> str:
        """The outcome of a step."""
        return next(str(step["outcome"]) for step in self.report["steps"] if step["name"] == name)

    def message(self, name: str) -> str:
        """The line of a step."""
        return next(str(step["message"]) for step in self.report["steps"] if step["name"] == name)

    def check(self, name: str) -> Mapping[str, Any]:
        """What the report says of a check."""
        return next(check for check in self.report["checks"] if check["name"] == name)

    def verdicts(self) -> dict[str, str]:
        """The verdict of each check."""
        return {str(check["name"]): str(check["verdict"]) for check in self.report["checks"]}

    def cases(self) -> dict[str, str]:
        """JUnit cases and what each of them is: passed, failure, error or skipped."""
        return {name: result.tag if result is not None else "passed" for name, result in self._results().items()}

    def case_message(self, name: str) -> str:
        """The first line of what a JUnit case failed of or was skipped for."""
        result = self._results()[name]
        return str(result.get("message")) if result is not None else ""

    def _results(self) -> dict[str, Any]:
        """The element beside each case's name that says how it ended; None when it passed."""
        cases = etree.parse(self.junit).getroot().iter("testcase")
        kinds = ("failure", "error", "skipped")
        return {
            str(case.get("name")): next((element for element in case if element.tag in kinds), None) for case in cases
        }
