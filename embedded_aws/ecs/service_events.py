"""What a service says about itself, in ECS' own words.

Developer Guide, "Amazon ECS service event messages".
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from embedded_aws.ecs.records import Record

_KEPT = 100
UNABLE_TO_START = (
    "is unable to consistently start tasks successfully. "
    "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
)
STEADY = "has reached a steady state."


def add(service: Record, text: str) -> None:
    """Add an event to a service, newest first."""
    event = {
        "id": str(uuid.uuid4()),
        "createdAt": time.time(),
        "message": f"(service {service['serviceName']}) {text}",
    }
    service["events"] = [event, *service["events"]][:_KEPT]


def add_once(service: Record, text: str) -> None:
    """Add an event unless the last one says the same: what goes on is told once until its cause is gone.

    Guide, "Viewing service event messages": "duplicate event messages are omitted until either the cause is resolved or
    six hours passes".
    """
    if not service["events"] or not service["events"][0]["message"].endswith(f") {text}"):
        add(service, text)


def add_for_tasks(service: Record, verb: str, noun: str, tasks: Iterable[Record]) -> None:
    """Add an event that names tasks, such as "has started 2 tasks: (task …) (task …)."."""
    ids = [task["taskArn"].rpartition("/")[2] for task in tasks]
    if ids:
        names = " ".join(f"(task {each})" for each in ids)
        add(service, f"{verb} {len(ids)} {noun}: {names}.")
