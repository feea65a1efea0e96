"""A tag makes no copy: only a revision that is what would be registered is taken in place of another one."""

from __future__ import annotations

import json
from pathlib import Path

from ecs_pipeline.protocol import release_tags
from tests.fakes.names import definition_with
from tests.fakes.world import World
from tests.unit.canary_world import kill_at
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import arn_of, rollback, serving


def lost_with_a_forged_copy() -> World:
    """The revision before the promotion was deregistered; somebody tagged another one as its copy."""
    world = start_of("A is promoted")
    tags = {release_tags.RESTORES: arn_of(world, "web:2"), release_tags.RELEASE: "P"}
    world.register(definition_with("image:other"), tags)
    world.revisions[arn_of(world, "web:2")].active = False
    return world


def test_a_revision_that_is_only_tagged_as_a_copy_is_passed_by_and_named_once() -> None:
    world = lost_with_a_forged_copy()
    end = rollback(world)
    assert (end.code, serving(world)) == (0, "web:5"), end.text
    assert world.revisions[arn_of(world, "web:5")].image == world.revisions[arn_of(world, "web:2")].image
    assert [line for line in end.run.recorder.record.notes if "web:4" in line] == [
        "web:4 is tagged as a copy of web:2, but is another one: it is passed by"
    ]


def test_one_with_the_image_and_other_settings_is_no_copy() -> None:
    world = start_of("A is promoted")
    good = world.revisions[arn_of(world, "web:2")]
    other = json.loads(json.dumps(good.definition))
    other["containerDefinitions"][0]["command"] = ["sh"]
    world.register(other, {release_tags.RESTORES: good.arn, release_tags.RELEASE: "P"})
    good.active = False
    assert (rollback(world).code, serving(world)) == (0, "web:5")


def test_a_copy_with_the_tags_of_another_release_is_none() -> None:
    world = start_of("A is promoted")
    good = world.revisions[arn_of(world, "web:2")]
    world.register(
        good.definition, {release_tags.RESTORES: good.arn, release_tags.RELEASE: "A", release_tags.EPOCH: "0/"}
    )
    good.active = False
    assert (rollback(world).code, serving(world)) == (0, "web:5")


def test_the_copy_that_a_killed_rollback_registered_is_taken_past_a_forged_one() -> None:
    world = lost_with_a_forged_copy()
    kill_at(world, "after", "RegisterTaskDefinition", lambda: rollback(world))
    world.register(
        definition_with("image:third"), {release_tags.RESTORES: arn_of(world, "web:2"), release_tags.RELEASE: "P"}
    )
    plan = rollback(world, dry_run=True).run.recorder.record.plan
    assert "update prd/web to web:5, a copy of web:2" in plan
    assert not any("anew" in line for line in plan)
    end = rollback(world)
    assert (end.code, serving(world)) == (0, "web:5")
    assert "RegisterTaskDefinition" not in end.writes


def test_with_to_the_same_holds() -> None:
    world = lost_with_a_forged_copy()
    plan = rollback(world, to="web:2", dry_run=True).run.recorder.record.plan
    assert {"register web:2 anew", "update prd/web to a copy of web:2"} <= set(plan)
    assert (rollback(world, to="web:2").code, serving(world)) == (0, "web:5")
    assert rollback(world, to="web:2").writes == []


def test_of_what_aws_describes_no_more_no_copy_can_be_proven_and_a_person_looks() -> None:
    world = lost_with_a_forged_copy()
    world.revisions[arn_of(world, "web:2")].forgotten = True
    end = rollback(world)
    assert (end.code, end.writes, serving(world)) == (3, [], "web:3")
    assert "; web:4 is tagged as its copy, which cannot be checked any more; `rollback --to FILE`" in end.text
    assert "`rollback --to web:4` after a look at what is in it" in end.text


def test_a_revision_that_is_only_tagged_as_made_from_the_file_is_passed_by(tmp_path: Path) -> None:
    first, world = start_of("A is promoted"), start_of("A is promoted")
    path = tmp_path / "wanted.json"
    path.write_text(json.dumps(definition_with("image:good")))
    assert rollback(first, to=str(path)).code == 0
    source = first.revisions[arn_of(first, "web:4")].tags[release_tags.SOURCE]
    world.register(definition_with("image:other"), {release_tags.SOURCE: source})
    end = rollback(world, to=str(path))
    assert (end.code, serving(world)) == (0, "web:5"), end.text
    assert world.revisions[arn_of(world, "web:5")].image == "image:good"
    plan = rollback(world, to=str(path), dry_run=True).run.recorder.record.plan
    assert plan == [f"update prd/web to web:5, which was registered from {path}"]
