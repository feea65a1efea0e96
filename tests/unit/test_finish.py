"""Finishing a rollback: whatever an earlier process left, whoever comes in between, and what may not go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ecs_pipeline.model.release import Epoch, Service
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.decide import next_epoch
from ecs_pipeline.steps.rollout import APPEARS_WITHIN
from ecs_pipeline.undo.overtaken import Overtaken
from ecs_pipeline.undo.sweep import Sweeper
from tests.fakes.ports import new_run
from tests.fakes.resources import FakeDeployment
from tests.fakes.world import World
from tests.unit.canary_world import at, dies, kill_at
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import End, active, canary, promote, rollback, serving


def of_release(world: World, release: str) -> str:
    """The first revision of a release."""
    return next(
        revision.arn for revision in world.revisions.values() if revision.tags.get(release_tags.RELEASE) == release
    )


def finishing(world: World, epoch: Epoch, replaced: Epoch | None = None) -> Sweeper:
    run = new_run(world, "rollback", ["drain", "cleanup", "service-update", "stable", "deregister"])
    return Sweeper(run, epoch, run.recorder.step, replaced)


def cancelling(world: World) -> tuple[Sweeper, Epoch]:
    """What finishes a cancel of release A whose epoch has just begun, and the epoch that this one replaced."""
    old = release_tags.parse_service(world.service_tags).epoch
    epoch = next_epoch(old, "A")
    world.service_tags |= {release_tags.EPOCH: release_tags.epoch_value(epoch), release_tags.UNDER_WAY: ""}
    return finishing(world, epoch, replaced=old), old


# ---- the revision to return to


def test_a_home_that_somebody_deregistered_is_registered_anew() -> None:
    world = start_of("A is promoted")
    home = of_release(world, "P")
    world.revisions[home].active = False
    assert rollback(world).code == 0
    assert (serving(world), world.marks()["release"]) == ("web:4", "P")
    copy = world.revisions[world.deployments[0].revision]
    assert (copy.definition, copy.tags[release_tags.RESTORES]) == (world.revisions[home].definition, home)
    assert active(world) == ["web:1", "web:4"]
    assert not list(clean(world))


def test_a_copy_that_a_dead_process_registered_is_taken() -> None:
    world = start_of("A is promoted")
    home = world.revisions[of_release(world, "P")]
    home.active = False
    world.register(home.definition, {**home.tags, release_tags.RESTORES: home.arn})
    end = rollback(world)
    assert (end.code, serving(world), "RegisterTaskDefinition" in end.writes) == (0, "web:4", False)


# ---- revisions that may not go


def running(world: World, release: str) -> str:
    """A task of somebody else's that runs a release's revision; its id."""
    asked = {"clientToken": "theirs", "taskDefinition": of_release(world, release), "tags": [], "startedBy": "cron"}
    return world.run_task(asked).rpartition("/")[2]


@pytest.mark.parametrize("start", ["A is a canary", "A is promoted"])
def test_a_revision_that_a_task_of_somebody_else_runs_stays(start: str) -> None:
    world = start_of(start)
    running(world, "A")
    end = rollback(world)
    assert (end.code, active(world), serving(world)) == (0, ["web:1", "web:2", "web:3"], "web:2")
    assert "DeregisterTaskDefinition" not in end.writes


def test_a_revision_that_a_deployment_still_runs_stays() -> None:
    world = start_of("A is a canary")
    left = FakeDeployment("ecs-svc/left", of_release(world, "A"), world.now - 5, "ACTIVE", "COMPLETED")
    world.deployments.append(left)
    rollback(world)
    assert "web:3" in active(world)


def test_a_revision_to_return_to_is_never_deregistered() -> None:
    world = start_of("A is promoted")
    canary(world, release="B")
    rollback(world)
    assert active(world) == ["web:1", "web:2", "web:3"]


# ---- others at the same time


def test_another_rollback_that_begins_meanwhile_is_noticed() -> None:
    world = start_of("A is a canary")
    seen = new_run(world, "x", []).observer.snapshot()
    epoch = next_epoch(seen.marks.epoch, "A")
    world.service_tags[release_tags.EPOCH] = release_tags.epoch_value(next_epoch(epoch, "B"))
    with pytest.raises(Overtaken) as caught:
        finishing(world, epoch, replaced=seen.marks.epoch).until_clean()
    assert caught.value.epoch.cancelled == "B"


def test_a_service_that_this_process_had_moved_goes_to_what_the_later_rollback_wants() -> None:
    world = start_of("A is promoted")
    epoch = next_epoch(Epoch(), "A")
    world.service_tags |= {
        release_tags.EPOCH: release_tags.epoch_value(epoch),
        release_tags.WANTED: of_release(world, "P"),
    }
    first = next(iter(world.revisions))
    theirs = {release_tags.EPOCH: release_tags.epoch_value(next_epoch(epoch, "P")), release_tags.WANTED: first}
    at(world, "after", "UpdateService", lambda: world.service_tags.update(theirs))
    with pytest.raises(Overtaken):
        finishing(world, epoch).until_clean()
    assert world.deployments[0].revision == first


def test_the_turn_that_it_replaced_is_a_stale_read_and_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = start_of("A is a canary")
    finish, old = cancelling(world)
    stale = replace(world.service_facts(), marks=replace(world.service_facts().marks, epoch=old))
    answers, read = [stale, stale], finish.run.ecs.service
    monkeypatch.setattr(finish.run.ecs, "service", lambda: answers.pop(0) if answers else read())
    finish.until_clean()
    assert (answers, world.alive()) == ([], [])


def test_late_reads_after_a_removal_are_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    world = start_of("A is a canary")
    finish, old = cancelling(world)
    read, until = finish.run.ecs.service, [0.0]

    def service() -> Service:
        seen = read()
        return replace(seen, marks=replace(seen.marks, epoch=old)) if world.now < until[0] else seen

    at(world, "after", "StopTask", lambda: until.__setitem__(0, world.now + 30))
    monkeypatch.setattr(finish.run.ecs, "service", service)
    before = len(world.log)
    finish.until_clean()
    looks = [name for _, name, _ in world.log[before:]].count("ListTaskDefinitions")
    assert (world.alive(), looks < 100) == ([], True)


def test_an_update_that_is_not_shown_yet_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = start_of("A is promoted")
    epoch = next_epoch(Epoch(), "A")
    world.service_tags |= {
        release_tags.EPOCH: release_tags.epoch_value(epoch),
        release_tags.WANTED: of_release(world, "P"),
    }
    finish, before = finishing(world, epoch), len(world.writes())
    read, stale = finish.run.ecs.service, world.service_facts()
    late: list[float] = []
    at(world, "after", "UpdateService", lambda: late.append(world.now + 5))
    monkeypatch.setattr(finish.run.ecs, "service", lambda: stale if late and world.now < late[0] else read())
    finish.until_clean()
    assert world.writes()[before:].count("UpdateService") == 1
    assert world.deployments[0].revision == of_release(world, "P")


def test_an_update_that_another_one_undid_is_sent_again() -> None:
    world = start_of("A is promoted")
    bad = world.deployments[0].revision
    epoch = next_epoch(Epoch(), "A")
    world.service_tags |= {
        release_tags.EPOCH: release_tags.epoch_value(epoch),
        release_tags.WANTED: of_release(world, "P"),
    }
    others = [bad]
    at(world, "after", "UpdateService", lambda: world.update_service(others.pop()) if others else None)
    begun = world.now
    finishing(world, epoch).until_clean()
    assert world.deployments[0].revision == of_release(world, "P")
    assert world.now - begun < APPEARS_WITHIN


# ---- the way back


def test_a_service_that_does_not_come_back_is_trouble_that_names_the_way_out() -> None:
    world = start_of("A is promoted", {"P": "rollout"})
    world.breaker = False
    end = rollback(world)
    assert end.code == 4
    assert end.text.startswith("the service does not come back to web:2: ")
    assert "`rollback --to` takes any other revision" in end.text
    assert active(world) == ["web:1", "web:2", "web:3"]


def test_a_rollback_waits_for_tasks_that_a_dead_process_had_told_to_stop() -> None:
    world = start_of("A is a canary")
    world.delays.stop = 60
    (task,) = world.alive()
    world.stop_task(task.arn, "ecs-pipeline: rolled back")
    begun = world.now
    assert rollback(world).code == 0
    assert world.now - begun >= 60


@pytest.mark.parametrize(("command", "code"), [(rollback, 0), (promote, 3), (canary, 0)])
def test_what_a_dead_process_left_of_a_cancel_is_out_of_the_traffic_after_the_next_command(
    command: Callable[..., End], code: int
) -> None:
    world = start_of("A is a canary")
    (old,) = world.alive()
    epoch = next_epoch(Epoch(), "A")
    world.service_tags |= {release_tags.EPOCH: release_tags.epoch_value(epoch), release_tags.UNDER_WAY: ""}
    assert command(world, release="A").code == code
    assert old not in world.alive()
    assert (old.address, 8000) not in world.registered()
    assert not {*clean(world)} - ({"a revision is left over"} if command is canary else set())


def test_a_restore_is_one_step_of_its_stage() -> None:
    world = start_of("P runs", {"A": "crash"})
    end = canary(world, release="A")
    assert end.code == 1
    assert end.message("restore") == "the service runs web:2; no canary lives"
    assert [step.name for step in end.run.recorder.record.steps if step.outcome == "failed"] == ["tasks"]


# ---- draining is bounded


@pytest.mark.parametrize("drain", [0, 10])
def test_a_drain_that_is_configured_bounds_how_long_a_rollback_waits(drain: int) -> None:
    world = start_of("A is a canary")
    world.delays.drain = 300
    begun, calls = world.now, len(world.log)
    assert rollback(world, settings={"rollback": {"drain": f"{drain}s"}}).code == 0
    assert (world.alive(), active(world)) == ([], ["web:1", "web:2"])
    assert drain <= world.now - begun < drain + 10
    assert len(world.log) - calls < 100


def test_a_canary_that_sweeps_what_a_dead_rollback_left_waits_no_longer_than_configured() -> None:
    world = start_of("A is a canary")
    world.delays.drain = 300
    kill_at(world, "after", "TagResource", lambda: rollback(world))
    begun = world.now
    assert canary(world, release="B", settings={"rollback": {"drain": "0s"}}).code == 0
    assert world.now - begun < 30


def test_the_address_of_a_canary_that_died_is_not_waited_for() -> None:
    world = start_of("A is a canary")
    world.delays.drain = 300
    dies(world)
    begun = world.now
    assert canary(world, release="A").code == 0
    assert world.now - begun < 30


def test_tasks_that_are_found_one_after_the_other_are_each_waited_for_once() -> None:
    world = start_of("P runs")
    canary(world, release="A", settings={"canary": {"tasks": 2, "bake": "2s", "healthy_within": "30s"}})
    world.delays.drain = 300
    kill_at(world, "after", "TagResource", lambda: rollback(world))
    late = world.alive()[1].arn
    world.missing.add(late)
    at(world, "after", "DeregisterTargets", world.missing.clear)
    begun, calls = world.now, len(world.log)
    assert canary(world, release="B", settings={"rollback": {"drain": "0s"}}).code == 0
    assert (world.now - begun < 30, len(world.log) - calls < 200) == (True, True)
