"""Why a task was not placed: told in words, with the task's own figures, and known to pass or not."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.model import placement

FULL = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
UNABLE = "(service web) was unable to place a task because no container instance met all of its requirements."
CLOSEST = f"{UNABLE} The closest matching"


@pytest.mark.parametrize(
    ("reason", "definition", "words"),
    [
        ("RESOURCE:MEMORY", {"memory": "512"}, "no container instance has enough memory for the task's 512 MiB"),
        (
            "RESOURCE:MEMORY",
            {"containerDefinitions": [{"memoryReservation": 100, "memory": 300}, {"memory": 50}]},
            "no container instance has enough memory for the task's 150 MiB",
        ),
        ("RESOURCE:CPU", {"cpu": "256"}, "no container instance has enough CPU for the task's 256 units"),
        (
            "RESOURCE:PORTS",
            {"containerDefinitions": [{"portMappings": [{"hostPort": 8080}, {"hostPort": 0}, {"containerPort": 5}]}]},
            "on every container instance a task has the host port already: 8080",
        ),
        (
            "RESOURCE:PORTS",
            {"networkMode": "host", "containerDefinitions": [{"portMappings": [{"containerPort": 5}]}]},
            "on every container instance a task has the host port already: 5",
        ),
        ("RESOURCE:ENI", {}, "no container instance can take another network interface"),
        ("RESOURCE:GPU", {}, "no container instance has enough GPU left"),
        ("AGENT", {}, "the agent of the container instance is not connected"),
        ("AGENT gone", {}, "the agent of the container instance is not connected"),
        (
            "MemberOf placement constraint unsatisfied.",
            {},
            "no container instance satisfies the placement constraint memberOf",
        ),
        ("ATTRIBUTE", {}, "no container instance has an attribute that the task definition requires"),
    ],
)
def test_a_code_is_told_in_words_and_stays_to_be_searched_for(
    reason: str, definition: dict[str, Any], words: str
) -> None:
    assert placement.explained(reason, definition) == f"{words} ({reason})"


def test_words_of_aws_stay_as_they_are() -> None:
    assert placement.explained(FULL, {}) == FULL


@pytest.mark.parametrize(
    "reason",
    [
        "RESOURCE:MEMORY",
        "RESOURCE:PORTS",
        "AGENT",
        FULL,
        "EMPTY CAPACITY PROVIDER",
        f"{CLOSEST} (container-instance 1) has insufficient memory available.",
        f'{CLOSEST} (container-instance 1) encountered error "AGENT".',
        "(service web) was unable to place a task. Reason: TaskFailedToStart: RESOURCE:GPU.",
    ],
)
def test_what_comes_and_goes_may_pass(reason: str) -> None:
    assert placement.may_pass(reason)


@pytest.mark.parametrize(
    "reason",
    [
        "ATTRIBUTE",
        "LOCATION",
        "TaskFailedToStart: MemberOf placement constraint unsatisfied",
        f"{CLOSEST} (container-instance 1) is missing an attribute required by your task.",
        "(service web) was unable to place a task. Reason: The requested MEMORY configuration is above your limit.",
        "(service web) failed to launch a task with (error ECS was unable to assume the role 'arn' that was provided).",
    ],
)
def test_what_nothing_but_a_change_cures_does_not(reason: str) -> None:
    assert not placement.may_pass(reason)
