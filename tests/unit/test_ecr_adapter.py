"""Amazon ECR over the wire: which registry is asked, when a digest is looked up, and answers that are none of AWS'."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ecs_pipeline.aws.ecr import Ecr
from ecs_pipeline.aws.session import AwsError
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.release import EcrRegistry, Repository
from tests.unit.aws_stub import REGION, AwsStub, ok, refused, session
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import Answer

DIGEST = "sha256:" + "1" * 64
TOOLS = EcrRegistry("210987654321", "eu-west-1")
NOT_FOUND = refused("ImageNotFoundException", "no image")


@pytest.fixture
def ecr(aws: AwsStub) -> Ecr:
    clock = RecordingClock()
    return Ecr(session(clock), clock)


def test_a_digest_is_taken_where_its_account_does_not_let_us_look(aws: AwsStub, ecr: Ecr) -> None:
    aws.on("DescribeImages", refused("AccessDeniedException", "no resource-based policy allows it"))
    assert ecr.digest("web", digest=DIGEST, registry=TOOLS) == DIGEST
    with pytest.raises(AwsError, match="AccessDeniedException"):
        ecr.digest("web", tag="v1", registry=TOOLS)


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


def image(**members: Any) -> Any:
    return ok({"imageDetails": [{"imageDigest": DIGEST, **members}]})


def regions(aws: AwsStub, operation: str) -> set[str]:
    """The regions that the requests were signed for."""
    return {request.headers["authorization"].split("/")[2] for request in aws.asked(operation)}


@pytest.mark.parametrize(
    ("registry", "named", "region"),
    [
        (EcrRegistry(), {}, REGION),
        (EcrRegistry("210987654321"), {"registryId": "210987654321"}, REGION),
        (TOOLS, {"registryId": "210987654321"}, "eu-west-1"),
    ],
)
def test_the_registry_that_is_meant_is_asked(
    aws: AwsStub, ecr: Ecr, registry: EcrRegistry, named: dict[str, str], region: str
) -> None:
    aws.on("DescribeRepositories", ok({"repositories": [{"repositoryUri": "host/web"}]}))
    aws.on("DescribeImages", image())
    aws.on("GetAuthorizationToken", ok({"authorizationData": [{"authorizationToken": "QVdTOnNlY3JldA=="}]}))
    assert ecr.repository("web", registry) == Repository("web", "host/web", registry)
    assert ecr.digest("web", tag="v1", registry=registry) == DIGEST
    assert ecr.credentials(registry) == ("AWS", "secret")
    assert aws.asked("DescribeRepositories")[0].json == {"repositoryNames": ["web"], **named}
    assert aws.asked("DescribeImages")[0].json == {"repositoryName": "web", "imageIds": [{"imageTag": "v1"}], **named}
    for operation in ("DescribeRepositories", "DescribeImages", "GetAuthorizationToken"):
        assert regions(aws, operation) == {region}


@pytest.mark.parametrize("status", ["ARCHIVED", "ACTIVATING"])
def test_an_image_in_the_archive_is_told_as_that_with_the_way_back(aws: AwsStub, ecr: Ecr, status: str) -> None:
    aws.on("DescribeImages", NOT_FOUND, image(imageStatus=status))
    with pytest.raises(InvalidInput, match=f"image v1 of ECR repository web is {status}; .*update-image-storage-class"):
        ecr.digest("web", tag="v1")
    assert aws.asked("DescribeImages")[1].json["filter"] == {"imageStatus": "ANY"}


def test_an_image_that_is_nowhere_is_none(aws: AwsStub, ecr: Ecr) -> None:
    aws.on("DescribeImages", NOT_FOUND)
    assert ecr.digest("web", tag="v1") == ""


def test_a_registry_that_knows_no_archive_is_asked_in_vain(aws: AwsStub, ecr: Ecr) -> None:
    aws.on("DescribeImages", NOT_FOUND, refused("InvalidParameterException", "unknown filter"))
    assert ecr.digest("web", tag="v1") == ""


def test_a_repository_that_is_not_there_is_asked_once(aws: AwsStub, ecr: Ecr) -> None:
    aws.on("DescribeImages", refused("RepositoryNotFoundException"))
    assert ecr.digest("web", tag="v1") == ""
    assert len(aws.asked("DescribeImages")) == 1
