"""Options of the test run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Their assertions are in modules that pytest does not collect itself.
pytest.register_assert_rewrite("tests.contract.ports")

# A slow second is no fault of what is tested: this machine may be busy.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, default=15, help="orders in which stages side by side are tried")
    parser.addoption("--whole", action="store_true", help="tests/chaos: every place, and 20 rounds of each race")


@pytest.fixture(autouse=True, scope="session")
def _no_wait_for_the_disk() -> Iterator[None]:
    """Reports wait for the disk because of power failures; no test has one, and thousands of reports wait for long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _file: None)
        yield


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> range:
    """Numbers that each stand for one order of events."""
    return range(int(request.config.getoption("--seeds")))
