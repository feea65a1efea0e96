"""The decisions of the package are those of the checked specification, on random worlds."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ecs_pipeline.model.load_balancing import Registration, Target
from ecs_pipeline.model.release import Epoch, Marks, Revision, Service, Task
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.snapshot import Snapshot
from tests.fakes.names import GROUP, PREFIX, utc

MODEL = Path(__file__).parents[2] / "protocol_model"
WORLDS = 20_000


@pytest.fixture(scope="module")
def model() -> Iterator[tuple[ModuleType, ModuleType]]:
    sys.path.insert(0, str(MODEL))
    yield importlib.import_module("aws"), importlib.import_module("decide")
    sys.path.remove(str(MODEL))


def test_decisions_are_those_of_the_model(model: tuple[ModuleType, ModuleType]) -> None:
    aws, theirs = model
    for seed in range(WORLDS):
        chance = random.Random(seed)
        modelled = random_look(aws, chance)
        seen = translated(modelled)
        asked = chance.choice(["", "A", "B"])
        assert decide.to_cancel(seen, asked) == theirs.to_cancel(modelled, asked), seed
        assert decide.promoted(seen, "A") == theirs.promoted(modelled, "A"), seed
        assert number(decide.rollback_target(seen, asked)) == theirs.home(modelled, asked), seed
        for revision in modelled.revisions:
            assert decide.cancelled(seen, arn(revision)) == theirs.cancelled(modelled, revision.number), seed
        assert_same_doubts(seen, modelled, theirs, seed)
        living = decide.holder(seen)
        expected = theirs.holder(modelled.tasks, modelled.marks.epoch, modelled.revisions, modelled.since)
        assert (living.arn if living else None) == (task_arn(expected.number) if expected else None), seed
        assert_same_leftover(decide.leftover(seen), theirs.leftover(modelled), modelled, seed)


def assert_same_doubts(seen: Snapshot, modelled: Any, theirs: Any, seed: int) -> None:
    """What is not believed: tasks that only look like ours, marks that cannot be right."""
    other = theirs.foreign(modelled.tasks, modelled.marks.epoch, modelled.revisions, modelled.since)
    assert [task.arn for task in seen.foreign[:1]] == ([task_arn(other.number)] if other else []), seed
    for task in modelled.tasks:
        ours = next(canary for canary in seen.tasks if canary.arn == task_arn(task.number))
        assert (not seen.mismatch(ours)) == theirs.made_by_us(task, modelled.revisions, modelled.since), seed
    marks, wrong = modelled.marks, decide.disbelieved(seen)
    assert ("wanted" in wrong, "previous" in wrong) == (
        theirs.disbelieved(modelled, marks.wanted),
        theirs.disbelieved(modelled, marks.previous),
    ), seed
    assert decide.astray(seen) == theirs.astray(modelled), seed


def assert_same_leftover(ours: decide.Leftover, theirs: Any, modelled: Any, seed: int) -> None:
    """The package takes away all of a kind at once, the model one after the other."""
    if theirs is None:
        assert not ours, seed
        return
    first: Any = theirs.arguments[0] if theirs.arguments else None
    if theirs.name == "DeregisterTargets":
        assert address(first) in {registration.target.identity for registration in ours.drain}, seed
    elif theirs.name == "StopTask":
        drained_first = {registration.target.identity for registration in ours.drain}
        assert task_arn(first) in {stopped.arn for stopped in ours.stop} or drained_first, seed
    elif theirs.name == "UpdateService":
        assert ours.update == arn(modelled.revisions[first]), seed
    elif theirs.name == "TagService":
        assert ours.rewrite == arn(modelled.revisions[dict(theirs.arguments)["wanted"]]), seed
    else:
        assert arn(modelled.revisions[first]) in ours.deregister, seed


def random_look(aws: ModuleType, chance: random.Random) -> Any:
    epochs = [aws.Epoch(), aws.Epoch("t1", "A"), aws.Epoch("t2", "B")]
    revisions = [aws.Revision(0)] + [
        aws.Revision(
            number,
            chance.choice(["", "A", "B"]),
            chance.choice(epochs),
            active=chance.random() < 0.8,
            own=chance.random() < 0.8,
            promoted=chance.random() < 0.3,
        )
        for number in range(1, 5)
    ]
    served = chance.choice([revision.number for revision in revisions if revision.own])
    tasks = tuple(
        aws.Task(
            number,
            f"token{number}",
            release := chance.choice(["A", "B"]),
            chance.choice([revision.number for revision in revisions if revision.release == release] or [0]),
            chance.choice(epochs),
            alive=chance.random() < 0.6,
            in_traffic=chance.random() < 0.5,
        )
        for number in range(chance.randint(0, 3))
    )
    pick = [None, 0, 1, 2, 3, 4]
    marks = aws.Marks(
        epoch=chance.choice(epochs),
        under_way=chance.choice(["", "A", "B"]),
        wanted=chance.choice(pick),
        release=chance.choice(["", "A", "B"]),
        previous=chance.choice(pick),
        recorded=tuple(made.number for made in tasks if chance.random() < 0.8),
    )
    return aws.Snapshot(tasks, marks, served, tuple(revisions))


def translated(look: Any) -> Snapshot:
    marks = look.marks
    ours = Marks(
        epoch=epoch(marks.epoch),
        under_way=marks.under_way,
        wanted=arn(look.revisions[marks.wanted]) if marks.wanted is not None else None,
        release=marks.release,
        previous=arn(look.revisions[marks.previous]) if marks.previous is not None else None,
    )
    runs = arn(look.revisions[look.service])
    service = Service("arn", "web", "prd", "ACTIVE", runs, 3, 3, 0, ours, (), (), (), {})
    revisions = {
        arn(revision): Revision(
            arn(revision),
            revision.release,
            epoch(revision.epoch) if revision.epoch else None,
            revision.active,
            promoted=revision.promoted,
        )
        for revision in look.revisions
    }
    tasks = tuple(task(canary, look.revisions[canary.revision]) for canary in look.tasks)
    registrations = tuple(
        Registration(
            Target(GROUP, address(canary.number), 8000),
            draining=False,
            owner=task_arn(canary.number) if canary.alive else "",
        )
        for canary in look.tasks
        if canary.in_traffic and canary.number in marks.recorded
    )
    return Snapshot(tasks, service, revisions, registrations)


def task(one: Any, revision: Any) -> Task:
    return Task(
        arn=task_arn(one.number),
        revision=arn(revision),
        status="RUNNING" if one.alive else "STOPPED",
        desired_status="RUNNING" if one.alive else "STOPPED",
        created=utc(1000 + one.number),
        of="web",
        release=one.release,
        epoch=epoch(one.epoch),
        address=address(one.number),
    )


def epoch(one: Any) -> Epoch:
    return Epoch(one.digest, one.cancelled)


def arn(revision: Any) -> str:
    return f"{PREFIX}:task-definition/{'web' if revision.own else 'evil'}:{revision.number}"


def number(revision: str | None) -> int | None:
    return Revision(revision).number if revision else None


def task_arn(number: int) -> str:
    return f"{PREFIX}:task/prd/{number}"


def address(number: int) -> str:
    return f"10.0.0.{number}"
