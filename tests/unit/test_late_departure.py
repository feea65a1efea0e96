"""DeregisterTargets that a rollback overtakes: the address may be a task of the service's by then."""

from __future__ import annotations

import pytest

from tests.fakes.world import World
from tests.unit.canary_world import once, only
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import promote, rollback


def reuse(world: World, address: str) -> None:
    """A task of the service's own has the address, and is healthy."""
    world.service_tasks.append((0.0, address))
    world.targets[address, 8000] = (0.0, None)


@pytest.mark.parametrize("used_again", [True, False])
def test_an_address_that_the_service_has_by_now_goes_back_into_the_traffic(*, used_again: bool) -> None:
    world = start_of("A is a canary")
    address = only(world).address

    def overtake() -> None:
        assert rollback(world, release="A").code == 0
        if used_again:
            reuse(world, address)

    once(world, "before", "DeregisterTargets", overtake)
    end = promote(world, release="A")
    assert (end.code, "cancelled" in end.text) == (3, True), end.text
    assert ((address, 8000) in world.registered()) is used_again


def test_a_write_that_was_held_back_by_the_fence_gives_nothing_back() -> None:
    world = start_of("A is a canary")
    once(world, "after", "UpdateService", lambda: rollback(world, release="A"))
    before = world.registered()
    end = promote(world, release="A")
    assert end.code == 3
    assert "RegisterTargets" not in end.writes
    assert set(world.registered()) < set(before)
