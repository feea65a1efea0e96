"""What the tests of the embedded AWS share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.embedded_aws.environment import Environment
from tests.emulator.embedded_aws.web_server import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from embedded_aws.launcher import EmbeddedAws


@pytest.fixture
def environment(embedded_aws: EmbeddedAws, aws: Callable[[str], Any]) -> Iterator[Environment]:
    """An environment of this test's own, with quick health checks; what still runs in it is stopped at the end."""
    embedded_aws.configure(health_check_interval=0.3)
    made = Environment(embedded_aws, aws)
    yield made
    if not made.ecs.describe_clusters(clusters=[made.name])["clusters"]:
        return
    for service in made.ecs.list_services(cluster=made.name)["serviceArns"]:
        made.ecs.delete_service(cluster=made.name, service=service, force=True)
    for task in made.ecs.list_tasks(cluster=made.name)["taskArns"]:
        made.ecs.stop_task(cluster=made.name, task=task)


@pytest.fixture
def new_server() -> Iterator[Callable[..., WebServer]]:
    """Make web servers that are closed at the end."""
    made: list[WebServer] = []

    def new(body: str = "up") -> WebServer:
        made.append(WebServer(body))
        return made[-1]

    yield new
    for server in made:
        server.close()
