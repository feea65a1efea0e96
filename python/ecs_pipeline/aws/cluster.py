"""Amazon ECS: a whole cluster, and what must be meant by a name that there is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from ecs_pipeline.aws.ecs_facts import parse_service
from ecs_pipeline.aws.session import AwsClient, AwsError
from ecs_pipeline.batches import batches
from ecs_pipeline.documents.suggestions import closest
from ecs_pipeline.errors import InvalidInput, NoService
from ecs_pipeline.model.release import Service

LISTED_AT_ONCE = 100
"""ListServices and ListClusters list 10 at once by themselves, and so many at most."""
SERVICES_AT_ONCE = 10
"""DescribeServices takes so many."""


class Cluster:
    """The operations of Amazon ECS that look at a cluster; the policy of a service's stages does not need them."""

    def __init__(self, client: AwsClient, name: str) -> None:
        self._client = client
        self._name = name

    def services(self) -> tuple[Service, ...]:
        """Every service with its tags (ListServices, DescribeServices ten at once). Raises InvalidInput."""
        with self.existing():
            return tuple(parse_service(service, self._name) for service in described_services(self._client, self._name))

    def no_service(self, name: str) -> NoService:
        """What to say of a service that there is not."""
        near = _nearest(name, partial(_service_arns, self._client, self._name))
        return NoService(
            f"no service {name} in cluster {self._name}{near}",
            cure="check --service, --cluster and the region; `provision` makes a new environment",
        )

    @contextmanager
    def existing(self) -> Iterator[None]:
        """Says so when there is no such cluster. Raises InvalidInput."""
        try:
            yield
        except AwsError as error:
            if error.code != "ClusterNotFoundException":
                raise
            raise InvalidInput(
                f"no cluster {self._name}{_nearest(self._name, self._clusters)}",
                cure="check --cluster, --environment and the region; `provision` makes a new environment",
            ) from error

    def _clusters(self) -> list[Any]:
        return self._client.pages("ListClusters", "clusterArns", maxResults=LISTED_AT_ONCE)


def described_services(client: AwsClient, cluster: str) -> Iterator[dict[str, Any]]:
    """Every service of a cluster as DescribeServices answers it, with its tags."""
    for asked in batches(_service_arns(client, cluster), SERVICES_AT_ONCE):
        yield from client.call("DescribeServices", cluster=cluster, services=asked, include=["TAGS"])["services"]


def _service_arns(client: AwsClient, cluster: str) -> list[Any]:
    return client.pages("ListServices", "serviceArns", cluster=cluster, maxResults=LISTED_AT_ONCE)


def _nearest(name: str, listed: Callable[[], list[Any]]) -> str:
    """` (did you mean X?)`, or '' where nothing is alike or the caller may not list."""
    try:
        arns = listed()
    except AwsError:
        return ""
    return closest(name, [str(arn).rpartition("/")[2] for arn in arns])
