"""Stages beside somebody who may run and tag tasks, or tag only: nothing of his is served, and a rollback heals."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.decide import next_epoch
from tests.fakes.names import names
from tests.fakes.schedule import Agent
from tests.fakes.stages import stage_of
from tests.fakes.world import World
from tests.unit.intruder import epoch_of, evil_revision, forge, the_lock
from tests.unit.protocol.simulation import SETTINGS, clean, side_by_side, start_of

MODEL = Path(__file__).parents[2] / "protocol_model"

SCRIPTS = [
    ("P runs", "canary A; promote A"),
    ("A is a canary", "promote A"),
    ("A is a canary", "rollback A"),
    ("A is promoted", "rollback"),
    ("P runs", "canary A | canary B"),
    ("A is a canary", "promote A | rollback A"),
]
WHATEVER = {"a revision is left over", "the release mark is not what runs"}
"""What an intruder may leave: unused revisions, and a mark that tells another release than the one that runs."""


def test_the_model_holds_beside_him() -> None:
    done = subprocess.run(
        [sys.executable, "checker.py", "[forges 2]"], cwd=MODEL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert " 0 violations" in done.stdout.splitlines()[-1]


def runs(world: World, chance: random.Random, evil: str) -> None:
    """RunTask of any revision, with our tags, by the token that is the lock or by his own."""
    release = chance.choice(["A", "B", "P"])
    active = [revision.arn for revision in world.revisions.values() if revision.active]
    token = chance.choice([the_lock(world), f"his-{chance.random()}"])
    forge(world, release, chance.choice([evil, *active]), token=token)


def tags(world: World, chance: random.Random, evil: str) -> None:
    """TagResource of the service, a task or a revision."""
    release = chance.choice(["A", "P"])
    epoch = release_tags.epoch_value(next_epoch(epoch_of(world), release))
    living = [task.tags for task in world.alive()]
    ours = [revision.tags for revision in world.revisions.values() if "/web:" in revision.arn]
    where, what = chance.choice(
        [
            (world.service_tags, {release_tags.WANTED: evil}),
            (world.service_tags, {release_tags.PREVIOUS: evil}),
            (world.service_tags, {release_tags.EPOCH: epoch, release_tags.WANTED: evil, release_tags.UNDER_WAY: ""}),
            (
                world.service_tags,
                {release_tags.RELEASE: release, release_tags.WANTED: evil, release_tags.UNDER_WAY: release},
            ),
            (world.service_tags, {release_tags.WANTED: "garbage", release_tags.TARGETS + "aa": "² 1.2.3.4:80"}),
            *(
                (
                    found,
                    {
                        chance.choice(
                            [release_tags.INDEX, release_tags.VERDICT, release_tags.RELEASE, release_tags.EPOCH]
                        ): "x"
                    },
                )
                for found in living
            ),
            *(
                (found, {release_tags.RELEASE: release, release_tags.EPOCH: release_tags.epoch_value(epoch_of(world))})
                for found in ours
            ),
        ]
    )
    where.update(what)


def fills(world: World, chance: random.Random, _evil: str) -> None:
    """TagResource of the service or of a task, with other names, until AWS takes no more."""
    held = chance.choice([world.service_tags, *(task.tags for task in world.alive())])
    held |= {f"x{number}": "y" for number in range(release_tags.MOST_TAGS - len(held))}


def intruder(world: World, seed: int, act: Callable[[World, random.Random, str], None]) -> Agent:
    """Does one thing, at any moment."""
    chance = random.Random(seed)
    evil = evil_revision(world, "A")

    def body() -> None:
        for _ in range(chance.randint(0, 40)):
            world.schedule.pause()
        act(world, chance, evil)

    return Agent("intruder", body)


def served(world: World) -> Iterator[str]:
    """What of the intruder's was ever put into the traffic or rolled out."""
    addresses = {task.address: task.revision for task in world.tasks.values()}
    for _, call, detail in world.log:
        if call == "RegisterTargets":
            yield from (addresses[address] for address, _ in detail if "/evil:" in addresses[address])
        if call == "UpdateService" and "/evil:" in detail:
            yield detail


@pytest.mark.parametrize("act", [runs, tags])
@pytest.mark.parametrize(("start", "script"), SCRIPTS)
def test_nothing_of_his_is_served_and_a_rollback_heals(
    start: str, script: str, act: Callable[[World, random.Random, str], None], seeds: range
) -> None:
    for seed in seeds:
        world = start_of(start)
        ends = side_by_side(world, script, seed, beside=intruder(world, seed, act))
        assert not list(served(world)), (seed, ends)
        assert world.revisions[evil_of(world)].active, seed
        assert all(code in (0, 1, 3) for codes in ends.values() for code in codes), (seed, ends)
        heal(world, seed)


@pytest.mark.parametrize(("start", "script"), SCRIPTS)
def test_whoever_fills_tags_up_keeps_no_canary_in_the_traffic(start: str, script: str, seeds: range) -> None:
    for seed in seeds:
        world = start_of(start)
        ends = side_by_side(world, script, seed, beside=intruder(world, seed, fills))
        assert all(code in (0, 1, 3, 4) for codes in ends.values() for code in codes), (seed, ends)
        code, _, why = stage_of(world, "rollback", SETTINGS)
        assert (world.registered(), world.alive()) == ([], []), (seed, code, why)
        for key in [key for key in world.service_tags if key.startswith("x")]:
            del world.service_tags[key]
        heal(world, seed)


def heal(world: World, seed: int) -> None:
    """A rollback, by the revision's name when it asks for that; then the next release goes all the way."""
    code, _, why = stage_of(world, "rollback", SETTINGS)
    if code == 3 and "--to" in why:
        name = names([world.deployments[0].revision])[0]
        code, _, why = stage_of(world, f"rollback --to {name}", SETTINGS)
    assert code in (0, 3), (seed, why)
    for command in ("canary N", "promote N", "rollback"):
        code, _, why = stage_of(world, command, SETTINGS)
        assert code == 0, (seed, command, why)
    assert set(clean(world)) <= WHATEVER, seed


def evil_of(world: World) -> str:
    return next(arn for arn in world.revisions if "/evil:" in arn)
