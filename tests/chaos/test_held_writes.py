"""Jenkins' "terminate" ends no process: a stage that still lives is held at a call, its release is rolled back beside
it, and then it goes on. The fence holds: it stops, and nothing of it stays.
"""

from __future__ import annotations

from tests.chaos.picture import left_over
from tests.chaos.places import Place
from tests.chaos.rig import Rig

PLACES = (
    Place("canary", "image", "TagResource", after=True),
    Place("canary", "task-definition", "RegisterTaskDefinition"),
    Place("canary", "task-definition", "RegisterTaskDefinition", after=True),
    Place("canary", "tasks", "RunTask", sampled=True),
    Place("canary", "tasks", "RunTask", after=True),
    Place("canary", "tasks", "DescribeTasks", 2),
    Place("canary", "traffic", "TagResource", 2),
    Place("canary", "traffic", "RegisterTargets", sampled=True),
    Place("canary", "traffic", "RegisterTargets", after=True),
    Place("canary", "traffic", "DescribeTargetHealth"),
    Place("canary", "bake", "DescribeTargetHealth", 3),
    Place("canary", "bake", "TagResource", 3),
    Place("promote", "service-update", "TagResource", sampled=True),
    Place("promote", "service-update", "TagResource", after=True),
    Place("promote", "service-update", "UpdateService", sampled=True),
    Place("promote", "service-update", "UpdateService", after=True),
    Place("promote", "stable", "DescribeServices", 5),
    Place("promote", "drain", "DeregisterTargets"),
    Place("promote", "drain", "DeregisterTargets", after=True),
    Place("promote", "cleanup", "StopTask"),
    Place("promote", "cleanup", "StopTask", after=True, sampled=True),
)
AWS_MAY_BE_LATE = {"inactive_delay": 600.0}
"""A revision that was deregistered can still be run: only the fence stops a late write."""


def test_a_held_stage_finds_its_release_cancelled_and_leaves_nothing(rig: Rig, place: Place) -> None:
    scenario, gate = place.stage, place.gate
    rig.aws.configure(**AWS_MAY_BE_LATE)
    with rig.scene(scenario) as scene, rig.held(scene, gate, *rig.words(scenario.stage, scenario)) as stage:
        gate.wait()
        with rig.started(scene, "rollback", "--release", "r1", beside=True) as beside:
            rolled_back = beside.ended()
        gate.open()
        held = stage.ended()
        assert rolled_back.code == 0, rolled_back.stderr
        assert held.code == 3, held.stderr
        assert "cancelled" in held.stderr
        assert left_over(scene) == []
