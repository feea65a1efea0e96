"""SIGTERM and SIGINT in each step: the stage ends soon, tells what it left, and the same command resumes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.chaos.places import Place
from tests.chaos.rig import Rig
from tests.emulator.embedded_aws.environment import wait_for

ENDS_WITHIN = 6.0
"""Seconds, for a busy machine: less than the read timeout, so the call that is held is not waited for."""
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}

PLACES = (
    Place("canary", "preflight", "DescribeServices"),
    Place("canary that builds", "image", "GetAuthorizationToken"),
    Place("canary", "task-definition", "RegisterTaskDefinition", after=True),
    Place("canary", "tasks", "RunTask", after=True, sampled=True),
    Place("canary", "tasks", "DescribeTasks", 2),
    Place("canary", "traffic", "RegisterTargets", after=True),
    Place("canary", "traffic", "DescribeTargetHealth"),
    Place("canary", "bake", "DescribeTargetHealth", 3),
    Place("promote", "preflight", "ListTasks"),
    Place("promote", "service-update", "TagResource", after=True),
    Place("promote", "service-update", "UpdateService", after=True),
    Place("promote", "stable", "DescribeServices", 4, sampled=True),
    Place("promote", "drain", "DeregisterTargets", after=True),
    Place("promote", "cleanup", "StopTask", after=True),
    Place("promote that fails", "restore", "DeregisterTargets", after=True),
    Place("rollback of a canary", "drain", "DeregisterTargets", after=True),
    Place("rollback of a canary", "cleanup", "StopTask", after=True),
    Place("rollback of a promotion", "service-update", "UpdateService", after=True),
    Place("rollback of a promotion", "stable", "DescribeServices", 5),
    Place("rollback of a promotion", "deregister", "DeregisterTaskDefinition", after=True),
)


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_a_signal_ends_the_stage_soon_and_the_same_command_resumes(
    rig: Rig, place: Place, number: signal.Signals
) -> None:
    scenario, gate = place.stage, place.gate
    wanted = rig.undisturbed(scenario).picture
    with rig.scene(scenario) as scene, rig.held(scene, gate, *rig.words(scenario.stage, scenario)) as stage:
        gate.wait()
        stage.process.send_signal(number)
        done = stage.ended(ENDS_WITHIN)
        gate.open()
        assert done.code == CODES[number], done.stderr
        assert f"interrupted by {number.name} during {place.step}" in done.stderr
        assert "the same command resumes" in done.stderr
        if scenario.stage == "rollback":
            assert "  done: cancel release " in done.stderr
        else:
            assert "  not done: " in done.stderr or place.step in ("bake", "cleanup", "restore")
        assert (done.report["outcome"], done.report["exit_code"]) == ("interrupted", CODES[number])
        assert done.step(place.step) == "error"
        assert done.cases()[place.step] == "error"
        assert rig.recovers(scene, scenario, wanted) == []


def test_a_second_signal_ends_the_stage_at_once(rig: Rig) -> None:
    place = Place("canary", "tasks", "RunTask", after=True)
    with (
        rig.scene(place.stage) as scene,
        rig.held(scene, gate := place.gate, *rig.words("canary", place.stage)) as stage,
    ):
        gate.wait()
        stage.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not handles(stage.process.pid, signal.SIGTERM))
        stage.process.send_signal(signal.SIGTERM)
        done = stage.ended(ENDS_WITHIN)
        gate.open()
        assert done.code == -signal.SIGTERM
        assert done.report["outcome"] == "interrupted"
        wanted = rig.undisturbed(place.stage).picture
        assert rig.recovers(scene, place.stage, wanted) == []


def handles(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler of its own for a signal (proc(5), SigCgt)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(line for line in lines if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
