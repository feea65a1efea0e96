"""What somebody without the deployer's rights can do to a world: start tasks that look like ours, and tag."""

from __future__ import annotations

from typing import Any

from ecs_pipeline import decide, marks
from ecs_pipeline.model import CANARY, Turn
from tests.fakes.world import SERVICE, FakeTask, World, definition_with

EVIL_IMAGE = "evil.example.com/web@sha256:" + "e" * 64


def evil_revision(world: World, release: str, turn: Turn | None = None, family: str = "evil", image: str = "") -> str:
    """A revision in a family of his own, with our tags."""
    tags = {marks.RELEASE: release, marks.TURN: marks.turn_value(turn or turn_of(world))}
    return world.register(definition_with(image or EVIL_IMAGE, family), tags)


def turn_of(world: World) -> Turn:
    """The turn of the service."""
    return marks.parse_turn(world.service_tags.get(marks.TURN, ""))


def forge(
    world: World,
    release: str,
    revision: str,
    *,
    token: str = "his own",  # noqa: S107 - it is no password
    tags: dict[str, str] | None = None,
    **more: Any,
) -> FakeTask:
    """RunTask with everything that tells a canary of the release."""
    ours = {
        marks.SERVICE: SERVICE,
        marks.RELEASE: release,
        marks.TURN: marks.turn_value(turn_of(world)),
        marks.ROLE: CANARY,
        marks.INDEX: "0",
        marks.VERDICT: "pass",
        **(tags or {}),
    }
    parameters = {
        "taskDefinition": revision,
        "startedBy": marks.started_by(SERVICE),
        "clientToken": token,
        "tags": [{"key": key, "value": value} for key, value in ours.items()],
        **more,
    }
    return world.tasks[world.run_task(parameters)]


def the_lock(world: World) -> str:
    """The token that the next canary comes to: anybody can work it out."""
    token = decide.first_token(world.service_facts().label, turn_of(world), CANARY, 0)
    while known := [one for one in world.tasks.values() if one.token == token]:
        token = decide.next_token(token, known[0].arn)
    return token
