"""The ports of the unit tests' AWS in memory."""

from __future__ import annotations

import pytest

from ecs_pipeline.model.scaling import Suspended
from ecs_pipeline.model.telemetry import Alarm
from tests.contract.ports.ports import Ports
from tests.fakes.account import FakeAccount
from tests.fakes.clock import FakeClock
from tests.fakes.ecs import FakeDefinitions, FakeEcs
from tests.fakes.load_balancing import FakeElb
from tests.fakes.names import FAMILY, GROUP, REGISTRY, digest_of
from tests.fakes.scaling import FakeScaling
from tests.fakes.telemetry import FakeCloudWatch
from tests.fakes.world import World


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
