"""Tags that somebody else wrote: nothing is done on the word of one that cannot be right; none blocks a rollback."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecs_pipeline.model.release import Epoch
from ecs_pipeline.protocol import release_tags
from tests.fakes.schedule import Killed
from tests.fakes.world import World
from tests.unit.canary_world import at
from tests.unit.intruder import evil_revision, forge
from tests.unit.odd_tags import TAGS, VALUES
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import active, canary, promote, rollback, serving

CANCEL_A = release_tags.epoch_value(Epoch("deadbeef", "A"))


def wanting(world: World, **named: str) -> str:
    """The service's tags name a revision of another family; its ARN."""
    evil = evil_revision(world, "A")
    world.service_tags |= {f"ecs-pipeline:{key.replace('_', '-')}": value or evil for key, value in named.items()}
    return evil


def test_a_forged_cancel_sends_the_service_nowhere_and_takes_no_revision_away() -> None:
    world = start_of("A is promoted")
    wanting(world, turn=CANCEL_A, wanted="", under_way=" ")
    refused = canary(world, release="B")
    assert (refused.code, refused.writes) == (3, [])
    end = rollback(world)
    assert (end.code, end.writes) == (3, [])
    assert "name evil:1 as wanted: no revision of its family web; nothing is done on their word" in end.text
    assert "`rollback --to web:3` keeps what runs" in end.text
    assert (serving(world), "web:3" in active(world)) == ("web:3", True)
    assert rollback(world, to="web:3").code == 0
    assert (serving(world), "web:3" in active(world)) == ("web:3", True)
    assert canary(world, release="B").code == 0


@pytest.mark.parametrize("name", ["wanted", "previous"])
def test_a_promotion_is_not_undone_on_the_word_of_such_a_mark(name: str) -> None:
    world = start_of("A is promoted")
    wanting(world, **{name: ""})
    end = rollback(world)
    assert (end.code, end.writes) == (3, [])
    assert f"name evil:1 as {name}" in end.text
    assert rollback(world, to="web:2").code == 0
    assert serving(world) == "web:2"
    assert set(clean(world)) == {"a revision is left over"}  # evil:1 itself, which is left alone


def test_promote_does_not_resume_what_such_a_mark_wants() -> None:
    world = start_of("P runs")
    wanting(world, wanted="", release="A", under_way="A")
    end = promote(world, release="A")
    assert (end.code, end.writes, serving(world)) == (3, [], "web:2")


@pytest.mark.parametrize("canary_only", [True, False])
def test_a_living_canary_is_rolled_back_nevertheless_and_the_service_stays(*, canary_only: bool) -> None:
    world = start_of("A is a canary")
    wanting(world, wanted="", previous="")
    assert canary(world, release="A").code == 0
    end = rollback(world, canary_only=canary_only)
    assert end.code == 0
    assert (world.alive(), world.registered(), serving(world)) == ([], [], "web:2")
    assert "web:3" not in active(world)
    assert world.marks()["wanted"].endswith("web:2")


def test_a_canary_that_fails_leaves_the_traffic_nevertheless() -> None:
    world = start_of("P runs")
    world.delays.healthy = 1000
    at(world, "after", "RegisterTargets", lambda: wanting(world, wanted="", previous=""))
    end = canary(world, release="B", settings={"canary": {"bake": "0s", "healthy_within": "5s"}})
    assert (end.code, world.alive(), world.registered(), serving(world)) == (1, [], [], "web:2")


def test_a_rollout_that_fails_goes_back_to_what_the_process_itself_saw() -> None:
    world = start_of("A is a canary")
    world.breaker = False
    world.bad_images[next(revision for revision in world.revisions.values() if "/web:3" in revision.arn).image] = (
        "rollout"
    )
    at(world, "after", "UpdateService", lambda: wanting(world, previous=""))
    end = promote(world, release="A")
    assert (end.code, serving(world), world.alive()) == (1, "web:2", [])


def test_a_cancelled_promote_does_not_go_where_a_forged_mark_wants() -> None:
    world = start_of("A is a canary")
    at(world, "after", "UpdateService", lambda: wanting(world, turn=CANCEL_A, wanted="", under_way=" "))
    end = promote(world, release="A")
    assert end.code == 3
    assert serving(world) != "evil:1"


@pytest.mark.parametrize("value", ["garbage", "web:9", "arn:aws:ecs:x", "\u00b2"])
def test_a_mark_that_cannot_be_read_is_told_once_and_blocks_nothing(value: str) -> None:
    world = start_of("A is promoted")
    world.service_tags |= {
        release_tags.WANTED: value,
        release_tags.TARGETS + "aa": "\u00b2 1.2.3.4:80",
        release_tags.TARGETS + "bb": "99999999999999999999 1.2.3.4:80",
        release_tags.TARGETS + "cc": "1700000000 1.2.3.4:\u00b2 nothing:80",
    }
    assert canary(world, release="B").code == 0
    assert promote(world, release="B").code == 0
    world.service_tags[release_tags.WANTED] = value
    end = rollback(world)
    assert (end.code, serving(world)) == (0, "web:3")
    told = [line for line in end.run.recorder.record.notes if "ecs-pipeline:wanted" in line]
    assert len(told) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_service_that_was_sent_elsewhere_is_brought_to_what_a_rollback_wants(moment: str) -> None:
    world = start_of("A is promoted")
    evil = evil_revision(world, "")
    if moment == "before":
        world.update_service(evil)
    else:
        left = [evil]
        at(world, "after", "UpdateService", lambda: world.update_service(left.pop()) if left else None)
    end = rollback(world)
    assert (end.code, serving(world)) == (0, "web:2")


def test_after_a_rollback_a_service_on_something_else_is_brought_back_by_the_next_one() -> None:
    world = start_of("A was rolled back")
    by_hand = world.register(world.revisions[world.deployments[0].revision].definition, {})
    world.update_service(by_hand)
    assert rollback(world, release="Z").code == 0
    assert rollback(world, canary_only=True).code == 0
    assert serving(world) == "web:4"
    end = rollback(world)
    assert (end.code, serving(world)) == (0, "web:2")
    assert "web:4" in active(world)


def test_a_service_that_was_set_by_hand_after_a_rollback_may_have_canaries_and_stays() -> None:
    world = start_of("A was rolled back")
    by_hand = world.register(world.revisions[world.deployments[0].revision].definition, {})
    world.update_service(by_hand)
    assert canary(world, release="B", replace=True).code == 0
    assert rollback(world).code == 0
    assert (serving(world), world.alive()) == ("web:4", [])
    assert canary(world, release="B").code == 0
    assert promote(world).code == 0
    assert rollback(world).code == 0
    assert serving(world) == "web:4"


def test_to_a_revision_that_was_set_by_hand_keeps_it_and_says_so_to_the_next() -> None:
    world = start_of("A was rolled back")
    by_hand = world.register(world.revisions[world.deployments[0].revision].definition, {})
    world.update_service(by_hand)
    world.schedule.now += 100
    end = rollback(world, to="web:4")
    assert (end.code, serving(world), end.writes) == (0, "web:4", ["TagResource"])
    assert rollback(world).writes == []


def test_no_rollback_ends_well_when_what_it_wanted_is_taken_from_it() -> None:
    world = start_of("A is promoted")
    old = {release_tags.RELEASE: "A", release_tags.EPOCH: release_tags.epoch_value(Epoch())}

    def die() -> None:
        raise Killed

    at(world, "after", "TagResource", die)
    with pytest.raises(Killed):
        rollback(world)
    world.hook = lambda *_: None
    for revision in world.revisions.values():
        revision.tags |= old
    end = rollback(world)
    assert end.code == 3
    assert (
        "what the last rollback wanted instead was taken away as well; `rollback --to web:3` keeps what runs"
        in end.text
    )
    assert rollback(world).code == 3
    assert rollback(world, to="web:2").code == 0
    assert (serving(world), rollback(world).code) == ("web:2", 0)


@settings(derandomize=True, deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(service=TAGS, task=TAGS, revision=TAGS)
def test_whatever_is_tagged_a_rollback_ends_as_it_may_and_never_off_its_way(
    service: dict[str, str], task: dict[str, str], revision: dict[str, str]
) -> None:
    world = start_of("A is a canary")
    kept = dict(world.service_tags)
    world.service_tags |= service
    (mine,) = world.alive()
    mine.tags |= task
    world.revisions[mine.revision].tags |= revision
    end = rollback(world)
    assert end.code in (0, 3)
    assert serving(world) == "web:2"
    if not service:
        assert world.registered() == []
    world.service_tags = kept


@settings(derandomize=True, deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    value=VALUES,
    key=st.sampled_from(
        [release_tags.INDEX, release_tags.JUDGED_STEPS, release_tags.JUDGED_TASKS, release_tags.BAKE_BEGAN]
    ),
)
def test_no_number_of_a_task_keeps_its_canary_from_being_rolled_back(value: str, key: str) -> None:
    world = start_of("A is a canary")
    world.alive()[0].tags[key] = value
    end: Any = rollback(world)
    assert (end.code, world.alive(), world.registered()) == (0, [], [])


def test_a_foreign_task_of_a_release_that_is_under_way_goes_with_its_rollback() -> None:
    world = start_of("P runs")
    world.service_tags[release_tags.UNDER_WAY] = "B"
    forged = forge(world, "B", evil_revision(world, "B"))
    assert rollback(world).code == 0
    assert (forged.stop_asked is not None, serving(world)) == (True, "web:2")
