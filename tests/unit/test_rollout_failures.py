"""Failed tasks of a rollout: which ones count, how many are too many, and that their reasons are told."""

from __future__ import annotations

import pytest

from ecs_pipeline.model.breaker import failures_allowed
from ecs_pipeline.model.release import Deployment, Event
from ecs_pipeline.timing.wait import Broken, Waiting
from tests.unit.facts import crashed, deployment, later, revision, service
from tests.unit.rollouts import Rollout, broken, judged, old, rolling

BREAKER = {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}}


def test_failed_tasks_are_counted_where_no_breaker_is_on() -> None:
    two = [crashed("t1"), crashed("t2")]
    assert isinstance(judged(rolling(), old(), stopped=two), Waiting)
    judgement = judged(rolling(), old(), stopped=[*two, crashed("t3", created=later(1))])
    cause = "Essential container exited (app: exit code 3)"
    assert isinstance(judgement, Broken)
    assert judgement.why == f"3 tasks of the new revision failed: {cause}"
    assert "task t3: STOPPED, EssentialContainerExited: Essential container exited" in judgement.evidence
    assert "  the last line" in judgement.evidence


def test_where_a_breaker_is_on_ecs_judges() -> None:
    many = [crashed(f"t{number}") for number in range(50)]
    assert isinstance(judged(rolling(failed=50), old(), stopped=many, raw=BREAKER), Waiting)
    why = broken(judged(rolling(rollout="FAILED", reason="tasks failed to start"), old(), stopped=many, raw=BREAKER))
    assert why == "the deployment failed: tasks failed to start"


@pytest.mark.parametrize("code", ["SpotInterruption", "TerminationNotice", "InfrastructureHealth"])
def test_tasks_that_aws_takes_away_are_no_failures_of_the_release(code: str) -> None:
    taken = [crashed(f"t{number}", stop_code=code) for number in range(9)]
    assert isinstance(judged(rolling(failed=9), old(), stopped=[*taken, crashed("a"), crashed("b")]), Waiting)


def test_the_count_of_ecs_alone_fails_nothing_for_it_has_tasks_without_a_place_in_it() -> None:
    assert isinstance(judged(rolling(failed=50), old(), stopped=[crashed("t1")]), Waiting)


def test_failures_before_a_healthy_task_are_forgiven_as_the_breaker_does_it() -> None:
    found = Rollout()
    two, three = [crashed("t1"), crashed("t2")], [crashed(f"t{number}") for number in range(1, 4)]
    found.look(rolling(failed=2), old(running=3), stopped=two)
    assert isinstance(found.look(rolling(failed=0), old(running=3), stopped=three[:2]), Waiting)
    assert isinstance(found.look(rolling(failed=1), old(running=3), stopped=three), Waiting)
    four = [*three, crashed("t4")]
    assert isinstance(found.look(rolling(failed=1), old(running=2), stopped=four), Waiting)
    more = [*four, crashed("t5"), crashed("t6"), crashed("t7")]
    assert broken(found.look(rolling(failed=3), old(running=2), stopped=more)).startswith("3 tasks of the new revision")


def test_on_the_way_back_failed_tasks_are_not_counted() -> None:
    found = Rollout(only_ecs_verdict=True)
    unplaced = Event("1", later(1), "(service web) was unable to place a task")
    assert isinstance(found.look(rolling(failed=50), old(), events=(unplaced,)), Waiting)
    assert broken(found.look(rolling(rollout="FAILED", reason="no luck"), old())) == "the deployment failed: no luck"


@pytest.mark.parametrize("only_ecs_verdict", [False, True])
def test_ecs_event_that_nothing_can_move_ends_the_wait(*, only_ecs_verdict: bool) -> None:
    text = (
        "(service web) was unable to stop or start tasks during a deployment because of the service deployment "
        "configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
    )
    found = Rollout(only_ecs_verdict=only_ecs_verdict)
    stuck, before = Event("1", later(1), text), Event("0", later(-1), text)
    assert isinstance(found.look(rolling(), old(), events=(before,)), Waiting)
    assert broken(found.look(rolling(), old(), events=(stuck,))) == text


@pytest.mark.parametrize(("desired", "allowed"), [(0, 3), (3, 3), (7, 4), (20, 10), (1000, 200)])
def test_as_many_may_fail_as_with_a_breaker_of_default_threshold(desired: int, allowed: int) -> None:
    assert failures_allowed(service(desired=desired)) == allowed


def test_only_tasks_that_failed_by_themselves_in_this_deployment_are_counted_each_described_once() -> None:
    stopped = [
        crashed("crashed", created=later(3)),
        crashed("did-not-start", created=later(1), stop_code="TaskFailedToStart"),
        crashed("unhealthy", stop_code="ServiceSchedulerInitiated", stopped_reason="Task failed ELB health checks"),
        crashed(
            "scaled-in",
            stop_code="ServiceSchedulerInitiated",
            stopped_reason="Scaling activity initiated by deployment",
        ),
        crashed("by-hand", stop_code="UserInitiated"),
        crashed("old-revision", revision=revision(1)),
        crashed("of-an-earlier-rollout", created=later(-1)),
    ]
    found = Rollout()
    for _ in range(2):
        found.look(rolling(), old(), stopped=stopped)
        assert [task.id for task in found.step.observe().failed] == ["unhealthy", "did-not-start", "crashed"]
    assert found.described == [[task.arn for task in stopped]]


@pytest.mark.parametrize("deployments", [(deployment(2),), (deployment(1),), ()])
def test_stopped_tasks_are_not_read_when_nothing_of_ours_rolls(deployments: tuple[Deployment, ...]) -> None:
    found = Rollout()
    found.look(*deployments, stopped=[crashed("t1")])
    assert found.described == []
