"""The new revision: registered once, also when AWS' answer is lost, and used again within its release and epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from ecs_pipeline.engine.converge import converge
from ecs_pipeline.engine.run import Origin
from ecs_pipeline.errors import AnswerLost, InvalidInput, Trouble
from ecs_pipeline.model.release import Epoch, Image, TaskDefinition
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.fence import EpochChanged, Fence
from ecs_pipeline.steps import revision as module
from ecs_pipeline.steps.revision import Base, RevisionStep, base_of
from ecs_pipeline.timing.wait import Deadline
from tests.fakes.ecs import FakeDefinitions
from tests.fakes.names import definition_with
from tests.fakes.ports import new_run
from tests.fakes.world import World
from tests.unit.canary_world import at, revision_of
from tests.unit.registering import normalising

IMAGE = Image("r/web@sha256:new", "sha256:new")


def step_of(
    world: World, release: str = "A", newer_than: int = 1, tags: Mapping[str, str] | None = None
) -> RevisionStep:
    """The step of a process that has just looked."""
    run = new_run(world, "canary", ["task-definition"])
    fence = Fence(run.ecs, run.clock, run.ecs.service())
    return RevisionStep(run, fence, Base(definition_with("old"), tags or {}, "app"), IMAGE, release, newer_than)


def make(step: RevisionStep) -> str:
    """Carry the step out; FAMILY:NUMBER."""
    return converge(step, step.run, Deadline.after(step.run.clock, 60)).revision.name


def registrations(world: World) -> int:
    return world.writes().count("RegisterTaskDefinition")


def losing(monkeypatch: pytest.MonkeyPatch, times: int, *, carried_out: bool) -> None:
    """So many registrations get no answer."""
    register: Callable[..., TaskDefinition] = FakeDefinitions.register
    left = [times]

    def lost(self: FakeDefinitions, *arguments: Any) -> TaskDefinition:
        if not left[0]:
            return register(self, *arguments)
        left[0] -= 1
        if carried_out:
            register(self, *arguments)
        raise AnswerLost("ecs:RegisterTaskDefinition: 503")

    monkeypatch.setattr(FakeDefinitions, "register", lost)


def test_it_is_registered_with_the_image_and_its_marks() -> None:
    world = World()
    assert make(step_of(world, tags={"team": "lab"})) == "web:2"
    made = [*world.revisions.values()][-1]
    assert made.image == IMAGE.reference
    assert made.tags == {"team": "lab", release_tags.RELEASE: "A", release_tags.EPOCH: "0/", release_tags.PROMOTED: ""}


def test_that_of_the_same_release_and_turn_is_used_again() -> None:
    world = World()
    make(step_of(world))
    again = step_of(world)
    assert (make(again), registrations(world), again.made) == ("web:2", 1, [])
    assert again.run.recorder.record.steps[0].message == "unchanged: web:2"


@pytest.mark.parametrize(
    ("release", "epoch", "active"), [("B", Epoch(), True), ("A", Epoch("abc", "A"), True), ("A", Epoch(), False)]
)
def test_that_of_another_release_or_turn_or_a_deregistered_one_is_not(
    release: str, epoch: Epoch, *, active: bool
) -> None:
    world = World()
    world.revisions[revision_of(world, release, epoch, IMAGE.reference)].active = active
    assert make(step_of(world)) == "web:3"


def test_of_two_the_older_is_used_as_everybody_would_choose() -> None:
    world = World()
    revision_of(world, "A", image=IMAGE.reference)
    revision_of(world, "A", image=IMAGE.reference)
    assert make(step_of(world)) == "web:2"


def test_one_with_another_image_is_not_used() -> None:
    world = World()
    revision_of(world, "A", image="r/web@sha256:old")
    assert make(step_of(world)) == "web:3"


def test_one_with_the_image_and_other_settings_is_not_used() -> None:
    world = World()
    other = definition_with(IMAGE.reference)
    other["containerDefinitions"][0]["environment"] = [{"name": "DEBUG", "value": "1"}]
    world.register(other, {release_tags.RELEASE: "A", release_tags.EPOCH: release_tags.epoch_value(Epoch())})
    assert make(step_of(world)) == "web:3"


def test_one_that_has_aws_defaults_beside_what_was_given_is_used() -> None:
    world = World()
    other = definition_with(IMAGE.reference)
    other["containerDefinitions"][0] |= {"cpu": 0, "essential": True, "environment": [], "systemControls": []}
    other["containerDefinitions"][0]["portMappings"][0] |= {"protocol": "tcp", "hostPort": 8000}
    world.register(other, {release_tags.RELEASE: "A", release_tags.EPOCH: release_tags.epoch_value(Epoch())})
    assert make(step_of(world)) == "web:2"


def test_one_that_aws_wrote_otherwise_than_given_is_used_once_aws_made_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    normalising(monkeypatch)
    steps = [step_of(world) for _ in range(2)]
    for step in steps:
        step.base = replace(step.base, definition={**step.base.definition, "cpu": "1 vCPU"})
    first, again = [make(step) for step in steps]
    assert again == first
    assert [revision.active for revision in world.revisions.values()] == [True, True, False]


def test_one_of_other_settings_is_not_used_though_aws_writes_values_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    normalising(monkeypatch)
    other = definition_with(IMAGE.reference)
    other["containerDefinitions"][0]["command"] = ["sh"]
    forged = world.register(
        {**other, "cpu": "1024"}, {release_tags.RELEASE: "A", release_tags.EPOCH: release_tags.epoch_value(Epoch())}
    )
    step = step_of(world)
    step.base = replace(step.base, definition={**step.base.definition, "cpu": "1 vCPU"})
    assert make(step) != forged.rpartition("/")[2]
    assert world.revisions[forged].active


def test_one_that_is_older_than_what_the_service_runs_is_not_used() -> None:
    world = World()
    revision_of(world, "A", image=IMAGE.reference)
    assert make(step_of(world, newer_than=2)) == "web:3"


def test_a_registration_whose_answer_was_lost_is_found_and_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    losing(monkeypatch, 1, carried_out=True)
    assert (make(step_of(world)), registrations(world)) == ("web:2", 1)


def test_a_registration_that_was_not_carried_out_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    losing(monkeypatch, 2, carried_out=False)
    step = step_of(world)
    begun = step.run.clock.now()
    assert (make(step), registrations(world)) == ("web:2", 1)
    assert step.run.clock.now() - begun >= 2 * module.LISTED_WITHIN


def test_answers_that_are_always_lost_end_as_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    losing(monkeypatch, module.ATTEMPTS, carried_out=False)
    with pytest.raises(Trouble, match="503"):
        make(step_of(World()))


def test_a_rollback_that_comes_while_it_is_registered_finds_it_noted() -> None:
    world = World()
    step = step_of(world)
    at(world, "after", "RegisterTaskDefinition", lambda: world.service_tags.update({release_tags.EPOCH: "abc/A"}))
    with pytest.raises(EpochChanged):
        make(step)
    assert [arn.rpartition("/")[2] for arn in step.made] == ["web:2"]


@pytest.mark.parametrize(("tags", "fits"), [(45, True), (46, False)])
def test_the_tags_of_ours_have_to_fit_beside_those_of_the_revision(tags: int, *, fits: bool) -> None:
    run = replace(new_run(World(), "canary", []), origin=Origin("c0ffee", build="https://ci/7/"))
    service = run.ecs.service()
    own = {f"key-{number}": "x" for number in range(tags)}
    current = replace(run.definitions.get(service.revision), tags=own)
    if fits:
        assert base_of(run, current, service, "app").tags == own
        return
    with pytest.raises(InvalidInput, match=r"^task definition web: it has 46 tags; ECS allows 50, and 5 of them"):
        base_of(run, current, service, "app")
