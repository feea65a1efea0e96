"""Two `rollback --to` at once: the later marks stand, and neither sends the service back and forth."""

from __future__ import annotations

from ecs_pipeline.protocol import release_tags
from tests.unit.canary_world import once
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import arn_of, rollback


def test_two_rollbacks_to_different_revisions_do_not_send_the_service_to_and_fro() -> None:
    """The other one's marks stand: the epoch is the same, what is wanted is not."""
    world = start_of("A is promoted")
    theirs = {release_tags.WANTED: arn_of(world, "web:2")}
    once(world, "after", "TagResource", lambda: world.service_tags.update(theirs))
    before = len(world.writes())
    assert rollback(world, to="web:1").code == 3
    assert world.writes()[before:].count("UpdateService") <= 2
