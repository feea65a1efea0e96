"""When a hook counts as run, whoever else starts tasks, tags, or releases meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ecs_pipeline.errors import Trouble
from ecs_pipeline.hooks.hook_run import Occasion
from ecs_pipeline.protocol import release_tags
from tests.fakes.ecs import FakeEcs
from tests.fakes.names import REGISTRY, definition_with, digest_of
from tests.fakes.world import World
from tests.unit.canary_world import kill_at
from tests.unit.hook_runs import HOOKS, MIGRATE, V2, V3, failing, hook_tasks, hooks_run
from tests.unit.intruder import forge
from tests.unit.stage_runs import canary, promote, rollback


@pytest.fixture
def world() -> World:
    known = {version: digest_of(version) for version in ("v2", "v3")}
    return World(images={**known, **{digest: digest for digest in known.values()}})


def his(world: World, token: str, **other: Any) -> None:
    """Somebody starts a task with that token: `other` than the hook's, which he can work out."""
    newest = list(world.revisions)[-1]
    overrides = {"containerOverrides": [{"name": "app", "command": MIGRATE["command"]}]}
    given = {"taskDefinition": newest, "startedBy": "run/web", "tags": [], "overrides": overrides}
    world.run_task({**given, "clientToken": token, **other})


def the_token(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the hook is going to call RunTask with; then the world is as it was."""
    tokens: list[str] = []
    token_of = Occasion.token

    def told(*given: Any, **named: Any) -> str:
        tokens.append(token_of(*given, **named))
        return tokens[-1]

    monkeypatch.setattr(Occasion, "token", told)
    kill_at(world, "before", "RunTask", lambda: canary(world, **V2))
    return tokens[0]


def command(*words: str) -> dict[str, Any]:
    return {"overrides": {"containerOverrides": [{"name": "app", "command": list(words)}]}}


@pytest.mark.parametrize(
    "other",
    [
        command("true"),
        command(*MIGRATE["command"], "--dry-run"),
        {"overrides": {"containerOverrides": [{"name": "app", "command": MIGRATE["command"], "environment": []}]}},
        {"overrides": {**command(*MIGRATE["command"])["overrides"], "taskRoleArn": "arn:aws:iam::1:role/his"}},
        {"overrides": {}},
        {"startedBy": "canary/web"},
        {"taskDefinition": "web:1"},
    ],
    ids=["command", "more words", "environment", "role", "none", "startedBy", "revision"],
)
def test_a_foreign_task_with_the_hook_s_token_is_no_migration(
    world: World, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    token = the_token(world, monkeypatch)
    if "taskDefinition" in other:
        other = {"taskDefinition": world.deployments[0].revision}
    his(world, token, **other)
    end = canary(world, **V2)
    assert end.code == 0, end.text
    _, ours, *_ = world.tasks.values()
    assert ours.parameters["overrides"]["containerOverrides"] == [{"name": "app", "command": MIGRATE["command"]}]
    assert "overrides" in ours.parameters
    assert (ours.started_by, ours.stopped is not None) == ("run/web", True)


def test_who_resumes_comes_to_the_same_task_behind_a_foreign_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    his(world, the_token(world, monkeypatch), **command("true"))
    kill_at(world, "after", "RunTask", lambda: canary(world, **V2), count=2)
    assert canary(world, **V2).code == 0
    assert hooks_run(world) == ["true", "./migrate"]


def test_a_task_that_aws_shows_late_is_looked_at_nevertheless(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    his(world, the_token(world, monkeypatch), **command("true"))
    [task] = hook_tasks(world)
    world.missing.add(task.arn)
    looks: list[str] = []

    def shown_later(when: str, name: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        looks.extend([name] if (when, name) == ("before", "DescribeTasks") and world.missing else [])
        if len(looks) > 2:
            world.missing.clear()

    world.hook = shown_later
    assert canary(world, **V2).code == 0
    assert hooks_run(world) == ["true", "./migrate"]


def test_somebody_who_uses_the_tokens_up_holds_the_hook_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    the_token(world, monkeypatch)
    run_task = World.run_task

    def he_is_first(self: World, parameters: Any) -> str:
        if parameters["startedBy"] == "run/web":
            return run_task(self, {**parameters, **command("true")})
        return run_task(self, parameters)

    monkeypatch.setattr(World, "run_task", he_is_first)
    end = canary(world, **V2)
    assert (end.code, "50 tasks that somebody else started have the RunTask tokens" in end.text) == (4, True), end.text
    assert world.registered() == []


def migrating(*words: str, **more: Any) -> dict[str, Any]:
    """The canary of v2 with another command for its hook."""
    return {**V2, "settings": {"hooks": {"before_canary": [{**MIGRATE, "command": list(words), **more}]}}}


def test_the_migration_of_another_image_is_not_this_one_s(world: World) -> None:
    kill_at(world, "before", "RunTask", lambda: canary(world, **V2), count=2)  # after the hook, before the canary
    assert canary(world, **{**V2, "image": f"{REGISTRY}/web:v3"}).code == 0
    [task] = [task for task in world.alive() if task.started_by == "canary/web"]
    assert [hook.revision for hook in hook_tasks(world)][1:] == [task.revision]


@pytest.mark.parametrize(("moment", "count"), [("after", 1), ("before", 2)], ids=["it runs", "it ran"])
def test_nor_is_that_of_another_command(world: World, moment: str, count: int) -> None:
    kill_at(world, moment, "RunTask", lambda: canary(world, **V2), count=count)
    assert canary(world, **migrating("./migrate", "--to", "7")).code == 0
    ran = [task.parameters["overrides"]["containerOverrides"][0]["command"] for task in hook_tasks(world)]
    assert ["./migrate", "--to", "7"] in ran


def test_words_are_told_apart_whatever_is_in_them(world: World) -> None:
    kill_at(world, "before", "RunTask", lambda: canary(world, **migrating("a", "b c")), count=2)
    assert canary(world, **migrating("a", "b", "c")).code == 0
    assert hooks_run(world) == ["a", "a"]


@pytest.mark.parametrize("after", ["rolled back before", "promoted before"])
def test_after_promote_does_not_run_again_for_a_promotion_that_stands(world: World, after: str) -> None:
    assert canary(world, **V2).code == promote(world, settings=HOOKS).code == 0
    assert canary(world, **V3).code == 0
    if after == "promoted before":
        assert promote(world, settings=HOOKS).code == 0
    assert rollback(world, settings=HOOKS).code == 0
    end = promote(world, release="v2", settings=HOOKS)
    assert (end.code, end.writes) == (0, [])
    assert hooks_run(world).count("./purge") == (2 if after == "promoted before" else 1)


def test_after_promote_that_failed_runs_again_behind_the_rollback_of_another_release(world: World) -> None:
    assert canary(world, **V2).code == 0
    assert promote(failing(world), settings=HOOKS).code == 4
    assert canary(failing(world, 0), **V3).code == 0
    assert rollback(world, settings=HOOKS).code == 0
    assert promote(world, release="v2", settings=HOOKS).code == 0
    assert hooks_run(world).count("./purge") == 2


def test_a_release_that_was_promoted_and_rolled_back_runs_after_promote_again(world: World) -> None:
    for _ in range(2):
        assert canary(world, **V2).code == promote(world, settings=HOOKS).code == 0
        assert rollback(world, settings=HOOKS).code == 0
    assert hooks_run(world) == ["./migrate", "./purge", "./revert"] * 2


def test_a_corrected_command_runs_after_a_rollback_too(world: World) -> None:
    assert canary(world, **V2).code == rollback(world, settings=HOOKS).code == 0
    other = {"hooks": {"after_rollback": [{"name": "revert", "command": ["./revert", "--whole"]}]}}
    assert rollback(world, settings=other).code == rollback(world, settings=other).code == 0
    assert hooks_run(world) == ["./migrate", "./revert", "./revert"]


@pytest.mark.parametrize("verdict", ["", "pass"])
def test_a_forged_canary_makes_nobody_skip_the_hooks(world: World, verdict: str) -> None:
    kill_at(world, "before", "RunTask", lambda: canary(world, **V2))
    forge(world, "v2", list(world.revisions)[-1], tags={release_tags.VERDICT: verdict})
    world.schedule.now += 30
    end = canary(world, **V2)
    assert (end.code, hooks_run(world)) == (0, ["./migrate"]), end.text
    assert end.writes.index("RunTask") < end.writes.index("RegisterTargets")


def test_nor_while_the_hook_runs(world: World) -> None:
    world.delays.start = 1000
    assert canary(world, **migrating("./migrate", within="10s")).code == 4
    world.delays.start = 1
    [hook] = hook_tasks(world)
    hook.created += 10_000
    forge(world, "v2", hook.revision, tags={release_tags.VERDICT: ""})
    world.schedule.now += 30
    end = canary(world, **migrating("./migrate", within="10s"))
    assert (end.code, world.registered(), hooks_run(world)) == (4, [], ["./migrate"])


def test_a_hook_that_is_added_before_the_canary_takes_traffic_runs(world: World) -> None:
    kill_at(world, "before", "RegisterTargets", lambda: canary(world, **{**V2, "settings": {}}))
    end = canary(world, **V2)
    assert (end.code, hooks_run(world)) == (0, ["./migrate"])
    assert end.writes.index("RunTask") < end.writes.index("RegisterTargets")


def test_a_hook_that_is_added_when_the_canary_takes_traffic_comes_too_late_and_is_told(world: World) -> None:
    kill_at(world, "after", "RegisterTargets", lambda: canary(world, **{**V2, "settings": {}}))
    end = canary(world, **V2)
    assert (end.code, hooks_run(world)) == (0, [])
    assert end.message("before_canary: migrate") == "unchanged: it comes too late, the canary took traffic before"
    assert "hook migrate does not run for release v2: its canary took traffic before" in end.run.recorder.record.notes


def as_aws_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """RunTask takes no INACTIVE revision."""
    run_task = FakeEcs.run_task

    def refused(ecs: FakeEcs, parameters: Mapping[str, Any]) -> str:
        if not ecs.world.revisions[str(parameters["taskDefinition"])].active:
            raise Trouble("ecs:RunTask: ClientException: TaskDefinition is inactive")
        return run_task(ecs, parameters)

    monkeypatch.setattr(FakeEcs, "run_task", refused)


def test_a_hook_of_a_rollback_that_can_never_run_is_a_warning(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    as_aws_does(monkeypatch)
    assert canary(world, **V2).code == 0
    world.revisions[world.deployments[0].revision].active = False  # somebody deregisters what the service runs
    end = rollback(world, settings=HOOKS)
    assert end.code == 0, end.text
    told = "web:1 was deregistered, so no new task of it can be started; `rollback --to REVISION` leads to one that can"
    assert f"warning: after_rollback hook revert cannot run: {told}" in end.run.recorder.record.notes
    assert end.message("after_rollback: revert") == f"unchanged: {told}"
    again = rollback(world, settings=HOOKS)
    assert (again.code, again.writes, hooks_run(world)) == (0, [], ["./migrate"])
    assert rollback(world, dry_run=True, settings=HOOKS).run.recorder.record.plan == []
    assert canary(world, **V3).code == 3


def test_so_is_one_whose_container_the_revision_does_not_have(world: World) -> None:
    assert canary(world, **V2).code == 0
    hooks = {"hooks": {"after_rollback": [{"name": "revert", "command": ["x"], "container": "new"}]}}
    end = rollback(world, settings=hooks)
    assert (end.code, hooks_run(world)) == (0, ["./migrate"]), end.text
    assert any("no container new" in line for line in end.run.recorder.record.notes)


def test_where_the_way_out_leads_the_hook_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    as_aws_does(monkeypatch)
    assert canary(world, **V2).code == 0
    world.revisions[world.deployments[0].revision].active = False
    other = world.register(definition_with("web:0"), {})
    assert rollback(world, settings=HOOKS).code == 0
    end = rollback(world, to=other.rpartition("/")[2], settings=HOOKS)
    assert (end.code, hooks_run(world)) == (0, ["./migrate", "./revert"]), end.text
    assert hook_tasks(world)[-1].revision == other


@pytest.mark.parametrize("asked", ["v2", ""])
@pytest.mark.parametrize("place", [("before", "RunTask"), ("after", "RunTask"), ("before", "DeregisterTaskDefinition")])
def test_a_promote_that_was_killed_in_its_restore_runs_the_hooks_of_a_rollback(
    world: World, place: tuple[str, str], asked: str
) -> None:
    assert canary(world, **V2).code == 0
    world.bad_images[f"{REGISTRY}/web@{digest_of('v2')}"] = "rollout"
    kill_at(world, *place, lambda: promote(world, release="v2", settings=HOOKS))
    end = promote(world, release=asked, settings=HOOKS)
    assert (end.code, "release v2 was cancelled" in end.text) == (3, True), end.text
    assert hooks_run(world) == ["./migrate", "./revert"]
    again = promote(world, release=asked, settings=HOOKS)
    assert (again.code, again.writes) == (3, [])


def test_a_promotion_that_stands_runs_no_hook_of_the_rollback_of_another(world: World) -> None:
    assert canary(world, **V2).code == promote(world, settings=HOOKS).code == 0
    assert canary(world, **V3).code == rollback(world, settings={}).code == 0
    end = promote(world, settings=HOOKS)
    assert (end.code, end.writes) == (0, [])
