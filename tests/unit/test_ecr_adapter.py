"""Amazon ECR over the wire: when a digest has to be looked up, and answers that are none of AWS'."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from ecs_pipeline.aws.ecr import Ecr
from ecs_pipeline.aws.session import AwsError
from tests.unit.aws_stub import AwsStub, aws_stub, ok, refused, session
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import Answer

DIGEST = "sha256:" + 64 * "a"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStub]:
    with aws_stub(monkeypatch) as stub:
        yield stub


@pytest.fixture
def ecr(aws: AwsStub) -> Ecr:
    clock = RecordingClock()
    return Ecr(session(clock), clock)


def test_a_digest_is_taken_where_its_account_does_not_let_us_look(aws: AwsStub, ecr: Ecr) -> None:
    aws.on("DescribeImages", refused("AccessDeniedException", "no resource-based policy allows it"))
    assert ecr.digest("web", digest=DIGEST, account="210987654321") == DIGEST
    with pytest.raises(AwsError, match="AccessDeniedException"):
        ecr.digest("web", tag="v1", account="210987654321")


def test_a_digest_that_the_repository_does_not_have_is_none(aws: AwsStub, ecr: Ecr) -> None:
    aws.on("DescribeImages", refused("ImageNotFoundException"))
    assert ecr.digest("web", digest=DIGEST) == ""


@pytest.mark.parametrize(
    "answer",
    [
        ok({}),
        ok({"authorizationData": []}),
        ok({"authorizationData": [{}]}),
        ok({"authorizationData": [{"authorizationToken": "no base64"}]}),
        ok({"authorizationData": [{"authorizationToken": base64.b64encode(b"\xff:x").decode()}]}),
    ],
)
def test_a_token_that_is_none_is_trouble(aws: AwsStub, ecr: Ecr, answer: Answer) -> None:
    aws.on("GetAuthorizationToken", answer)
    with pytest.raises(AwsError, match=r"^ecr:GetAuthorizationToken: .*what answers is not AWS; check AWS_"):
        ecr.credentials()


def test_a_repository_without_its_members_is_trouble(aws: AwsStub, ecr: Ecr) -> None:
    aws.on("DescribeRepositories", ok({"repositories": [{}]}))
    with pytest.raises(AwsError, match="the answer has no repositoryUri"):
        ecr.repository("web")
