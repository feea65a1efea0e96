"""What to do about a refusal of AWS: the place that it names."""

from __future__ import annotations

import pytest

from ecs_pipeline.aws import cures
from ecs_pipeline.aws.session import AwsError
from ecs_pipeline.errors import PipelineError
from tests.unit.aws_stub import aws_stub, refused, session
from tests.unit.clocks import RecordingClock

USER = (
    "User: arn:aws:sts::123456789012:assumed-role/deploy/x is not authorized to perform: ecs:TagResource on resource: y"
)


@pytest.mark.parametrize(
    ("ending", "cure"),
    [
        ("because no identity-based policy allows the ecs:TagResource action", "allow ecs:TagResource to the role"),
        ("", "allow ecs:TagResource to the role"),
        ("with an explicit deny in an identity-based policy", "a policy of the role denies ecs:TagResource explicitly"),
        (
            "with an explicit deny in a service control policy",
            "that denies ecs:TagResource, but a service control policy",
        ),
        ("because no service control policy allows it", "does not allow ecs:TagResource, but a service control policy"),
        ("with an explicit deny in a resource control policy", "a resource control policy of the organization"),
        ("because no permissions boundary allows it", "but the permissions boundary of the role"),
        ("because no session policy allows it", "the session policy that the role was assumed with"),
        ("with an explicit deny in a VPC endpoint policy", "the policy of the VPC endpoint"),
        ("because no resource-based policy allows it", "of ECR the repository's"),
    ],
)
def test_a_denial_is_cured_where_it_was_made(monkeypatch: pytest.MonkeyPatch, ending: str, cure: str) -> None:
    with aws_stub(monkeypatch) as aws:
        aws.on("TagResource", refused("AccessDeniedException", f"{USER} {ending}".strip()))
        with pytest.raises(AwsError) as caught:
            session(RecordingClock()).client("ecs").call("TagResource", resourceArn="a", tags=[])
    assert cure in caught.value.cure


@pytest.mark.parametrize(
    ("code", "text", "cure"),
    [
        ("OptInRequired", "not subscribed", "enable the region"),
        ("SubscriptionRequiredException", "needs a subscription", "enable the region"),
        ("AuthFailure", "not able to validate", "check the job's AWS credentials"),
        ("LimitExceededException", "too many", "Service Quotas (Amazon ECS)"),
        ("TooManyTargets", "too many", "targets for each target group"),
        ("TooManyRegistrationsForTargetId", "too many", "how often an instance"),
        ("ClientException", "You've reached the limit on the number of vCPUs you can run concurrently", "AWS Fargate"),
        ("ClientException", "the maximum number of tasks in the PROVISIONING state", "left PROVISIONING"),
    ],
)
def test_a_quota_or_a_switched_off_region_is_told_with_its_place(
    monkeypatch: pytest.MonkeyPatch, code: str, text: str, cure: str
) -> None:
    with aws_stub(monkeypatch) as aws:
        aws.on("RunTask", refused(code, text))
        with pytest.raises(PipelineError) as caught:
            session(RecordingClock()).client("ecs").call("RunTask", taskDefinition="web")
    assert cure in caught.value.cure
    assert caught.value.exit_code == 4


def test_what_is_not_known_has_no_cure() -> None:
    assert cures.of("ClientException", "no") == ""
