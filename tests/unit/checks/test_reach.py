"""An `http` check that asks the canary itself: whether this machine reaches a stable task is found out beforehand."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest

from ecs_pipeline.model.load_balancing import Target, TargetHealth
from tests.fakes.ecs import FakeEcs
from tests.fakes.load_balancing import FakeElb
from tests.fakes.world import World
from tests.unit.facts import NOW, task
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import End, canary

STABLE = "stable-task"


@pytest.fixture
def port() -> Iterator[int]:
    """A port on loopback that takes connections."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def closed() -> int:
    """A port on loopback where nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def stable(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The service's own task, at 127.0.0.1, and the state of its target."""
    found: dict[str, Any] = {"state": "healthy", "address": "127.0.0.1"}
    tasks_of, health_of = FakeEcs.tasks, FakeElb.health

    def arns(_self: FakeEcs, desired_status: str = "RUNNING") -> list[str]:
        return [STABLE]

    def tasks(self: FakeEcs, wanted: Sequence[str]) -> tuple[Any, ...]:
        if list(wanted) != [STABLE]:
            return tasks_of(self, wanted)
        revision = self.world.service_facts().revision
        return (task(STABLE, revision=revision, address=found["address"], created=NOW, of="", release=""),)

    def health(self: FakeElb, group: str, targets: Sequence[Target] = (), **options: Any) -> list[TargetHealth]:
        if targets:
            return health_of(self, group, targets, **options)
        return [*health_of(self, group), TargetHealth(found["address"], 8000, found["state"])]

    monkeypatch.setattr(FakeEcs, "arns_of_service", arns)
    monkeypatch.setattr(FakeEcs, "tasks", tasks)
    monkeypatch.setattr(FakeElb, "health", health)
    return found


def run(world: World, *checks: dict[str, Any], bake: str = "5s", **options: Any) -> End:
    settings = {"canary": {"bake": bake, "healthy_within": "30s", "checks": list(checks)}}
    return canary(world, settings=settings, **{"release": "A", "dry_run": True, **options})


def test_a_port_that_takes_connections_will_do(stable: dict[str, Any], port: int) -> None:
    assert run(start_of("P runs"), {"http": {"path": "/health", "port": port}}).code == 0


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked refuses connections."""

    def connect(_address: tuple[str, int], _timeout: float) -> socket.socket:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", connect)


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize("dry_run", [True, False])
def test_no_connection_to_a_stable_task_is_bad_input_and_nothing_is_touched(
    stable: dict[str, Any], *, dry_run: bool
) -> None:
    end = run(start_of("P runs"), {"name": "answers", "http": {"path": "/health"}}, dry_run=dry_run)
    assert (end.code, end.writes) == (2, [])
    assert end.text == (
        "canary.checks.0.http (answers): no connection from here to 127.0.0.1:8000 (Connection refused), "
        "a task that prd/web runs; let this machine in to the tasks (docs/agents.md), or ask `via: load-balancer`"
    )


def test_a_port_at_which_only_the_release_may_listen_refuses_without_harm(stable: dict[str, Any], closed: int) -> None:
    assert run(start_of("P runs"), {"http": {"port": closed}}).code == 0


def test_what_a_security_group_drops_is_waited_for_a_few_seconds_only(
    stable: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[tuple[str, int], float]] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        asked.append((address, timeout))
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", connect)
    checks: list[dict[str, Any]] = [{"http": {"timeout": "30s"}}, {"name": "again", "http": {"path": "/other"}}]
    end = run(start_of("P runs"), *checks)
    assert (end.code, "(none within 3s)" in end.text) == (2, True)
    assert asked == [(("127.0.0.1", 8000), 3.0)]


def test_one_connection_is_made_for_each_port(
    stable: dict[str, Any], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    connect = socket.create_connection

    def counted(address: tuple[str, int], timeout: float) -> socket.socket:
        asked.append(address[1])
        return connect(address, timeout)

    monkeypatch.setattr(socket, "create_connection", counted)
    checks = [{"name": name, "http": {"port": port, "path": f"/{name}"}} for name in ("one", "two")]
    assert run(start_of("P runs"), *checks).code == 0
    assert asked == [port]


@pytest.mark.parametrize(
    "check", [{"http": {"via": "load-balancer", "url": "http://127.0.0.1:9"}}, {"logs": {"filter": "ERROR"}}]
)
def test_other_checks_need_no_way_to_the_tasks(stable: dict[str, Any], check: dict[str, Any]) -> None:
    assert run(start_of("P runs"), check).code == 0


@pytest.mark.usefixtures("refused")
def test_without_a_bake_nothing_is_tried(stable: dict[str, Any]) -> None:
    assert run(start_of("P runs"), {"http": {"path": "/"}}, bake="0s").code == 0


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize("change", [{"state": "unhealthy"}, {"address": ""}])
def test_a_service_that_is_down_may_have_its_release(stable: dict[str, Any], change: dict[str, str]) -> None:
    stable.update(change)
    assert run(start_of("P runs"), {"http": {"path": "/"}}).code == 0


@pytest.mark.usefixtures("refused")
def test_another_releases_canary_is_not_replaced_for_nothing(stable: dict[str, Any]) -> None:
    end = run(start_of("A is a canary"), {"http": {"path": "/"}}, release="B", dry_run=False, replace=True)
    assert (end.code, end.writes) == (2, [])


@pytest.mark.usefixtures("refused")
def test_a_release_that_is_done_stays_done(stable: dict[str, Any]) -> None:
    end = run(start_of("A is a canary"), {"http": {"path": "/"}}, dry_run=False)
    assert (end.code, end.writes) == (0, [])
