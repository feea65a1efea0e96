"""What is decided by several looks ends, whatever they show."""

from __future__ import annotations

import itertools

import pytest

from ecs_pipeline.errors import Trouble
from ecs_pipeline.protocol.fence import settled
from ecs_pipeline.protocol.release_tags import RELEASE
from tests.fakes.ports import new_run
from tests.fakes.world import World


def test_looks_that_never_agree_end_and_say_who_is_to_be_looked_for() -> None:
    world = World()
    run = new_run(world, "promote", ("preflight",))
    releases = itertools.count(1)

    def write_over(when: str, name: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if when == "before" and name == "DescribeServices":
            world.service_tags[RELEASE] = f"r{next(releases)}"

    world.hook = write_over
    with pytest.raises(Trouble, match="are others at every look") as trouble:
        settled(run.ecs, run.clock)
    assert "CloudTrail" in trouble.value.cure
