"""A promotion that holds autoscaling, in memory."""

from __future__ import annotations

from typing import Any

from ecs_pipeline.aws.session import AwsError
from ecs_pipeline.model.scaling import Suspended
from ecs_pipeline.protocol import release_tags
from tests.fakes.world import World
from tests.unit.canary_world import at
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import QUICK, End, promote

HOLD: dict[str, Any] = {"promote": {**QUICK["promote"], "autoscaling": "hold"}}
BY_HAND = Suspended(scheduled=True)
"""What a person suspended before, which stays so."""


def held_world(failing: str = "") -> World:
    """The canary of A waits for its promotion, of a service with scaling of which a part is suspended."""
    world = start_of("A is a canary", {"A": failing} if failing else {})
    world.scaling = BY_HAND
    return world


def held_promote(world: World) -> End:
    return promote(world, release="A", settings=HOLD)


def suspensions(world: World) -> list[Suspended]:
    """What was sent, in order."""
    return [detail for _, name, detail in world.log if name == "RegisterScalableTarget"]


def mark(world: World) -> str:
    return world.service_tags.get(release_tags.SCALING, "")


def refuse(world: World, call: str, *, after: int = 0) -> None:
    """From then on the call is refused."""
    left = [after]

    def fail() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise AwsError(f"application-autoscaling:{call}", "AccessDeniedException", "not allowed")

    at(world, "before", call, fail)


def assert_as_before(world: World) -> None:
    assert (world.scaling, mark(world)) == (BY_HAND, "")
