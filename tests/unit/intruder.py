"""What somebody without the deployer's rights can do to a world: start tasks that look like ours, and tag."""

from __future__ import annotations

from typing import Any

from ecs_pipeline.model.release import CANARY, Epoch
from ecs_pipeline.protocol import decide, release_tags
from tests.fakes.names import SERVICE, definition_with
from tests.fakes.resources import FakeTask
from tests.fakes.world import World

EVIL_IMAGE = "evil.example.com/web@sha256:" + "e" * 64


def evil_revision(world: World, release: str, epoch: Epoch | None = None, family: str = "evil", image: str = "") -> str:
    """A revision in a family of his own, with our tags."""
    tags = {release_tags.RELEASE: release, release_tags.EPOCH: release_tags.epoch_value(epoch or epoch_of(world))}
    return world.register(definition_with(image or EVIL_IMAGE, family), tags)


def epoch_of(world: World) -> Epoch:
    """The turn of the service."""
    return release_tags.parse_epoch(world.service_tags.get(release_tags.EPOCH, ""))


def forge(
    world: World,
    release: str,
    revision: str,
    *,
    token: str = "his-own",  # noqa: S107 - it is no password
    tags: dict[str, str] | None = None,
    **more: Any,
) -> FakeTask:
    """RunTask with everything that tells a canary of the release."""
    ours = {
        release_tags.SERVICE: SERVICE,
        release_tags.RELEASE: release,
        release_tags.EPOCH: release_tags.epoch_value(epoch_of(world)),
        release_tags.ROLE: CANARY,
        release_tags.INDEX: "0",
        release_tags.VERDICT: "pass",
        **(tags or {}),
    }
    parameters = {
        "taskDefinition": revision,
        "startedBy": release_tags.started_by(SERVICE),
        "clientToken": token,
        "tags": [{"key": key, "value": value} for key, value in ours.items()],
        **more,
    }
    return world.tasks[world.run_task(parameters)]


def the_lock(world: World) -> str:
    """The token that the next canary comes to: anybody can work it out."""
    token = decide.first_token(world.service_facts().label, epoch_of(world), CANARY, 0)
    while known := [task for task in world.tasks.values() if task.token == token]:
        token = decide.next_token(token, known[0].arn)
    return token


def in_traffic(world: World, task: FakeTask) -> bool:
    """Whether a task was ever given requests."""
    return any(name == "RegisterTargets" and (task.address, 8000) in detail for _, name, detail in world.log)


def set_by_hand(world: World) -> None:
    """Somebody gives the service another revision, and it is stable."""
    world.update_service(
        world.register({**world.revisions[world.deployments[0].revision].definition, "cpu": "512"}, {})
    )
    world.schedule.now += 60
    world.deployments[0].rollout = "COMPLETED"
    world.deployments[1:] = []
