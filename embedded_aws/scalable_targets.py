"""The scalable targets that are registered: Application Auto Scaling keeps them, IAM asks for their ARNs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedded_aws.api import Members

    TargetKey = tuple[str, str, str]

registered: dict[TargetKey, Members] = {}


def key_of(request: Members) -> TargetKey:
    """Give what identifies a scalable target."""
    return request["ServiceNamespace"], request["ResourceId"], request["ScalableDimension"]


def arn_of(request: Members) -> str:
    """Give the ARN of a scalable target; '' for one that is not registered."""
    return str(registered.get(key_of(request), {}).get("ScalableTargetARN", ""))
