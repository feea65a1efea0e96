"""Amazon EventBridge Scheduler: the revisions that schedules start tasks of."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ecs_pipeline.aws.event_rules import started_by
from ecs_pipeline.aws.session import AwsClient
from ecs_pipeline.model.release import RevisionUse


class Schedules:
    """Schedules of all groups."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    def uses(self, clusters: Collection[str]) -> Iterator[RevisionUse]:
        """What the schedules run in these clusters, enabled or not (ListSchedules, GetSchedule)."""
        for schedule in self._client.pages("ListSchedules", "Schedules"):
            if (schedule.get("Target") or {}).get("Arn") not in clusters:
                continue
            found = self._client.call("GetSchedule", Name=schedule["Name"], GroupName=schedule["GroupName"])
            revision = started_by(found.get("Target") or {})
            if revision:
                yield RevisionUse(revision, f"schedule {schedule['GroupName']}/{schedule['Name']}")
