"""Failed tasks of a rollout: which ones count, how many are too many, and that their reasons are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ecs_pipeline.model import Deployment, Service, Task
from ecs_pipeline.steps.rollout import Seen, StableStep, failures_allowed
from ecs_pipeline.wait import Broken, Judgement, Waiting
from tests.fakes.ports import new_run
from tests.fakes.world import World
from tests.unit.facts import crashed, deployment, later, revision, service

BREAKER = {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}}
ROLLING = deployment(2, rollout="IN_PROGRESS", running=1)
OLD = deployment(1, status="ACTIVE", running=2)


class StoppedTasks:
    """The part of EcsPort that a look at a rollout reads."""

    def __init__(self, found: Service, stopped: Sequence[Task]) -> None:
        self._found, self._stopped = found, stopped
        self.described: list[list[str]] = []

    def service(self) -> Service:
        return self._found

    def arns_of_service(self, desired_status: str = "RUNNING") -> list[str]:
        assert desired_status == "STOPPED"
        return [one.arn for one in self._stopped]

    def tasks(self, arns: list[str]) -> tuple[Task, ...]:
        self.described.append(list(arns))
        return tuple(one for one in self._stopped if one.arn in arns)


def stable(ecs: Any = None) -> StableStep:
    """The step, on a world that knows the revision; `ecs` in the place of its own."""
    world = World()
    world.register({"family": "web", "containerDefinitions": [{"name": "app", "image": "x"}]}, {})
    run = new_run(world, "promote", ["stable"])
    return StableStep(replace(run, ecs=ecs or run.ecs), revision(2))


def judged(tasks: Sequence[Task], raw: dict[str, Any] | None = None, failed: int = 0) -> Judgement[Service]:
    """What the step says when these tasks have failed, and ECS counts so many."""
    found = service(raw, deployments=(replace(ROLLING, failed=failed), OLD), revision=revision(2))
    return stable().judge(Seen(found, list(tasks)))


@pytest.mark.parametrize("raw", [{}, BREAKER], ids=["no breaker", "breaker"])
def test_failed_tasks_are_counted_with_and_without_a_breaker(raw: dict[str, Any]) -> None:
    two = [crashed("t1"), crashed("t2")]
    assert isinstance(judged(two, raw), Waiting)
    judgement = judged([*two, crashed("t3")], raw)
    cause = "EssentialContainerExited: Essential container exited (app: STOPPED, exit code 3)"
    assert isinstance(judgement, Broken)
    assert judgement.why == f"3 tasks of the new revision failed: {cause}"
    assert "task t3: STOPPED, EssentialContainerExited: Essential container exited" in judgement.evidence
    assert "  the last line" in judgement.evidence


def test_the_count_of_ecs_is_taken_where_it_is_higher() -> None:
    judgement = judged([crashed("t1")], failed=3)
    assert isinstance(judgement, Broken)
    assert judgement.why.startswith("3 tasks of the new revision failed: EssentialContainerExited")


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
    ecs = StoppedTasks(service(deployments=(ROLLING, OLD)), stopped)
    step = stable(ecs)
    for _ in range(2):
        assert [one.id for one in step.observe().failed] == ["unhealthy", "did-not-start", "crashed"]
    assert ecs.described == [[one.arn for one in stopped]]


@pytest.mark.parametrize("deployments", [(deployment(2),), (deployment(1),), ()])
def test_stopped_tasks_are_not_read_when_nothing_of_ours_rolls(deployments: tuple[Deployment, ...]) -> None:
    ecs = StoppedTasks(service(deployments=deployments), [crashed("t1")])
    assert (stable(ecs).observe().failed, ecs.described) == ([], [])
