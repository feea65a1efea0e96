"""A promotion that is refused."""

from __future__ import annotations

from typing import Any

from tests.fakes.world import World
from tests.unit.stage_runs import promote, serving


def refused(world: World, code: int = 3, **options: Any) -> str:
    """What promote says; it has written nothing."""
    before = serving(world)
    end = promote(world, **options)
    assert (end.code, end.writes, serving(world)) == (code, [], before)
    assert end.run.recorder.record.step("service-update").outcome == "skipped"
    return end.text
