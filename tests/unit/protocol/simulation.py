"""Stages side by side on one world, and what must hold afterwards; the counterpart of protocol_model/scenarios.py."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from ecs_pipeline.protocol import release_tags
from tests.fakes.names import REGISTRY, digest_of, names
from tests.fakes.resources import FakeTask
from tests.fakes.schedule import Agent, Killed, Schedule
from tests.fakes.stages import run_stage, stage_of
from tests.fakes.world import World

STARTS = {
    "P runs": ("canary P", "promote P"),
    "A is a canary": ("canary P", "promote P", "canary A"),
    "A is promoted": ("canary P", "promote P", "canary A", "promote A"),
    "A was rolled back": ("canary P", "promote P", "canary A", "rollback A"),
}
SETTINGS = {"canary": {"bake": "2s", "healthy_within": "30s"}, "promote": {"stable_within": "60s"}}


@cache
def _prepared(start: str) -> World:
    world = World()
    for command in STARTS[start]:
        code = run_stage(world, command, SETTINGS)
        assert code == 0, (command, code)
    return world


def start_of(start: str, failing: Mapping[str, str] | None = None) -> World:
    """A world in which the commands of a start have run; `failing`: how releases fail (crash, unhealthy, rollout)."""
    world = copy.deepcopy(_prepared(start))
    for release, how in (failing or {}).items():
        world.bad_images[f"{REGISTRY}/web@{digest_of(release)}"] = how
    return world


def side_by_side(
    world: World, script: str, seed: int, kill: tuple[int, int, str] | None = None, beside: Agent | None = None
) -> dict[str, list[int | str]]:
    """Run `canary A; promote A | rollback` in an order that the seed decides; how each command ended.

    `kill` = (agent, number of its call, before or after): there the agent dies, and its command is run again. `beside`
    is an agent that runs no stage.
    """
    chance = random.Random(seed)
    schedule = Schedule(chance.choice)
    schedule.now, world.schedule = world.schedule.now, schedule
    ends: dict[str, list[int | str]] = {}
    agents = []
    for number, commands in enumerate(script.split("|")):
        name = f"{number + 1}: {commands.strip()}"
        ends[name] = []
        body = _commands(world, [word.strip() for word in commands.split(";")], ends[name])
        agents.append(Agent(name, body))
    if kill is not None:
        world.hook = _killer(schedule, agents[kill[0]], kill[1], kill[2])
    agents += [beside] if beside else []
    schedule.run(*agents)
    world.hook = lambda _when, _call, _write: None
    after = Schedule()
    after.now, world.schedule = schedule.now, after
    for agent in agents:
        if agent.error is not None:
            raise agent.error
    return ends


def _commands(world: World, commands: list[str], ends: list[int | str]) -> Callable[[], None]:
    def body() -> None:
        for command in commands:
            try:
                ends.append(run_stage(world, command, SETTINGS))
            except Killed:
                ends.append("killed")
                ends.append(run_stage(world, command, SETTINGS))

    return body


def _killer(schedule: Schedule, victim: Agent, number: int, when: str) -> Callable[[str, str, bool], None]:
    def hook(moment: str, _call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if schedule.current is victim and moment == "before":
            victim.calls += 1
        if schedule.current is victim and moment == when and victim.calls == number:
            victim.calls += 1
            raise Killed

    return hook


def clean(world: World) -> Iterator[str]:
    """What must not be once all stages are over."""
    epoch = release_tags.parse_epoch(world.service_tags.get(release_tags.EPOCH, ""))
    alive, serving = world.alive(), world.revisions[world.deployments[0].revision]
    wanted, previous = (world.service_tags.get(key) or None for key in (release_tags.WANTED, release_tags.PREVIOUS))
    used = {serving.arn, previous} | {task.revision for task in alive}
    addresses = {task.address for task in alive}
    recorded = {target.identity for target in release_tags.parse_service(world.service_tags).targets}
    release = world.service_tags.get(release_tags.RELEASE, "")
    facts = {
        "two canaries live": len(alive) > 1,
        "a task of a cancelled epoch lives": any(_epoch_of(task) != epoch for task in alive),
        "a target without a living task": any(key[0] not in addresses for key in world.registered()),
        "a target without a record": any(key[0] not in recorded for key in world.registered()),
        "a canary on a deregistered revision": any(not world.revisions[task.revision].active for task in alive),
        "the service does not run what is wanted": wanted not in (None, serving.arn),
        "the service runs a deregistered revision": not serving.active,
        "the release mark is not what runs": bool(release) and serving.tags.get(release_tags.RELEASE, "") != release,
        "a revision is left over": any(
            revision.active and release_tags.RELEASE in revision.tags and revision.arn not in used
            for revision in world.revisions.values()
        ),
        "the rollout is not over": world.deployments[0].rollout != "COMPLETED",
    }
    yield from (what for what, broken in facts.items() if broken)


def heals(world: World) -> Iterator[str]:
    """Whatever came before: a rollback cleans up, a second one writes nothing, and a whole release's life follows."""
    world = copy.deepcopy(world)
    code, _, why = stage_of(world, "rollback", SETTINGS)
    if code not in (0, 3):
        yield f"a rollback afterwards exits {code}: {why}"
    before = len(world.writes())
    code = run_stage(world, "rollback", SETTINGS)
    if len(world.writes()) != before or code not in (0, 3):
        yield f"a second rollback writes or exits {code}"
    yield from (f"after a rollback: {what}" for what in clean(world))
    if world.alive():
        yield "after a rollback: a canary lives"
    for command in ("canary N", "promote N", "rollback", "canary N", "promote N"):
        code, _, why = stage_of(world, command, SETTINGS)
        if code != 0:
            yield f"in the next release's life: {command} exits {code}: {why}"
        yield from (
            f"in the next release's life, after {command}: {what}"
            for what in clean(world)
            if what != "a revision is left over"
        )


def picture(world: World) -> dict[str, object]:
    """The state of AWS that two runs are compared by: what is, not how it came to be."""
    live = sorted(
        (task.tags.get(release_tags.RELEASE, ""), task.tags.get(release_tags.VERDICT, ""), names([task.revision])[0])
        for task in world.alive()
    )
    return {
        "marks": {key: value for key, value in world.marks().items() if key not in ("source",)},
        "service": [names([deployment.revision])[0] for deployment in world.deployments],
        "tasks": live,
        "targets": len(world.registered()),
        "draining": len(world.targets) - len(world.registered()),
        "revisions": [(names([revision.arn])[0], revision.active) for revision in world.revisions.values()],
        "images": sorted(world.images),
    }


def _epoch_of(task: FakeTask) -> object:
    return release_tags.parse_epoch(task.tags.get(release_tags.EPOCH, ""))
