"""What `prune` asks AWS, over the wire: all pages of EventBridge, and which failures of BatchDeleteImage are none."""

from __future__ import annotations

import pytest

from ecs_pipeline.aws.event_rules import EventRules
from ecs_pipeline.aws.stored_images import StoredImages
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import EcrRegistry, Repository, RevisionUse
from tests.unit.aws_stub import AwsStub, ok, session
from tests.unit.clocks import RecordingClock

DIGEST = "sha256:" + "1" * 64
CLUSTER = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/prd"


def images() -> StoredImages:
    return StoredImages(session(RecordingClock()).client("ecr"), Repository("web", "r/web", EcrRegistry("2" * 12)))


def test_every_page_of_rules_is_read_and_targets_of_no_task_are_passed_over(aws: AwsStub) -> None:
    aws.on("ListRuleNamesByTarget", ok({"RuleNames": ["a"], "NextToken": "t"}), ok({"RuleNames": ["b"]}))
    runs = {"Id": "1", "Arn": CLUSTER, "EcsParameters": {"TaskDefinitionArn": "web:3"}}
    aws.on("ListTargetsByRule", ok({"Targets": [{"Id": "0", "Arn": "arn:aws:sns:x"}]}), ok({"Targets": [runs]}))
    rules = EventRules(session(RecordingClock()).client("events"))
    assert list(rules.uses(CLUSTER)) == [RevisionUse("web:3", "rule b")]
    assert [b'"NextToken": "t"' in request.body for request in aws.asked("ListRuleNamesByTarget")] == [False, True]


@pytest.mark.parametrize(("code", "left"), [("ImageNotFound", []), ("ImageReferencedByManifestList", [DIGEST])])
def test_an_image_that_is_gone_or_held_by_an_index_is_no_trouble(aws: AwsStub, code: str, left: list[str]) -> None:
    aws.on("BatchDeleteImage", ok({"failures": [{"imageId": {"imageDigest": DIGEST}, "failureCode": code}]}))
    assert images().delete([DIGEST]) == left
    assert b'"registryId": "222222222222"' in aws.asked("BatchDeleteImage")[0].body


def test_any_other_failure_is_told(aws: AwsStub) -> None:
    failure = {"imageId": {"imageDigest": DIGEST}, "failureCode": "KmsError", "failureReason": "no key"}
    aws.on("BatchDeleteImage", ok({"failures": [failure]}))
    with pytest.raises(Trouble, match=f"ecr:BatchDeleteImage: {DIGEST}: KmsError: no key"):
        images().delete([DIGEST])
