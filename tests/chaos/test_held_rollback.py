"""A rollback that is held at a call, while another one of the same release runs to its end: both end well."""

from __future__ import annotations

from tests.chaos.picture import left_over, picture
from tests.chaos.places import Place
from tests.chaos.rig import Rig

PLACES = (
    Place("rollback of a canary", "preflight", "TagResource"),
    Place("rollback of a canary", "preflight", "TagResource", after=True),
    Place("rollback of a canary", "drain", "DeregisterTargets", sampled=True),
    Place("rollback of a canary", "drain", "DeregisterTargets", after=True),
    Place("rollback of a canary", "cleanup", "StopTask"),
    Place("rollback of a canary", "cleanup", "StopTask", after=True),
    Place("rollback of a canary", "deregister", "DeregisterTaskDefinition"),
    Place("rollback of a canary", "deregister", "DeregisterTaskDefinition", after=True),
    Place("rollback of a promotion", "preflight", "TagResource"),
    Place("rollback of a promotion", "preflight", "TagResource", after=True),
    Place("rollback of a promotion", "service-update", "UpdateService", sampled=True),
    Place("rollback of a promotion", "service-update", "UpdateService", after=True),
    Place("rollback of a promotion", "deregister", "DeregisterTaskDefinition"),
)


def test_a_held_rollback_ends_well_though_another_one_was_faster(rig: Rig, place: Place) -> None:
    scenario, gate = place.stage, place.gate
    with rig.scene(scenario) as scene, rig.held(scene, gate, "rollback") as held:
        gate.wait()
        with rig.started(scene, "rollback", "--release", "r1", beside=True) as beside:
            faster = beside.ended()
        gate.open()
        slower = held.ended()
        assert (faster.code, slower.code) == (0, 0), faster.stderr + slower.stderr
        assert left_over(scene) == []


def test_a_held_rollback_leaves_the_next_release_alone(rig: Rig) -> None:
    place = Place("rollback of a canary", "drain", "DeregisterTargets", after=True)
    scenario, gate = place.stage, place.gate
    with rig.scene(scenario) as scene, rig.held(scene, gate, "rollback") as held:
        gate.wait()
        with rig.started(scene, "rollback", "--release", "r1", beside=True) as beside:
            assert beside.ended().code == 0
        words = ["canary", "--release", "r2", "--image", rig.images.uri("v3")]
        with rig.started(scene, *words, beside=True) as beside:
            following = beside.ended()
        gate.open()
        slower = held.ended()
        assert (following.code, slower.code) == (0, 0), following.stderr + slower.stderr
        found = picture(scene)
        assert ["ecs-pipeline:release=r2" in canary for canary in found["canaries"]] == [True]
        assert found["targets"] == ["canary healthy", "service healthy"]
