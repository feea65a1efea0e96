"""Rolling deployments of a service: gated by health, drained before they stop, given up and rolled back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import fetch, wait_for

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def test_no_request_is_lost_while_a_service_rolls_over(environment: Environment) -> None:
    """ECS deregisters an old task and lets it drain before it stops it (Developer Guide, task lifecycle)."""
    environment.create_service(environment.register("v1"), count=2)
    environment.wait_until_stable()
    answers: list[tuple[int, str]] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            answers.append(fetch(f"{environment.url}/"))

    client = threading.Thread(target=ask)
    client.start()
    environment.update(taskDefinition=environment.register("v2"))
    slow = fetch(f"{environment.url}/slow")
    environment.wait_until_stable()
    is_over.set()
    client.join()
    assert slow[0] == 200
    assert {status for status, _ in answers} == {200}
    assert {body for _, body in answers} == {"v1", "v2"}
    assert fetch(f"{environment.url}/") == (200, "v2")
