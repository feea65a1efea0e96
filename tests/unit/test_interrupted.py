"""A stage that is interrupted says what it has done, what it may have done, and what it has not."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from ecs_pipeline.engine.record import StageRecord
from ecs_pipeline.errors import AnswerLost, Interrupted, Trouble
from ecs_pipeline.reports.cases import evidence, what_was_done
from tests.fakes.ports import new_run
from tests.fakes.world import World
from tests.unit.commands import NAMED, Commands, commands, report
from tests.unit.protocol.simulation import start_of


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    return commands(monkeypatch, capsys, tmp_path)


def interrupt(world: World, when: str, call: str, count: int = 1) -> None:
    """SIGTERM at a call."""
    left = [count]

    def hook(moment: str, name: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (moment, name) == (when, call):
            left[0] -= 1
            if not left[0]:
                raise Interrupted(15)

    world.hook = hook


def told(run: Commands, command: str, start: str, when: str, call: str, *, count: int = 1) -> list[str]:
    """What an interrupted command says; task and target by name."""
    run.world = start_of(start)
    tasks = {task.arn.rpartition("/")[2]: "TASK" for task in run.world.alive()}
    targets = {f"{address}:{port}": "TARGET" for address, port in run.world.registered()}
    interrupt(run.world, when, call, count)
    assert run(command, *NAMED, *(["--release", "A"] if command == "canary" else [])).code == 143
    lines = list(report(command)["evidence"])
    for text, word in {**tasks, **targets}.items():
        lines = [line.replace(text, word) for line in lines]
    return lines


REMOVAL = ["take TARGET out of the traffic", "stop task TASK", "deregister web:3"]


@pytest.mark.parametrize(
    ("place", "done", "maybe"),
    [
        (("before", "DescribeTargetHealth"), [], []),
        (("after", "TagResource"), [], ["cancel release A"]),
        (("before", "DeregisterTargets"), ["cancel release A"], REMOVAL[:1]),
        (("after", "DeregisterTargets"), ["cancel release A"], REMOVAL[:1]),
        (("before", "StopTask"), ["cancel release A", *REMOVAL[:1]], REMOVAL[1:2]),
        (("before", "DeregisterTaskDefinition"), ["cancel release A", *REMOVAL[:2]], REMOVAL[2:]),
    ],
)
def test_a_rollback_tells_by_its_plan(run: Commands, place: tuple[str, str], done: list[str], maybe: list[str]) -> None:
    lines = told(run, "rollback", "A is a canary", *place)
    assert [line.removeprefix("done: ") for line in lines if line.startswith("done: ")] == done
    assert [line for line in lines if line.startswith("may have")] == [f"may have been done: {call}" for call in maybe]
    left = [line.removeprefix("not done: ") for line in lines if line.startswith("not done: ")]
    planned = ["cancel release A", *REMOVAL]
    if place == ("before", "DescribeTargetHealth"):
        assert lines == ["nothing was changed", *(f"not done: {step}" for step in ROLLBACK_STEPS)]
    else:
        assert left == [thing for thing in planned if thing not in (*done, *maybe)]


ROLLBACK_STEPS = ("drain", "cleanup", "service-update", "stable", "deregister")


def test_a_rollback_of_a_promotion_does_not_call_the_way_back_undone_once_it_is_done(run: Commands) -> None:
    lines = told(run, "rollback", "A is promoted", "before", "DeregisterTaskDefinition")
    assert lines == [
        "done: cancel release A",
        "done: update prd/web to web:2",
        "may have been done: deregister web:3",
    ]


def test_a_canary_tells_by_its_steps(run: Commands) -> None:
    lines = told(run, "canary", "P runs", "before", "RegisterTargets")
    assert lines[0] == "done: mark release A as under way"
    assert lines[1].startswith("done: build . and push ")
    assert lines[2].startswith("done: register a revision of web with ")
    assert lines[3] == "done: run 1 task of web:3"
    assert lines[4].startswith("may have been done: register ")
    assert lines[5:] == ["not done: bake"]


@pytest.mark.parametrize(
    ("place", "left"),
    [
        (("after", "DescribeTargetHealth", 6), ": the canary still takes 25.0 %"),
        (("before", "RegisterTargets", 1), ": the canary's task runs"),
        (("before", "RunTask", 1), ""),
    ],
)
def test_an_interrupted_canary_says_what_of_it_is_there_and_how_to_remove_it(
    run: Commands, place: tuple[str, str, int], left: str
) -> None:
    told(run, "canary", "P runs", *place[:2], count=place[2])
    found = report("canary")
    assert found["message"].startswith("interrupted by SIGTERM during ")
    assert found["message"].endswith(left or "tasks")
    removes = ", `rollback --cluster prd --service web --canary` removes the canary"
    assert found["cure"] == "the same command resumes" + (removes if left else "")


def test_a_promotion_tells_by_its_steps(run: Commands) -> None:
    lines = told(run, "promote", "A is a canary", "after", "UpdateService")
    assert lines == [
        "done: mark release A as the promoted one",
        "done: mark web:3 as promoted",
        "may have been done: update prd/web to web:3",
        "not done: stable",
        "not done: drain",
        "not done: cleanup",
    ]


def test_the_message_is_a_headline_and_the_lines_are_in_every_report(run: Commands) -> None:
    told(run, "rollback", "A is a canary", "before", "StopTask")
    found = report("rollback")
    assert (found["message"], found["cure"]) == ("interrupted by SIGTERM during cleanup", "the same command resumes")
    assert (found["failed_step"], found["changed"]) == ("cleanup", True)
    junit = etree.parse("ecs-pipeline-reports/TEST-ecs-pipeline-rollback.xml")
    (error,) = junit.xpath("//testcase[@name='cleanup']/error")
    assert "done: cancel release A" in error.text.splitlines()
    page = (Path("ecs-pipeline-reports") / "rollback.html").read_text(encoding="utf-8")
    assert "done: cancel release A" in page


def test_the_console_tells_them_last(run: Commands) -> None:
    run.world = start_of("A is a canary")
    interrupt(run.world, "before", "StopTask")
    lines = run("rollback", *NAMED).err.splitlines()
    begin = next(index for index, line in enumerate(lines) if line.startswith("INTERRUPTED rollback prd/web: cleanup:"))
    assert lines[begin + 1] == "  done: cancel release A"
    assert lines[-2:] == ["  not done: deregister web:3", "→ the same command resumes"]


def test_the_rollback_that_finishes_an_interrupted_one_names_its_release(run: Commands) -> None:
    told(run, "rollback", "A is a canary", "before", "StopTask")
    run.world.hook = lambda _when, _call, _write: None
    assert run("rollback", *NAMED).code == 0
    assert report("rollback")["release"]["id"] == "A"


# ---- what may have been done


def record_after(error: Exception) -> StageRecord:
    """The record once a write ended so."""
    run = new_run(World(), "rollback", ["drain", "cleanup"])
    with pytest.raises(type(error)), run.recorder.step("drain"), run.recorder.writing("take it"):
        raise error
    return run.recorder.record


@pytest.mark.parametrize(
    ("error", "maybe"), [(Interrupted(2), True), (AnswerLost("lost"), True), (Trouble("no"), False)]
)
def test_what_aws_refused_was_not_done(error: Exception, *, maybe: bool) -> None:
    assert ("may have been done: take it" in what_was_done(record_after(error))) == maybe


def test_a_killed_stage_tells_the_same_of_itself() -> None:
    record = record_after(Interrupted(2))
    assert record.exit_code == 143
    assert evidence(record) == ("nothing was changed", "may have been done: take it", "not done: cleanup")


def test_a_stage_that_ended_otherwise_tells_its_own_evidence() -> None:
    record = record_after(Trouble("no"))
    record.outcome, record.evidence = "error", ("AWS' words",)
    assert evidence(record) == ("AWS' words",)


def test_what_was_changed_without_a_word_is_not_called_nothing() -> None:
    record = record_after(Interrupted(2))
    record.changed = True
    assert "nothing was changed" not in what_was_done(record)
