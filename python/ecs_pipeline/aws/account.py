"""Amazon ECS of a whole account and region: what uses revisions, in every cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ecs_pipeline.aws.cluster import described_services
from ecs_pipeline.aws.session import AwsClient
from ecs_pipeline.batches import batches
from ecs_pipeline.model.release import Revision, RevisionUse
from ecs_pipeline.protocol import release_tags

TASKS_AT_ONCE = 100
"""DescribeTasks takes so many."""


class Account:
    """The operations of Amazon ECS that look beyond one service."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    def clusters(self) -> list[str]:
        """ARNs of all clusters (ListClusters)."""
        return self._client.pages("ListClusters", "clusterArns")

    def uses(self, cluster: str) -> list[RevisionUse]:
        """The revisions that the services and tasks of a cluster need (ListServices, ListTasks and their Describe…)."""
        return [*self._of_services(cluster), *self._of_tasks(cluster)]

    def revisions(self, family: str) -> list[str]:
        """ARNs of all ACTIVE revisions of a family, newest first (ListTaskDefinitions, every page)."""
        arns = self._client.pages("ListTaskDefinitions", "taskDefinitionArns", familyPrefix=family, status="ACTIVE")
        same = [arn for arn in arns if Revision(arn).family == family]
        return sorted(same, key=lambda arn: Revision(arn).number, reverse=True)

    def _of_services(self, cluster: str) -> Iterator[RevisionUse]:
        for service in described_services(self._client, cluster):
            yield from _of_service(service)

    def _of_tasks(self, cluster: str) -> Iterator[RevisionUse]:
        arns = self._client.pages("ListTasks", "taskArns", cluster=cluster)
        for asked in batches(arns, TASKS_AT_ONCE):
            answer = self._client.call("DescribeTasks", cluster=cluster, tasks=asked)
            for task in answer["tasks"]:
                digests = (str(container.get("imageDigest", "")) for container in task.get("containers", []))
                name = str(task["taskArn"]).rpartition("/")[2]
                yield RevisionUse(str(task["taskDefinitionArn"]), f"task {name}", frozenset(filter(None, digests)))


def _of_service(raw: Mapping[str, Any]) -> Iterator[RevisionUse]:
    """What a service runs, rolls out (deployments, task sets), and may be sent back to by its marks."""
    name = raw["serviceName"]
    tags = {tag["key"]: tag.get("value", "") for tag in raw.get("tags", [])}
    of_service = release_tags.parse_service(tags, name)
    places = [(raw, f"service {name}")]
    places += [(deployment, f"deployment {deployment.get('id', '')}") for deployment in raw.get("deployments", [])]
    places += [(task_set, f"task set {task_set.get('id', '')}") for task_set in raw.get("taskSets", [])]
    for place, user in places:
        if place.get("taskDefinition"):
            yield RevisionUse(str(place["taskDefinition"]), user)
    for mark, arn in (("wanted", of_service.wanted), ("previous", of_service.previous)):
        if arn:
            yield RevisionUse(arn, f"service {name}, its `{mark}`")
