"""Whose doing the end of a task is: AWS' own (Spot, infrastructure, a throttle, no place), or the task's. Pure."""

from __future__ import annotations

import re

from ecs_pipeline.model import placement
from ecs_pipeline.model.release import Task

TAKEN_AWAY = frozenset(("SpotInterruption", "TerminationNotice", "InfrastructureHealth"))
"""Stop codes of AWS' own (Amazon ECS API reference, data type Task: stopCode)."""
NOT_STARTED = "TaskFailedToStart"
OF_AWS = re.compile(
    r"toomanyrequests|429 Too Many Requests|pull rate limit|Rate exceeded|Throttling"
    r"|[Tt]imeout wait(?:ing)? for (?:network interface|EphemeralStorage)|Rate limit exceeded while preparing network"
    r"|Unexpected EC2 error|Internal ?(?:Server)?Error|Host EC2 \(instance [^)]*\)"
)
"""In the reason of a task that did not start: a throttle of a registry or of AWS, a network interface that came late.

Amazon ECS Developer Guide, "Stopped task error messages" and "CannotPullContainer task errors".
"""


def taken_away(task: Task) -> str:
    """Why AWS took the task away or did not start it, through no fault of its own; '' when that is not so."""
    reasons = [task.stopped_reason, *(container.reason for container in task.containers)]
    told = next((reason for reason in reasons if OF_AWS.search(reason)), "")
    if not told and not any(container.exit_code for container in task.containers):
        told = next(
            (reason for reason in reasons if placement.UNPLACED.search(reason) and placement.may_pass(reason)), ""
        )
    if task.stop_code in TAKEN_AWAY or (task.stop_code == NOT_STARTED and told):
        return f"{task.stop_code}: {told or task.stopped_reason}".rstrip(": ")
    return ""


def failed(task: Task) -> bool:
    """Whether a task of a service ended by its own fault: by itself, or by ECS for its health; not scaled in."""
    if taken_away(task):
        return False
    if task.stop_code in ("EssentialContainerExited", NOT_STARTED):
        return True
    return task.stop_code == "ServiceSchedulerInitiated" and "health" in task.stopped_reason
