"""One rig for each test process; at the end the faults that all of them tried are summed up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from embedded_aws.engine import ensure_engine
from tests.chaos.results import Result, table, total
from tests.chaos.rig import Rig, running

PROPERTY = "faults"


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    """An embedded AWS with the proxy before it; without an engine this fails."""
    with ensure_engine(), running() as made:
        yield made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`place`: the sample of a test module's PLACES, or all of them. `attempt`: rounds of a race."""
    whole = metafunc.config.getoption("--whole")
    if "place" in metafunc.fixturenames:
        places = [place for place in metafunc.module.PLACES if whole or place.sampled]
        metafunc.parametrize("place", places, ids=str)
    if "attempt" in metafunc.fixturenames:
        metafunc.parametrize("attempt", range(20 if whole else 1))


@pytest.fixture
def judge(record_property: Callable[[str, object], None]) -> Callable[[Sequence[Result]], None]:
    """Note what was tried, and fail with what did not recover."""

    def note(results: Sequence[Result]) -> None:
        record_property(PROPERTY, [result.as_json() for result in results])
        assert results, "nothing was tried"
        assert [str(result) for result in results if not result.recovered] == []

    return note


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table and `N faults tried, N recovered`."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    results = [
        Result(**item)
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == PROPERTY
        for item in value
    ]
    if results:
        terminalreporter.write_line("")
        terminalreporter.write_line(table(results))
        terminalreporter.write_line("")
        terminalreporter.write_line(total(results))
