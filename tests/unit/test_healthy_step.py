"""Container health checks: those of essential containers have to pass, the others do not matter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecs_pipeline.engine.converge import converge
from ecs_pipeline.model.release import Container, Event
from ecs_pipeline.steps.container_health import HealthyStep
from ecs_pipeline.timing.wait import Broken, Deadline, Settled, Waiting
from tests.fakes.names import utc
from tests.fakes.world import World
from tests.unit.canary_world import start, tasks_step
from tests.unit.facts import crashed, definition, task

CHECK = {"command": ["CMD", "true"]}


def step_of(*containers: dict[str, Any], count: int = 1) -> HealthyStep:
    before = tasks_step(World(), count=count)
    whole = definition(containerDefinitions=list(containers))
    return HealthyStep(before.run, start(before), whole, "app")


def well(**health: str) -> Any:
    return task(containers=tuple(Container(name, "RUNNING", health=state) for name, state in health.items()))


def test_without_a_check_there_is_nothing_to_wait_for() -> None:
    step = step_of({"name": "app"})
    converge(step, step.run, Deadline.after(step.run.clock, 0))
    assert step.run.recorder.record.step("healthy").message == "no container health check"


def test_a_checked_container_has_to_be_healthy() -> None:
    step = step_of({"name": "app", "healthCheck": CHECK}, {"name": "proxy"})
    assert step.judge((well(app="UNKNOWN", proxy="UNKNOWN"),)) == Waiting("container health: app UNKNOWN")
    assert step.judge((well(app="UNHEALTHY", proxy="UNKNOWN"),)) == Waiting("container health: app UNHEALTHY")
    assert isinstance(step.judge((well(app="HEALTHY", proxy="UNKNOWN"),)), Settled)
    assert step.told(()) == "container health checks passed: app"


def test_every_task_has_to_be_healthy() -> None:
    step = step_of({"name": "app", "healthCheck": CHECK}, count=2)
    assert step.judge((well(app="HEALTHY"), well(app="UNKNOWN"))) == Waiting("container health: app UNKNOWN")
    assert step.judge((well(app="HEALTHY"),)) == Waiting("ECS does not show the task")


@pytest.mark.parametrize(("essential", "waits"), [(True, True), (False, False)])
def test_only_essential_containers_count(*, essential: bool, waits: bool) -> None:
    step = step_of({"name": "app"}, {"name": "proxy", "healthCheck": CHECK, "essential": essential})
    assert isinstance(step.judge((well(app="UNKNOWN", proxy="UNHEALTHY"),)), Waiting if waits else Settled)


def test_a_task_that_stops_breaks_it_with_the_log_of_the_container_that_failed() -> None:
    step = step_of({"name": "app", "healthCheck": CHECK})
    found = step.judge((crashed("t1"),))
    assert isinstance(found, Broken)
    assert found.why.startswith("the canary task stopped: Essential container exited (app: exit code 3)")
    assert "last lines of app:" in found.evidence


def test_it_is_asked_again_only_when_there_is_something_to_check() -> None:
    step = step_of({"name": "app"})
    assert step.observe() == tuple(step.tasks)
    checked = replace(step, revision=definition(containerDefinitions=[{"name": "app", "healthCheck": CHECK}]))
    assert [task.arn for task in checked.observe()] == [task.arn for task in step.tasks]
    assert checked.observe() != tuple(replace(task, status="PENDING") for task in step.tasks)


def test_of_several_tasks_all_is_told_and_the_services_events_once() -> None:
    world = World()
    world.events = [Event("1", utc(world.now), "(service web) has reached a steady state.")]
    before = tasks_step(world, count=2)
    step = HealthyStep(
        before.run, start(before), definition(containerDefinitions=[{"name": "app", "healthCheck": CHECK}]), "app"
    )
    found = step.evidence()
    assert [line.partition(" ")[0] for line in found].count("task") == 2
    assert len([line for line in found if line.endswith("(service web) has reached a steady state.")]) == 1
