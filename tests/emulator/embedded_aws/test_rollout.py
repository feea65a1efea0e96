"""The rules by which a service starts and stops tasks, without any task."""

from __future__ import annotations

import pytest

from embedded_aws.ecs.rollout import Plan, TaskView, plan


def tasks(*, new: str = "", old: str = "") -> list[TaskView]:
    """Make tasks from letters: h is healthy, u is not (yet); the first is the oldest."""
    made = [TaskView(f"old{i}", current=False, healthy=each == "h", created=i) for i, each in enumerate(old)]
    return made + [TaskView(f"new{i}", current=True, healthy=each == "h", created=i) for i, each in enumerate(new)]


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "new", "old", "expected"),
    [
        (3, 100, 200, "", "", Plan(start=3)),
        (3, 100, 200, "", "hhh", Plan(start=3)),
        (3, 100, 200, "uuu", "hhh", Plan()),
        (3, 100, 200, "huu", "hhh", Plan(stop=("old2",))),
        (3, 100, 200, "hhh", "hhh", Plan(stop=("old2", "old1", "old0"))),
        (3, 100, 200, "hhh", "", Plan()),
        (4, 50, 100, "", "hhhh", Plan(start=2, stop=("old3", "old2"))),
        (4, 50, 100, "uu", "hh", Plan()),
        (4, 50, 100, "hh", "hh", Plan(start=2, stop=("old1", "old0"))),
        (2, 0, 100, "", "hh", Plan(start=2, stop=("old1", "old0"))),
        (1, 100, 100, "", "h", Plan()),
        (4, 100, 150, "", "hhhh", Plan(start=2)),
        (1, 100, 200, "hh", "", Plan(stop=("new1",))),
        (1, 100, 200, "uh", "", Plan(stop=("new0",))),
        (0, 100, 200, "hh", "h", Plan(stop=("new0", "new1", "old0"))),
        (2, 100, 200, "u", "uu", Plan(start=1)),
        (2, 100, 200, "hh", "uu", Plan(stop=("old1", "old0"))),
        (2, 100, 100, "", "uh", Plan(start=1, stop=("old0",))),
    ],
)
def test_a_service_moves_within_its_percentages(
    desired: int, minimum: int, maximum: int, *, new: str, old: str, expected: Plan
) -> None:
    """Data type DeploymentConfiguration: minimumHealthyPercent is rounded up, maximumPercent down."""
    assert plan(desired, minimum, maximum, tasks(new=new, old=old), may_start=True) == expected


def test_a_failed_deployment_starts_nothing_and_costs_no_old_task() -> None:
    """Data type Deployment: a deployment in FAILED state launches no new tasks."""
    assert plan(2, 100, 200, tasks(new="u", old="hh"), may_start=False) == Plan()
    assert plan(0, 100, 200, tasks(new="u", old="hh"), may_start=False) == Plan(stop=("new0",))
