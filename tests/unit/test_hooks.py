"""Hooks: one-off commands before a canary, after a promotion, after a rollback; each once for its occasion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.errors import Interrupted
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.reports.cases import cases, what_was_done
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.schedule import Agent
from tests.fakes.world import World
from tests.unit.canary_world import kill_at, once
from tests.unit.hook_runs import HOOKS, MIGRATE, REVERT, V2, failing, hook_tasks, hooks_run
from tests.unit.stage_runs import End, canary, promote, rollback


@pytest.fixture
def world() -> World:
    return World(images={"v2": digest_of("v2"), digest_of("v2"): digest_of("v2")})


def outcomes(end: End) -> dict[str, str]:
    """JUnit cases and how they ended."""
    return {case.name: case.outcome for case in cases(end.run.recorder.record)}


def test_a_hook_runs_the_new_revision_before_any_canary_task_is_started(world: World) -> None:
    end = canary(world, **V2)
    assert end.code == 0, end.text
    hook, task = world.tasks.values()
    assert (hook.started_by, task.started_by) == ("run/web", "canary/web")
    assert hook.revision == task.revision
    assert hook.parameters["overrides"] == {"containerOverrides": [{"name": "app", "command": ["./migrate", "--all"]}]}
    assert hook.stopped is not None
    assert hook.stopped <= task.created
    assert end.message("before_canary: migrate") == "exit code 0"


def test_hooks_are_cases_in_their_place_whether_they_are_reached_or_not(world: World) -> None:
    end = canary(world, **V2)
    names = list(outcomes(end))
    assert names[2:4] == ["task-definition", "before_canary: migrate"]
    assert names[-2:] == ["restore", "after_rollback: revert"]
    assert outcomes(end)["after_rollback: revert"] == "skipped"
    assert list(outcomes(promote(world, settings=HOOKS)))[-3:] == [
        "after_promote: purge",
        "restore",
        "after_rollback: revert",
    ]
    assert list(outcomes(rollback(world, settings=HOOKS)))[-1] == "after_rollback: revert"


def test_a_failed_hook_fails_the_release_before_traffic(world: World) -> None:
    end = canary(failing(world), **V2)
    assert (end.code, end.text) == (
        1,
        "hook migrate failed: exit code 7; correct the release and start it again; the service runs web:1 as before",
    )
    assert [task.started_by for task in world.tasks.values()] == ["run/web", "run/web"]
    assert "RegisterTargets" not in end.writes
    assert not world.revisions[hook_tasks(world)[0].revision].active
    assert outcomes(end)["before_canary: migrate"] == "failed"
    evidence = end.run.recorder.record.step("before_canary: migrate").evidence
    assert "last lines of app:" in evidence


def test_a_hook_that_finished_is_not_run_again_by_a_resumed_canary(world: World) -> None:
    kill_at(world, "before", "RegisterTargets", lambda: canary(world, **V2))
    assert hooks_run(world) == ["./migrate"]
    world.stop_task(world.alive()[0].arn, "gone")
    end = canary(world, **V2)
    assert end.code == 0, end.text
    assert hooks_run(world) == ["./migrate"]
    assert end.message("before_canary: migrate") == "unchanged: it ran before"


@pytest.mark.parametrize("call", ["RunTask", "DescribeTasks"])
def test_a_killed_hook_is_waited_for_by_the_next_process(world: World, call: str) -> None:
    kill_at(world, "after", call, lambda: canary(world, **V2))
    assert canary(world, **V2).code == 0
    assert hooks_run(world) == ["./migrate"]


def test_a_release_that_starts_again_runs_its_hooks_again(world: World) -> None:
    assert canary(failing(world), **V2).code == 1
    assert canary(failing(world, 0), **V2).code == 0
    assert rollback(world, settings=HOOKS).code == 0
    assert canary(world, **V2).code == 0
    assert hooks_run(world) == ["./migrate", "./revert", "./migrate", "./revert", "./migrate"]


def test_a_rollback_ends_the_canary_and_lets_the_hook_s_task_end(world: World) -> None:
    world.delays.start = 30

    def body(name: str) -> Any:
        return canary(world, **V2) if name == "canary" else rollback(world, release="v2", settings={"hooks": {}})

    def after_the_hook_began(ready: Sequence[Agent]) -> Agent:
        names = {agent.name: agent for agent in ready}
        first, second = ("rollback", "canary") if hook_tasks(world) else ("canary", "rollback")
        return names.get(first) or names[second]

    world.schedule = type(world.schedule)(after_the_hook_began)
    agents = [Agent(name, lambda name=name: body(name)) for name in ("canary", "rollback")]  # type: ignore[misc]
    world.schedule.run(*agents)
    cancelled, undone = (agent.result for agent in agents)
    assert undone.code == 0, undone.text
    assert (cancelled.code, "was cancelled by the rollback of release v2" in cancelled.text) == (3, True)
    [hook] = hook_tasks(world)
    assert "StopTask" not in (*undone.writes, *cancelled.writes)
    assert not world.revisions[hook.revision].active
    assert outcomes(cancelled)["tasks"] == "skipped"


def test_after_promote_runs_the_promoted_revision_when_the_canary_is_gone(world: World) -> None:
    canary(world, **V2)
    end = promote(world, settings=HOOKS)
    assert end.code == 0, end.text
    *_, hook = hook_tasks(world)
    assert hook.revision == world.deployments[0].revision
    assert end.writes.index("StopTask") < end.writes.index("RunTask")
    assert promote(world, settings=HOOKS).writes == []


def test_a_hook_that_fails_after_a_promotion_leaves_the_release_promoted_and_runs_again(world: World) -> None:
    canary(world, **V2)
    end = promote(failing(world), settings=HOOKS)
    told = "release v2 is promoted, but its after_promote hooks are not done: hook purge failed: exit code 7"
    assert (end.code, end.text) == (4, f"{told}; the same command runs it again")
    assert world.service_tags[release_tags.RELEASE] == "v2"
    assert "last lines of app:" in end.run.recorder.record.step("after_promote: purge").evidence

    again = promote(failing(world, 0), settings=HOOKS)
    assert (again.code, again.writes) == (0, ["RunTask", "TagResource"])
    assert hooks_run(world) == ["./migrate", "./purge", "./purge"]


def test_a_process_that_died_after_a_promotion_leaves_its_hooks_to_the_next(world: World) -> None:
    canary(world, **V2)
    kill_at(world, "before", "RunTask", lambda: promote(world, settings=HOOKS))
    assert hooks_run(world) == ["./migrate"]
    assert promote(world, settings=HOOKS).code == 0
    assert hooks_run(world) == ["./migrate", "./purge"]


def test_after_rollback_runs_what_the_service_runs_then(world: World) -> None:
    canary(world, **V2)
    promote(world, settings=HOOKS)
    end = rollback(world, settings=HOOKS)
    assert end.code == 0, end.text
    *_, hook = hook_tasks(world)
    assert (hook.revision, hooks_run(world)[-1]) == (world.deployments[0].revision, "./revert")
    assert rollback(world, settings=HOOKS).writes == []


def test_a_hook_that_fails_after_a_rollback_is_told_and_runs_again(world: World) -> None:
    canary(world, **V2)
    end = rollback(failing(world), settings=HOOKS)
    assert (end.code, "the service is back on web:1, but" in end.text) == (4, True)
    assert rollback(failing(world, 0), settings=HOOKS).code == 0
    assert hooks_run(world) == ["./migrate", "./revert", "./revert"]


def test_a_rollback_with_nothing_to_do_runs_no_hook_once_another_release_began(world: World) -> None:
    canary(world, **V2)
    rollback(world, settings={"hooks": {}})
    canary(world, **{**V2, "release": "v3", "settings": {}})
    promote(world, settings={})
    before = len(hook_tasks(world))
    assert rollback(world, canary_only=True, settings=HOOKS).writes == []
    assert len(hook_tasks(world)) == before


def test_a_canary_that_restores_the_service_runs_the_hooks_of_a_rollback(world: World) -> None:
    world.bad_images[f"{REGISTRY}/web@{digest_of('v2')}"] = "crash"
    end = canary(world, **{**V2, "settings": {"hooks": {"after_rollback": [REVERT]}}})
    assert end.code == 1
    assert hooks_run(world) == ["./revert"]
    assert end.message("after_rollback: revert") == "exit code 0"


def test_a_hook_of_a_restore_that_fails_is_told_beside_the_failure(world: World) -> None:
    end = canary(failing(world), **V2)
    assert end.code == 1
    assert end.text.startswith("hook migrate failed")
    note = (
        "the service is back on web:1, but the after_rollback hooks are not done: hook revert failed: exit code 7; "
        "`rollback` runs it again"
    )
    assert note in end.run.recorder.record.notes
    assert rollback(failing(world, 0), settings=HOOKS).code == 0
    assert hooks_run(world) == ["./migrate", "./revert", "./revert"]


@pytest.mark.parametrize(
    ("stop", "told"),
    [
        ("SpotInterruption", "AWS took task"),
        ("TaskFailedToStart", "hook migrate failed: CannotPull"),
    ],
)
def test_a_hook_that_never_ended_runs_again(world: World, stop: str, told: str) -> None:
    def taken() -> None:
        [task] = hook_tasks(world)
        world.stop_task(
            task.arn, "CannotPull" if stop == "TaskFailedToStart" else "Your Spot Task was interrupted.", stop
        )

    once(world, "after", "RunTask", taken)
    end = canary(world, **{**V2, "settings": {"hooks": {"before_canary": [MIGRATE]}}})
    assert (end.code, told in end.text) == (1 if "Cannot" in told else 4, True), end.text
    assert canary(world, **V2).code == 0
    assert hooks_run(world) == ["./migrate", "./migrate"]


def test_dry_runs_tell_the_hooks_and_run_none(world: World) -> None:
    end = canary(world, dry_run=True, **V2)
    assert (end.message("before_canary: migrate"), end.writes) == ("would run before_canary hook migrate", [])
    canary(world, **V2)
    assert promote(world, dry_run=True, settings=HOOKS).message("after_promote: purge") == (
        "would run after_promote hook purge"
    )
    planned = rollback(world, dry_run=True, settings=HOOKS)
    assert planned.run.recorder.record.plan[-1] == "run after_rollback hook revert"
    assert hooks_run(world) == ["./migrate"]


def test_no_log_line_is_told_where_none_is_to_leave_cloudwatch(world: World) -> None:
    quiet = {**HOOKS, "reports": {"log_lines": 0}}
    end = canary(failing(world), **{**V2, "settings": quiet})
    assert end.code == 1
    assert "last lines of app:" not in end.run.recorder.record.step("before_canary: migrate").evidence


def test_what_an_interrupted_canary_has_not_done_ends_before_the_restore(world: World) -> None:
    def interrupt() -> None:
        raise Interrupted(15)

    once(world, "before", "RunTask", interrupt)
    end = canary(world, **V2)
    assert end.code == 143
    told = what_was_done(end.run.recorder.record)
    assert "may have been done: run before_canary hook migrate" in told
    left = [line.removeprefix("not done: ") for line in told if line.startswith("not done: ")]
    assert left == ["tasks", "healthy", "traffic", "bake"]


def test_a_hook_costs_so_many_calls(world: World) -> None:
    other = World(images=dict(world.images))
    canary(world, **V2)
    canary(other, **{**V2, "settings": {}})
    more = Counter(name for _, name, _ in world.log) - Counter(name for _, name, _ in other.log)
    looks = more["DescribeTasks"]
    known = Counter(RunTask=1, TagResource=1, ListTasks=2, DescribeTaskDefinition=1)
    assert more == known + Counter(DescribeTasks=looks, DescribeServices=looks + 4)
    page = Path(__file__).parents[2] / "docs" / "time-and-cost.md"
    assert f"A hook takes {sum(more.values()) - 2 * looks} calls, and 2 more every 2 s" in page.read_text(
        encoding="utf-8"
    )
