"""The rollout as its deployment tells it: done, not yet, or failed, each noticed at the look that shows it."""

from __future__ import annotations

import pytest

from ecs_pipeline.model.release import Event
from ecs_pipeline.steps import rollout
from ecs_pipeline.timing.wait import Settled, Waiting
from tests.unit.facts import crashed, deployment, later
from tests.unit.rollouts import Rollout, broken, judged, old, rolling, waiting


def test_it_is_settled_when_the_deployment_is_complete_and_alone() -> None:
    assert isinstance(judged(deployment(2)), Settled)


def test_a_failed_deployment_of_an_earlier_time_does_not_hold_it_up() -> None:
    assert isinstance(judged(deployment(2), old(running=0, rollout="FAILED")), Settled)


@pytest.mark.parametrize("left", [{"running": 1}, {"running": 0, "pending": 1}])
def test_old_tasks_have_to_be_gone(left: dict[str, int]) -> None:
    assert waiting(judged(deployment(2), old(**left))) == "3 of 3 tasks run web:2, 1 of another revision"


def test_tasks_that_are_being_added_have_to_run() -> None:
    assert waiting(judged(deployment(2), pending=2)).startswith("3 of 3 tasks run web:2")


def test_progress_tells_how_many_tasks_run_what() -> None:
    assert waiting(judged(rolling(), old())) == "1 of 3 tasks run web:2, 2 of another revision"
    assert waiting(judged(rolling(running=3, pending=0))) == "3 of 3 tasks run web:2; the deployment is not complete"


@pytest.mark.parametrize("desired", [0, 1, 5])
def test_scaling_in_the_middle_changes_what_is_waited_for_not_the_outcome(desired: int) -> None:
    assert isinstance(judged(rolling(running=desired), desired=desired), Waiting)
    assert isinstance(judged(deployment(2, running=desired, desired=desired), desired=desired), Settled)


def test_where_ecs_tells_no_state_of_the_rollout_the_counts_decide() -> None:
    assert isinstance(judged(deployment(2, rollout="")), Settled)
    assert isinstance(judged(deployment(2, rollout="", running=2)), Waiting)
    assert isinstance(judged(deployment(2, rollout=""), old(running=1)), Waiting)


def test_a_failed_deployment_is_broken_with_the_reason_of_ecs() -> None:
    why = broken(judged(rolling(rollout="FAILED", reason="tasks failed to start"), old()))
    assert why == "the deployment failed: tasks failed to start"


BACK = Event("1", later(9), "(service web) rolling back to deployment ecs-svc/1.")


def test_a_rollback_by_ecs_is_told_by_its_failed_deployment() -> None:
    failed = deployment(2, status="ACTIVE", rollout="FAILED", running=0, reason="circuit breaker")
    found = Rollout()
    found.look(rolling(), old())
    why = broken(found.look(deployment(1), failed))
    assert why == "ECS rolled the deployment back to web:1: circuit breaker"


def test_a_rollback_by_ecs_is_told_by_its_event_when_the_deployment_is_gone_from_the_list() -> None:
    found = Rollout()
    found.look(rolling(), old(), stopped=[crashed("t1")])
    why = broken(found.look(deployment(1), stopped=[crashed("t1")], events=(BACK,)))
    assert why.startswith("ECS rolled the deployment back to web:1: Essential container exited ")


def test_another_revision_set_by_hand_is_told_as_that() -> None:
    found = Rollout()
    found.look(rolling(), old())
    assert waiting(found.look(deployment(7))) == "ECS shows web:7 again"
    found.step.run.clock.sleep(rollout.ANOTHER_FOR + 0.1)
    assert broken(found.look(deployment(7))) == "the service was set to web:7 while web:2 rolled out"


def test_answers_of_a_replica_that_is_behind_do_not_end_it() -> None:
    found = Rollout()
    for _ in range(3):
        assert waiting(found.look(rolling(), old())).startswith("1 of 3 tasks run web:2")
        for _ in range(2):
            assert waiting(found.look(deployment(1))) == "ECS shows web:1 again"
            found.step.run.clock.sleep(rollout.ANOTHER_FOR / 2)


def test_a_rollback_of_an_earlier_deployment_is_none_of_this_one() -> None:
    found = Rollout()
    found.look(rolling(created=later(10)), old())
    found.look(deployment(7), events=(BACK,))
    found.step.run.clock.sleep(rollout.ANOTHER_FOR + 0.1)
    assert broken(found.look(deployment(7), events=(BACK,))).startswith("the service was set to web:7")


def test_reads_that_lag_behind_the_update_are_waited_for_but_not_for_ever() -> None:
    found = Rollout()
    for _ in range(7):
        assert waiting(found.look(deployment(1))) == "ECS does not show the deployment of web:2 yet"
        found.step.run.clock.sleep(rollout.APPEARS_WITHIN / 7 - 0.1)
    found.step.run.clock.sleep(1)
    assert broken(found.look(deployment(1))).startswith("the service was set to web:1")


def test_a_service_without_a_primary_deployment_is_waited_for() -> None:
    assert waiting(judged(old())) == "the service has no primary deployment"
