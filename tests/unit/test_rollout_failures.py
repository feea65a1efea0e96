"""Failed tasks of a rollout: which ones count, how many are too many, and that their reasons are told."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.model import Deployment, Event
from ecs_pipeline.steps.rollout import failures_allowed
from ecs_pipeline.wait import Broken, Waiting
from tests.unit.facts import crashed, deployment, later, revision, service
from tests.unit.rollouts import Rollout, broken, judged, old, rolling

BREAKER = {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}}


@pytest.mark.parametrize("raw", [{}, BREAKER], ids=["no breaker", "breaker"])
def test_failed_tasks_are_counted_with_and_without_a_breaker(raw: dict[str, Any]) -> None:
    two = [crashed("t1"), crashed("t2")]
    assert isinstance(judged(rolling(), old(), stopped=two, raw=raw), Waiting)
    judgement = judged(rolling(), old(), stopped=[*two, crashed("t3", created=later(1))], raw=raw)
    cause = "Essential container exited (app: exit code 3)"
    assert isinstance(judgement, Broken)
    assert judgement.why == f"3 tasks of the new revision failed: {cause}"
    assert "task t3: STOPPED, EssentialContainerExited: Essential container exited" in judgement.evidence
    assert "  the last line" in judgement.evidence


def test_the_count_of_ecs_is_taken_where_it_is_higher() -> None:
    why = broken(judged(rolling(failed=3), old(), stopped=[crashed("t1")]))
    assert why.startswith("3 tasks of the new revision failed: Essential container exited")


def test_on_the_way_back_only_the_verdict_of_ecs_counts() -> None:
    found = Rollout(patient=True)
    unplaced = Event("1", later(1), "(service web) was unable to place a task")
    assert isinstance(found.look(rolling(failed=50), old(), events=(unplaced,)), Waiting)
    assert broken(found.look(rolling(rollout="FAILED", reason="no luck"), old())) == "the deployment failed: no luck"


@pytest.mark.parametrize("patient", [False, True])
def test_ecs_event_that_nothing_can_move_ends_the_wait(*, patient: bool) -> None:
    text = (
        "(service web) was unable to stop or start tasks during a deployment because of the service deployment "
        "configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
    )
    found = Rollout(patient=patient)
    stuck, before = Event("1", later(1), text), Event("0", later(-1), text)
    assert isinstance(found.look(rolling(), old(), events=(before,)), Waiting)
    assert broken(found.look(rolling(), old(), events=(stuck,))) == text


@pytest.mark.parametrize(
    ("threshold", "desired", "allowed"),
    [
        (None, 0, 3),
        (None, 3, 3),
        (None, 7, 4),
        (None, 20, 10),
        (None, 1000, 200),
        ({"type": "COUNT", "value": 1}, 50, 1),
        ({"type": "COUNT", "value": 12}, 1, 12),
        ({"type": "BOUNDED_PERCENT", "value": 25}, 4, 3),
        ({"type": "BOUNDED_PERCENT", "value": 25}, 21, 6),
        ({"type": "BOUNDED_PERCENT", "value": 50}, 1000, 200),
        ({"type": "UNBOUNDED_PERCENT", "value": 25}, 4, 1),
        ({"type": "UNBOUNDED_PERCENT", "value": 50}, 1000, 500),
        ({"type": "UNBOUNDED_PERCENT", "value": 1}, 0, 1),
    ],
)
def test_the_threshold_is_that_of_the_breaker(threshold: dict[str, Any] | None, desired: int, allowed: int) -> None:
    breaker = {"enable": True, **({"thresholdConfiguration": threshold} if threshold else {})}
    raw = {"deploymentConfiguration": {"deploymentCircuitBreaker": breaker}}
    assert failures_allowed(service(raw, desired=desired)) == allowed


def test_the_threshold_of_a_breaker_that_is_off_does_not_count() -> None:
    breaker = {"enable": False, "thresholdConfiguration": {"type": "COUNT", "value": 50}}
    raw = {"deploymentConfiguration": {"deploymentCircuitBreaker": breaker}}
    assert failures_allowed(service(raw)) == failures_allowed(service()) == 3


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
        assert [one.id for one in found.step.observe().failed] == ["unhealthy", "did-not-start", "crashed"]
    assert found.described == [[one.arn for one in stopped]]


@pytest.mark.parametrize("deployments", [(deployment(2),), (deployment(1),), ()])
def test_stopped_tasks_are_not_read_when_nothing_of_ours_rolls(deployments: tuple[Deployment, ...]) -> None:
    found = Rollout()
    found.look(*deployments, stopped=[crashed("t1")])
    assert found.described == []
