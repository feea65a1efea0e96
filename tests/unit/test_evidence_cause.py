"""What helps to understand a failure: which container is the cause, and how much of its log is shown."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.engine import evidence
from ecs_pipeline.model.release import Container
from tests.fakes.ports import new_run
from tests.fakes.telemetry import FakeLogs
from tests.fakes.world import World
from tests.unit.facts import definition, task

WHOLE = definition(
    containerDefinitions=[
        {"name": "app"},
        {"name": "proxy"},
        {"name": "metrics", "essential": False},
    ]
)


def ended(name: str, code: int | None = None, reason: str = "") -> Container:
    return Container(name, "STOPPED", exit_code=code, reason=reason)


@pytest.mark.parametrize(
    ("containers", "name"),
    [
        ([ended("metrics", 1), ended("app", 3)], "app"),
        ([ended("metrics", 1), ended("app", 137)], "app"),
        ([ended("app", 137), ended("proxy", 1)], "proxy"),
        ([ended("app", 143), ended("proxy", 0, "CannotPullContainerError: no such tag")], "proxy"),
        ([ended("proxy", 137), ended("app", 137, "OutOfMemoryError: Container killed")], "app"),
        ([ended("proxy", 2), ended("app", 2)], "app"),
        ([ended("aws-guardduty-agent-x1", 1), ended("app", 137)], "app"),
        ([ended("something-that-aws-adds", 1), ended("app", 143)], "app"),
        ([ended("something-that-aws-adds", 1), ended("app", 0)], None),
        ([ended("app", 0), ended("proxy", 0)], None),
        ([], None),
    ],
)
def test_the_cause_is_the_essential_or_released_container_that_failed_first(
    containers: list[Container], name: str | None
) -> None:
    found = evidence.culprit(task(containers=tuple(containers)), WHOLE, "app")
    assert (found.name if found else None) == name


def test_without_the_definition_what_aws_adds_is_known_by_its_name() -> None:
    containers = (ended("aws-guardduty-agent-x1", 1), ended("app", 3))
    assert evidence.first_cause(task(containers=containers, stop_code="EssentialContainerExited")) == (
        "EssentialContainerExited (app: exit code 3)"
    )


class Logs(FakeLogs):
    """Remembers whose log was read, and how much of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int]] = []

    def tail(self, task: Any, definition: Any, container: str, lines: int = 20) -> list[str]:
        self.asked.append((container, lines))
        return ["hunter2"]


def of_task(settings: dict[str, Any]) -> tuple[list[str], Any, Logs]:
    run = new_run(World(), "canary", [], settings)
    logs = Logs()
    object.__setattr__(run, "logs", logs)
    containers = (ended("app", 137), ended("proxy", 1))
    return evidence.of_task(run, task(containers=containers), WHOLE, "app"), run, logs


def test_the_log_is_that_of_the_cause() -> None:
    lines, run, logs = of_task({})
    assert logs.asked == [("proxy", 20)]
    assert "last lines of proxy:" in lines
    assert run.recorder.record.log_tail == ["proxy of task t1", "hunter2"]


def test_log_lines_may_be_left_out() -> None:
    """They may hold what is nobody's business, and reports are kept and sent around."""
    lines, run, logs = of_task({"reports": {"log_lines": 0}})
    assert logs.asked == []
    assert "hunter2" not in "".join(lines)
    assert run.recorder.record.log_tail == []


def test_there_may_be_fewer_of_them() -> None:
    assert of_task({"reports": {"log_lines": 3}})[2].asked == [("proxy", 3)]
