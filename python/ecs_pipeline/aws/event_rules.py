"""Amazon EventBridge: the revisions that rules start tasks of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ecs_pipeline.aws.session import AwsClient
from ecs_pipeline.model.release import RevisionUse


class EventRules:
    """Rules of the default event bus, where schedules and AWS' own events are."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    def uses(self, cluster: str) -> Iterator[RevisionUse]:
        """What the rules run in a cluster, enabled or not (ListRuleNamesByTarget, ListTargetsByRule).

        A target of ECS is the cluster; it names the revision, or a family, which means the newest ACTIVE one.
        """
        for rule in self._client.pages("ListRuleNamesByTarget", "RuleNames", TargetArn=cluster):
            for target in self._client.pages("ListTargetsByRule", "Targets", Rule=rule):
                revision = started_by(target)
                if revision:
                    yield RevisionUse(revision, f"rule {rule}")


def started_by(target: Mapping[str, Any]) -> str:
    """The revision or family that a target of ECS runs; '' for other targets (data type EcsParameters)."""
    return str((target.get("EcsParameters") or {}).get("TaskDefinitionArn", ""))
