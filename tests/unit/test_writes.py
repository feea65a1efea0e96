"""Which calls of AWS count as a change: those that were carried out, or may have been."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from ecs_pipeline.aws.session import AwsClient
from ecs_pipeline.aws.writes import PREPARATIONS, READS, notice_writes
from ecs_pipeline.errors import Trouble
from tests.contract.iam_page import LOOKS_UP, OF_THE_STAGES, PROVISION_ONLY, PRUNE_ONLY, called
from tests.unit.aws_stub import AwsStub, ok, refused, session
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import NO_ANSWER, Answer


def changed(client: AwsClient, operation: str, **parameters: Any) -> bool:
    """Whether a call was noticed as a change."""
    noticed: list[bool] = []
    notice_writes(client, lambda: noticed.append(True))
    with suppress(Trouble):
        client.call(operation, once=True, **parameters)
    return bool(noticed)


def test_a_write_that_was_carried_out_is_a_change(aws: AwsStub) -> None:
    assert changed(session(RecordingClock()).client("ecs"), "StopTask", task="t")


@pytest.mark.parametrize("answer", [NO_ANSWER, Answer(502, b"<html>gateway"), refused("ServerException", status=500)])
def test_a_write_that_may_have_been_carried_out_is_one_too(aws: AwsStub, answer: Answer) -> None:
    aws.on("StopTask", answer)
    assert changed(session(RecordingClock()).client("ecs"), "StopTask", task="t")


@pytest.mark.parametrize("answer", [refused("AccessDeniedException"), refused("ThrottlingException"), Answer(429, b"")])
def test_a_write_that_was_refused_is_none(aws: AwsStub, answer: Answer) -> None:
    aws.on("StopTask", answer)
    assert not changed(session(RecordingClock()).client("ecs"), "StopTask", task="t")


def test_a_write_that_reached_nobody_is_none(aws: AwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert not changed(session(RecordingClock()).client("ecs"), "StopTask", task="t")


def test_a_read_is_none(aws: AwsStub) -> None:
    aws.on("DescribeClusters", ok({}))
    assert not changed(session(RecordingClock()).client("ecs"), "DescribeClusters")


def test_every_operation_that_the_package_calls_is_a_read_or_a_write_by_its_name() -> None:
    modules = OF_THE_STAGES | PROVISION_ONLY | PRUNE_ONLY | LOOKS_UP
    operations = {action.partition(":")[2] for action in called(modules)}
    writes = {operation for operation in operations if not operation.startswith(READS)} - set(PREPARATIONS)
    assert writes == {
        "BatchDeleteImage",
        "DeleteStack",
        "DeregisterTargets",
        "DeregisterTaskDefinition",
        "ExecuteChangeSet",
        "RegisterTargets",
        "RegisterTaskDefinition",
        "RunTask",
        "StopTask",
        "TagResource",
        "UntagResource",
        "UpdateService",
    }
