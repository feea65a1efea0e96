"""One embedded AWS for all tests of this folder; without a Docker engine they fail, they are not skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from embedded_aws.engine import ensure_engine
from embedded_aws.launcher import EmbeddedAws

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """The address of a Docker engine, started here if none answers."""
    with ensure_engine() as host:
        yield host


@pytest.fixture(scope="session")
def embedded_aws(engine: str) -> Iterator[EmbeddedAws]:
    """A running embedded AWS."""
    with EmbeddedAws() as running:
        yield running


@pytest.fixture(scope="session")
def aws(embedded_aws: EmbeddedAws) -> Callable[[str], Any]:
    """A factory of boto3 clients that talk to the embedded AWS, one a service."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=embedded_aws.region)
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=embedded_aws.endpoint)
        return clients[service]

    return client


@pytest.fixture(autouse=True)
def _plain_behaviour(request: pytest.FixtureRequest) -> Iterator[None]:
    """Switch off what a test has switched on."""
    yield
    if "embedded_aws" in request.fixturenames:
        request.getfixturevalue("embedded_aws").reset_behaviour()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the server's log with a failure."""
    report = yield
    running = getattr(item, "funcargs", {}).get("embedded_aws")
    if report.failed and running is not None:
        report.sections.append(("embedded AWS", running.log_tail()))
    return report
