"""What is shown of a failure: reasons, exit codes, log lines, and the service's events since the canary began."""

from __future__ import annotations

from dataclasses import replace

from ecs_pipeline.engine import evidence
from ecs_pipeline.engine.record import CanaryTaskRecord
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Container, Event
from tests.fakes.names import utc
from tests.fakes.ports import new_run
from tests.fakes.world import World
from tests.unit.facts import NOW, crashed, definition, later, service, task


def run_with(*events: Event) -> Run:
    world = World()
    world.events = list(events)
    return new_run(world, "canary", ["tasks"])


def of(run: Run, *tasks: object) -> list[str]:
    return evidence.of_tasks(run, tasks, definition(), "app")  # type: ignore[arg-type]


def test_a_task_its_containers_and_its_log_come_before_the_services_events() -> None:
    run = run_with(Event("2", later(2), "second"), Event("1", later(1), "first"))
    assert of(run, crashed("t1")) == [
        "task t1: STOPPED, EssentialContainerExited: Essential container exited",
        "container app: STOPPED, exit code 3",
        "last lines of app:",
        "  the last line",
        f"event {later(1):%H:%M:%S}: first",
        f"event {later(2):%H:%M:%S}: second",
    ]


def test_events_from_before_the_canary_are_not_told() -> None:
    events = (Event("3", later(0), "of the canary"), Event("2", later(-1), "before"), Event("1", utc(0), "long before"))
    assert of(run_with(*events), task("t1"))[-2:] == ["  the last line", f"event {NOW:%H:%M:%S}: of the canary"]


def test_of_several_tasks_the_first_counts_and_the_last_events_are_told() -> None:
    events = [Event(str(number), later(number), f"event {number}") for number in range(9, -1, -1)]
    lines = of(run_with(*events), task("t2", created=later(6)), task("t1", created=later(3)))
    assert [line.rpartition(" ")[2] for line in lines if line.startswith("event ")] == ["5", "6", "7", "8", "9"]


def test_without_a_task_there_is_nothing_to_tell() -> None:
    assert of(run_with(Event("1", later(1), "first"))) == []


def test_events_of_the_service_alone_may_be_asked_for() -> None:
    seen = service(events=(Event("1", later(1), "first"),))
    assert evidence.of_service(seen, later(2)) == []
    assert len(evidence.of_service(seen, None)) == 1


def test_the_cause_is_the_reason_and_the_container_that_failed() -> None:
    assert evidence.first_cause(crashed("t1")) == "Essential container exited (app: exit code 3)"
    assert evidence.first_cause(task("t1", stop_code="SpotInterruption")) == "SpotInterruption"
    assert evidence.first_cause(task("t1")) == "stopped"
    killed = Container("app", "STOPPED", exit_code=137, reason="OutOfMemoryError: container killed")
    cause = evidence.first_cause(replace(crashed("t1"), containers=(killed,)))
    assert cause == "Essential container exited (app: exit code 137, OutOfMemoryError: container killed)"


def test_the_task_is_shown_as_it_is_by_then() -> None:
    run = run_with()
    run.recorder.record.canary = [CanaryTaskRecord(task("t1").arn, state="RUNNING")]
    of(run, crashed("t1"))
    assert run.recorder.record.canary[0].state == "STOPPED"
