"""What many unit tests of the adapters begin with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecs_pipeline.aws.session import AwsClient
from tests.unit.aws_stub import AwsStub, aws_stub, session
from tests.unit.clocks import RecordingClock


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStub]:
    with aws_stub(monkeypatch) as stub:
        yield stub


@pytest.fixture
def clock() -> RecordingClock:
    return RecordingClock()


@pytest.fixture
def ecs(aws: AwsStub, clock: RecordingClock) -> AwsClient:
    return session(clock).client("ecs")
