"""A rollout that ECS goes on trying is told and waited for, until nothing has moved for too long."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.model.release import Deployment, Event, Task
from ecs_pipeline.steps.rollout import HOPELESS_FOR
from ecs_pipeline.timing.wait import Settled, Waiting
from tests.unit.facts import crashed, deployment, later, revision
from tests.unit.rollouts import Rollout, broken, old, rolling, waiting

STALLED_AFTER = 300
UNABLE = "(service web) was unable to place a task because no container instance met all of its requirements."
WORDINGS = [
    UNABLE,
    f"{UNABLE} The closest matching (container-instance 1) has insufficient memory available.",
    "(service web) was unable to place a task. Reason: Capacity is unavailable at this time.",
]
LACKING = f"{UNABLE} The closest matching (container-instance 1) is missing an attribute required by your task."


UNDER_PROTECTION = "(service web) (taskSet ecs-svc/1) was unable to scale in due to (reason 2 tasks under protection)"


def event(message: str = UNABLE, seconds: float = 1) -> Event:
    return Event("1", later(seconds), message)


def after(found: Rollout, seconds: float, *deployments: Deployment, **members: Any) -> Any:
    found.step.run.clock.sleep(seconds)
    return found.look(*deployments, **members)


@pytest.mark.parametrize("wording", WORDINGS)
def test_a_task_that_finds_no_place_is_told_once_and_the_rollout_goes_on(wording: str) -> None:
    found = Rollout()
    for running in (0, 1, 2):
        judgement = after(found, 5, rolling(running=running), old(running=3 - running), events=(event(wording),))
        assert isinstance(judgement, Waiting)
    assert [text for text in found.told if "unable" in text] == [wording]
    assert isinstance(after(found, 5, deployment(2), events=(event(wording),)), Settled)


def test_an_event_from_before_the_deployment_is_not_told() -> None:
    found = Rollout()
    found.look(rolling(), old(), events=(event(seconds=-1),))
    assert found.told == []


def test_a_rollout_that_does_not_move_for_too_long_has_failed_for_what_ecs_says() -> None:
    found, events = Rollout(), (event(),)
    found.look(rolling(running=0, pending=0), old(running=3), events=events)
    still = after(found, STALLED_AFTER - 1, rolling(running=0, pending=0), old(running=3), events=events)
    assert isinstance(still, Waiting)
    why = broken(after(found, 1, rolling(running=0, pending=0), old(running=3), events=events))
    assert why == f"nothing has moved for 5m, 0 of 3 tasks run web:2, 3 of another revision: {UNABLE}"


def test_each_move_gives_it_the_whole_time_again() -> None:
    found = Rollout()
    for running, left in ((0, 3), (1, 3), (1, 2), (2, 2), (2, 1), (3, 1), (3, 0)):
        judgement = after(found, STALLED_AFTER - 1, rolling(running=running, pending=0), old(running=left))
        assert isinstance(judgement, Waiting)


def test_the_ups_and_downs_of_tasks_that_aws_takes_away_are_no_move() -> None:
    found, ended = Rollout(), []
    found.look(rolling(running=1, pending=0), old(running=3))
    for number in range(100):
        ended.append(crashed(f"t{number}", stop_code="SpotInterruption"))
        judgement = after(found, 10, rolling(running=number % 2, pending=0), old(running=3), stopped=ended)
        if not isinstance(judgement, Waiting):
            break
    assert broken(judgement).startswith("nothing has moved for 5m")


def test_a_task_that_runs_has_its_time_to_become_healthy() -> None:
    found, raw = Rollout(), {"healthCheckGracePeriodSeconds": 600}
    found.look(rolling(running=1, pending=0), old(running=2), raw=raw)
    judgement = after(found, STALLED_AFTER + 599, rolling(running=1, pending=0), old(running=2), raw=raw)
    assert isinstance(judgement, Waiting)
    assert "nothing has moved" in broken(after(found, 2, rolling(running=1, pending=0), old(running=2), raw=raw))


def leaving(status: str) -> Task:
    return crashed("old", revision=revision(1), status=status, stop_code="ServiceSchedulerInitiated", containers=())


def test_old_tasks_that_drain_are_waited_for_and_then_the_time_counts_anew() -> None:
    found, all_new = Rollout(), rolling(running=3, pending=0)
    found.look(all_new, stopped=[leaving("DEACTIVATING")])
    for _ in range(10):
        assert isinstance(after(found, 100, all_new, stopped=[leaving("DEACTIVATING")]), Waiting)
    assert isinstance(after(found, 5, all_new, stopped=[leaving("STOPPED")]), Waiting)
    assert isinstance(after(found, STALLED_AFTER - 10, all_new, stopped=[leaving("STOPPED")]), Waiting)
    assert "nothing has moved" in broken(after(found, 20, all_new, stopped=[leaving("STOPPED")]))


def test_old_tasks_that_are_protected_from_scale_in_are_waited_for_and_told() -> None:
    found, until = Rollout(), later(3600)
    deployments = (rolling(running=3, pending=0), old(running=2))
    found.look(*deployments, events=(event(UNDER_PROTECTION),))
    assert found.told == [UNDER_PROTECTION]
    found.protected = [later(60), until]
    told = "3 of 3 tasks run web:2, 2 of another revision; 2 tasks are protected from scale-in until 08:15 UTC"
    for _ in range(5):
        assert waiting(after(found, STALLED_AFTER, *deployments)) == told
    found.protected = []
    assert isinstance(after(found, 5, *deployments), Waiting)
    assert "nothing has moved" in broken(after(found, STALLED_AFTER, *deployments))


def test_a_role_that_may_not_ask_for_the_protection_is_told_so_once_and_no_rollout_ends_for_it() -> None:
    found = Rollout()
    found.denied = "ecs:GetTaskProtection: AccessDeniedException: not allowed"
    deployments = (rolling(running=3, pending=0), old(running=2))
    found.look(*deployments)
    assert "nothing has moved" in broken(after(found, 2 * STALLED_AFTER, *deployments))
    found.look(*deployments)
    assert found.told == [f"whether tasks are protected cannot be told: {found.denied}"]


def test_alarms_that_ecs_watches_at_the_end_are_waited_for() -> None:
    found = Rollout()
    raw = {"deploymentConfiguration": {"alarms": {"enable": True, "alarmNames": ["a"]}}}
    for _ in range(5):
        assert isinstance(after(found, STALLED_AFTER, rolling(running=3, pending=0), raw=raw), Waiting)


def test_a_cause_that_cannot_pass_fails_it_as_soon_as_it_is_seen_to_stand_still() -> None:
    found = Rollout()
    assert isinstance(found.look(rolling(running=0), old(running=3), events=(event(LACKING),)), Waiting)
    judgement = after(found, HOPELESS_FOR, rolling(running=0), old(running=3), events=(event(LACKING),))
    assert broken(judgement) == LACKING


def test_scaling_in_the_middle_begins_the_time_anew() -> None:
    found = Rollout()
    found.look(rolling(running=2, pending=0), old(running=1), desired=3)
    after(found, STALLED_AFTER - 1, rolling(running=2, pending=0), old(running=1), desired=2)
    judgement = after(found, STALLED_AFTER - 1, rolling(running=2, pending=0), old(running=1), desired=2)
    assert isinstance(judgement, Waiting)


def test_a_service_all_of_whose_tasks_run_the_old_revision_is_back_though_ecs_finds_no_place_to_renew_them() -> None:
    found = Rollout(only_ecs_verdict=True)
    deployments = (rolling(running=0, pending=0), old(revision=revision(2), running=3))
    assert waiting(found.look(*deployments)) == "0 of 3 tasks run web:2, 3 for an earlier deployment of it"
    assert isinstance(after(found, STALLED_AFTER - 1, *deployments), Waiting)
    assert isinstance(after(found, 1, *deployments), Settled)


def test_on_the_way_back_too_nothing_is_waited_for_that_does_not_move() -> None:
    found = Rollout(only_ecs_verdict=True)
    found.look(rolling(running=0, pending=0, failed=50), old(running=3))
    judgement = after(found, STALLED_AFTER, rolling(running=0, pending=0, failed=90), old(running=3))
    assert "nothing has moved for 5m" in broken(judgement)
