"""One snapshot: which registered addresses are ours, and who has a recorded one by now."""

from __future__ import annotations

import pytest

from tests.unit.facts import GROUP, OTHER_GROUP, group, revision, service, task
from tests.unit.snapshots import APP_AND_ADMIN, Ports, look, recording, registered


def test_of_a_task_that_is_tagged_as_another_services_only_a_recorded_address_is_ours() -> None:
    theirs = (task(of="api"),)
    states = {(GROUP, "10.0.0.1", 8000): "healthy"}
    assert registered(Ports(service(), theirs, states=states)) == []
    ports = Ports(recording(("10.0.0.1", 8000)), theirs, states=states)
    assert registered(ports) == [(GROUP, "10.0.0.1:8000", False, "t1")]


@pytest.mark.parametrize(("family", "release"), [("web", "A"), ("web", ""), ("api", "A")])
def test_or_one_that_runs_what_a_release_of_this_service_registered(family: str, release: str) -> None:
    theirs = task(of="api", revision=revision(3, family))
    states = {(GROUP, "10.0.0.1", 8000): "healthy"}
    found = registered(Ports(service(), (theirs,), states=states, releases={theirs.revision: release}))
    assert found == ([(GROUP, "10.0.0.1:8000", False, "t1")] if (family, release) == ("web", "A") else [])


def test_the_target_of_a_living_task_of_ours_is_known_without_a_record() -> None:
    ports = Ports(service(), (task(),), states={(GROUP, "10.0.0.1", 8000): "healthy"})
    assert registered(ports) == [(GROUP, "10.0.0.1:8000", False, "t1")]


def test_nothing_is_asked_of_the_load_balancer_when_nothing_lives_or_is_recorded() -> None:
    ports = Ports(service(), (), states={(GROUP, "10.0.0.1", 8000): "healthy"})
    assert registered(ports) == []
    assert not [call for call in ports.asked if call.startswith(("health", "running"))]


def test_a_recorded_address_of_a_canary_of_ours_is_its_own() -> None:
    ports = Ports(recording(("10.0.0.1", 8000)), (task(),), states={(GROUP, "10.0.0.1", 8000): "initial"})
    assert registered(ports) == [(GROUP, "10.0.0.1:8000", False, "t1")]
    assert "running tasks" not in ports.asked


def test_a_recorded_address_that_is_not_registered_is_no_registration() -> None:
    ports = Ports(recording(("10.0.0.1", 8000)), (task(),), states={(GROUP, "10.0.0.9", 8000): "healthy"})
    assert registered(ports) == []


@pytest.mark.parametrize("port", [8000, 8001])
def test_an_address_is_recorded_with_its_port(port: int) -> None:
    ports = Ports(recording(("10.0.0.1", 8000)), states={(GROUP, "10.0.0.1", port): "healthy"})
    assert registered(ports) == ([(GROUP, "10.0.0.1:8000", False, "")] if port == 8000 else [])


def test_a_recorded_address_that_another_running_task_has_by_now_is_that_tasks() -> None:
    others = (task("theirs", of="", started_by="ecs-svc/1"), task("stopping", desired_status="STOPPED"))
    states = {(GROUP, "10.0.0.1", 8000): "healthy", (GROUP, "10.0.0.2", 8000): "healthy"}
    ports = Ports(recording(("10.0.0.1", 8000), ("10.0.0.2", 8000)), others=others, states=states)
    assert registered(ports) == [(GROUP, "10.0.0.1:8000", False, "theirs"), (GROUP, "10.0.0.2:8000", False, "")]


def test_the_whole_cluster_is_listed_only_when_no_task_of_the_services_family_has_the_address() -> None:
    recorded = recording(("10.0.0.1", 8000))
    states = {(GROUP, "10.0.0.1", 8000): "healthy"}
    own = Ports(recorded, others=(task("own", of=""),), states=states)
    assert registered(own) == [(GROUP, "10.0.0.1:8000", False, "own")]
    assert "running tasks" not in own.asked
    another = Ports(recorded, others=(task("another", of="", revision=revision(1, "worker")),), states=states)
    assert registered(another) == [(GROUP, "10.0.0.1:8000", False, "another")]
    assert another.asked[-2:] == ["tasks of web", "running tasks"]


def test_a_task_that_stops_does_not_keep_its_address() -> None:
    others = (task("stopping", desired_status="STOPPED"),)
    ports = Ports(recording(("10.0.0.1", 8000)), others=others, states={(GROUP, "10.0.0.1", 8000): "healthy"})
    assert registered(ports) == [(GROUP, "10.0.0.1:8000", False, "")]


def test_what_is_draining_already_is_told_without_asking_for_all_tasks() -> None:
    ports = Ports(recording(("10.0.0.1", 8000)), states={(GROUP, "10.0.0.1", 8000): "draining"})
    assert registered(ports) == [(GROUP, "10.0.0.1:8000", True, "")]
    assert "running tasks" not in ports.asked


def test_each_group_is_asked_once_for_all_its_targets_whatever_addresses_are_recorded() -> None:
    recorded = (("10.0.0.1", 8000), ("i-7", 49153), ("fd00::1", 8000))
    ports = Ports(
        recording(*recorded, load_balancing=APP_AND_ADMIN),
        groups={GROUP: group(), OTHER_GROUP: group(OTHER_GROUP, kind="instance")},
        states={
            (GROUP, "10.0.0.1", 8000): "healthy",
            (GROUP, "10.0.0.9", 8000): "unhealthy",
            (OTHER_GROUP, "i-7", 49153): "healthy",
        },
    )
    assert registered(ports) == [(GROUP, "10.0.0.1:8000", False, ""), (OTHER_GROUP, "i-7:49153", False, "")]
    assert [call for call in ports.asked if call.startswith("health")] == [
        f"health of {GROUP}",
        f"health of {OTHER_GROUP}",
    ]
    assert {key: target.state for key, target in look(ports).health.items()} == ports.states
