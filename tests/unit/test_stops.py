"""Whose doing the end of a task is: what AWS takes away is not the release's failure."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.model import stops
from ecs_pipeline.model.release import Container
from tests.unit.facts import crashed, task

THROTTLED = (
    "CannotPullContainerError: pull image manifest has been retried 5 time(s): toomanyrequests: "
    "You have reached your pull rate limit"
)


def stopped(code: str, reason: str = "", **members: Any) -> Any:
    return task("t1", status="STOPPED", desired_status="STOPPED", stop_code=code, stopped_reason=reason, **members)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("SpotInterruption", "Your Spot Task was interrupted."),
        ("TerminationNotice", "Your Spot Task was interrupted."),
        ("InfrastructureHealth", ""),
        ("TaskFailedToStart", THROTTLED),
        ("TaskFailedToStart", "Timeout waiting for network interface provisioning to complete."),
        ("TaskFailedToStart", "Timeout waiting for EphemeralStorage provisioning to complete."),
        ("TaskFailedToStart", "Rate limit exceeded while preparing network interface to be attached to instance"),
        ("TaskFailedToStart", "Unexpected EC2 error while attempting to Create Network Interface"),
        (
            "TaskFailedToStart",
            "ResourceInitializationError: unable to pull secrets: ThrottlingException: Rate exceeded",
        ),
        ("TaskFailedToStart", "RESOURCE:MEMORY"),
        ("TaskFailedToStart", "Capacity is unavailable at this time."),
        ("TaskFailedToStart", "Host EC2 (instance i-0123456789) terminated."),
    ],
)
def test_what_aws_does_is_told_as_that_and_counts_as_no_failure(code: str, reason: str) -> None:
    ended = stopped(code, reason)
    assert stops.taken_away(ended) == f"{code}: {reason}".rstrip(": ")
    assert not stops.failed(ended)


def test_the_throttle_may_be_told_by_the_container_alone() -> None:
    container = Container("app", "STOPPED", reason=THROTTLED)
    ended = stopped("TaskFailedToStart", "Task failed to start", containers=(container,))
    assert "toomanyrequests" in stops.taken_away(ended)


@pytest.mark.parametrize(
    ("code", "reason", "failed"),
    [
        ("TaskFailedToStart", "CannotPullContainerError: manifest unknown", True),
        ("TaskFailedToStart", "ATTRIBUTE", True),
        ("TaskFailedToStart", "ResourceInitializationError: unable to pull secrets: AccessDeniedException", True),
        ("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group web)", True),
        ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment 1)", False),
        ("UserInitiated", "enough", False),
    ],
)
def test_the_end_of_a_task_by_anything_else_is_not_aws_doing(code: str, reason: str, failed: bool) -> None:  # noqa: FBT001
    ended = stopped(code, reason)
    assert stops.taken_away(ended) == ""
    assert stops.failed(ended) is failed


def test_a_task_that_crashed_is_its_own_doing_whatever_it_prints() -> None:
    ended = crashed("t1", stopped_reason="Essential container exited, Rate exceeded")
    assert stops.taken_away(ended) == ""
    assert stops.failed(ended)
