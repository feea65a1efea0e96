"""The ports of the unit tests' AWS in memory."""

from __future__ import annotations

import pytest

from ecs_pipeline.model.scaling import Suspended
from ecs_pipeline.model.telemetry import Alarm
from tests.contract.ports.ports import Ports
from tests.fakes.account import FakeAccount
from tests.fakes.ports import FakeClock, FakeCloudWatch, FakeDefinitions, FakeEcs, FakeElb, FakeScaling
from tests.fakes.world import FAMILY, GROUP, REGISTRY, World, digest_of


@pytest.fixture
def ports() -> Ports:
    """A world of this test's own."""
    world = World()
    cloudwatch = FakeCloudWatch()

    def image(fate: str) -> str:
        named = f"{REGISTRY}/web@{digest_of(fate or 'v1')}"
        if fate:
            world.bad_images[named] = fate
        return named

    def set_alarm(name: str, state: str, reason: str) -> None:
        cloudwatch.there[name] = Alarm(name, state, reason)

    def set_scalable() -> None:
        world.scaling = Suspended()

    return Ports(
        clock=FakeClock(world),
        family=FAMILY,
        group=GROUP,
        drain=int(world.delays.drain),
        ecs=FakeEcs(world),
        elb=FakeElb(world),
        account=FakeAccount(world),
        scaling=FakeScaling(world),
        cloudwatch=cloudwatch,
        new_definitions=lambda: FakeDefinitions(world),
        image=image,
        task_parameters={},
        set_alarm=set_alarm,
        set_scalable=set_scalable,
        check_slowly=lambda: None,
    )
