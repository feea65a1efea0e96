"""ECS shows things late: a task just started is not listed and MISSING, the service is read as it was a moment ago."""

from __future__ import annotations

import time

import pytest

from tests.chaos.faults import KILLED_AFTER, LOST, Once
from tests.chaos.picture import picture
from tests.chaos.proxy import Call
from tests.chaos.rig import KILLED, Rig, differences
from tests.chaos.scenarios import SCENARIOS, Scenario

LATE = {"task_visibility_delay": 3.0, "service_read_lag": 1.5, "inactive_delay": 600.0, "inactive_forgotten": True}
IN_TIME = {"task_visibility_delay": 0.0, "service_read_lag": 0.0, "inactive_delay": 0.0, "inactive_forgotten": False}
STALE_PAIRS = 2.5
WRITES = {"canary": "RunTask", "promote": "UpdateService", "rollback of a promotion": "UpdateService"}


@pytest.mark.parametrize(
    "scenario", [scenario for scenario in SCENARIOS if scenario.name in WRITES], ids=lambda case: case.name
)
@pytest.mark.parametrize("kind", [KILLED_AFTER, LOST])
def test_a_write_that_is_not_seen_yet_is_not_made_twice(rig: Rig, scenario: Scenario, kind: str) -> None:
    wanted = rig.undisturbed(scenario).picture
    fault = Once(kind, Call(WRITES[scenario.name], 1), rig.microburst)
    with rig.scene(scenario) as scene:
        time.sleep(LATE["task_visibility_delay"])  # what was made before is seen by now
        rig.aws.configure(**LATE)
        try:
            first = rig.run(scene, scenario.stage, scenario, fault)
            again = rig.run(scene, scenario.stage, scenario)
        finally:
            rig.aws.configure(**IN_TIME)
        assert first.code == (KILLED if kind == KILLED_AFTER else 0), first.stderr
        assert again.code == 0, again.stderr
        assert differences(wanted, picture(scene)) == []


def test_a_canary_that_is_not_listed_yet_does_not_outlive_a_rollback(rig: Rig) -> None:
    canary, undone = (
        next(scenario for scenario in SCENARIOS if scenario.name == name) for name in ("canary", "rollback of a canary")
    )
    wanted = rig.undisturbed(undone).picture
    with rig.scene(canary) as scene:
        time.sleep(LATE["service_read_lag"])
        rig.aws.configure(**{**LATE, "task_visibility_delay": 8.0})
        try:
            first = rig.run(scene, "canary", canary, Once(KILLED_AFTER, Call("RunTask", 1), rig.microburst))
            back = rig.run(scene, "rollback", undone)
        finally:
            rig.aws.configure(**IN_TIME)
        assert (first.code, back.code) == (KILLED, 0), back.stderr
        assert differences(wanted, picture(scene)) == []


@pytest.mark.parametrize(
    "scenario", [scenario for scenario in SCENARIOS if scenario.name in WRITES], ids=lambda case: case.name
)
def test_pairs_of_answers_of_a_replica_that_is_behind_end_no_stage(rig: Rig, scenario: Scenario) -> None:
    wanted = rig.undisturbed(scenario).picture
    with rig.scene(scenario) as scene:
        time.sleep(STALE_PAIRS)  # what was made before is seen by now
        rig.aws.configure(stale_pairs=STALE_PAIRS)
        try:
            done = rig.run(scene, scenario.stage, scenario)
        finally:
            rig.aws.configure(stale_pairs=0.0)
        assert done.code == 0, done.stderr
        assert differences(wanted, picture(scene)) == []
