"""The records of addresses on the service: a service has 50 tags at most, so those of no more use go."""

from __future__ import annotations

import pytest

from ecs_pipeline.model.load_balancing import Target
from ecs_pipeline.protocol import release_tags
from tests.fakes.names import utc
from tests.fakes.world import World
from tests.unit.canary_world import only, recorded, take, traffic_step
from tests.unit.facts import GROUP


def record(world: World, address: str, *, days: int) -> None:
    """A record that an earlier canary left."""
    at = utc(world.now - 86400 * days - 60)
    world.service_tags.update(release_tags.record_of([Target(GROUP, address, 8000)], at))


def addresses(world: World) -> set[str]:
    return {identity for identity, _ in recorded(world.service_tags)}


def test_records_older_than_a_day_are_dropped_when_another_is_written() -> None:
    world = World()
    record(world, "10.9.0.1", days=1)
    record(world, "10.9.0.2", days=0)
    world.service_tags["team"] = "lab"
    take(traffic_step(world))
    assert addresses(world) == {only(world).address, "10.9.0.2"}
    assert world.service_tags["team"] == "lab"


@pytest.mark.parametrize(("others", "kept"), [(43, {"10.9.0.1", "10.9.0.2"}), (44, {"10.9.0.2"})])
def test_where_tags_get_scarce_records_of_addresses_that_are_not_registered_go_too(others: int, kept: set[str]) -> None:
    world = World()
    for address in ("10.9.0.1", "10.9.0.2"):
        record(world, address, days=0)
    world.service_tags |= {f"key-{number}": "x" for number in range(others)}
    world.targets["10.9.0.2", 8000] = (world.now, None)
    take(traffic_step(world))
    assert addresses(world) == {only(world).address, *kept}


def test_nothing_is_removed_when_there_is_nothing_to_remove() -> None:
    world = World()
    take(traffic_step(world))
    assert "UntagResource" not in world.writes()
