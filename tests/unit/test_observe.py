"""One snapshot: whose tasks are ours, and what they are registered as."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_pipeline.model.load_balancing import (
    LoadBalancing,
    Target,
)
from ecs_pipeline.model.release import Container, Revision, TaskDefinition
from ecs_pipeline.protocol.observe import Observer
from tests.unit.facts import GROUP, OTHER_GROUP, group, revision, service, task
from tests.unit.snapshots import APP_AND_ADMIN, Ports, look, observer, on_instance, recording, registered


def test_tasks_are_read_before_the_service_by_the_name_that_they_were_started_in() -> None:
    ports = Ports(service())
    look(ports)
    assert ports.asked == ["tasks canary/web RUNNING", "service"]


def test_ours_are_the_living_tasks_that_say_they_are_of_this_service() -> None:
    ours = (
        task("alive"),
        task("starting", status="PROVISIONING", address=""),
        task("other-service", of="web2"),
        task("untagged", of=""),
        task("stopping", desired_status="STOPPED"),
        task("stopped", status="STOPPED", desired_status="STOPPED"),
    )
    assert [seen.id for seen in look(Ports(service(), ours)).tasks] == ["alive", "starting"]


def test_tasks_that_were_told_to_stop_are_asked_for_by_that() -> None:
    ports = Ports(service(), (task("stopping", desired_status="STOPPED"),))
    assert [task.id for task in observer(ports).stopping()] == ["stopping"]
    assert ports.asked == ["tasks canary/web STOPPED"]


def test_a_task_is_a_target_in_every_group_at_that_groups_port() -> None:
    found = observer(Ports(service())).targets_of(task(), service(load_balancing=APP_AND_ADMIN))
    assert found == (Target(GROUP, "10.0.0.1", 8000, task().arn), Target(OTHER_GROUP, "10.0.0.1", 9000, task().arn))


@pytest.mark.parametrize("address", ["10.0.0.1", ""], ids=["dual-stack", "IPv6 only"])
def test_a_task_is_registered_by_the_address_that_the_group_takes(address: str) -> None:
    groups = {GROUP: group(ip_type="ipv6"), OTHER_GROUP: group(OTHER_GROUP)}
    found = task(address=address, ipv6="fd00::1")
    targets = observer(Ports(service(), groups=groups)).targets_of(found, service(load_balancing=APP_AND_ADMIN))
    assert [(target.group, target.identity) for target in targets] == [
        (GROUP, "fd00::1"),
        *([(OTHER_GROUP, address)] if address else []),
    ]
    assert str(targets[0]) == "[fd00::1]:8000"


def test_a_task_without_an_address_yet_is_no_target() -> None:
    assert observer(Ports(service())).targets_of(task(address=""), service()) == ()


def test_a_group_that_is_gone_has_no_targets() -> None:
    ports = Ports(recording(("10.0.0.1", 8000)), (task(),), groups={})
    assert observer(ports).targets_of(task(), service()) == ()
    assert look(ports).registrations == ()


def test_with_instances_a_target_is_the_host_port_of_the_container_that_the_service_names() -> None:
    groups = {GROUP: group(kind="instance"), OTHER_GROUP: group(OTHER_GROUP, kind="instance")}
    ports = Ports(service(load_balancing=APP_AND_ADMIN), groups=groups)
    watching = observer(ports)
    for _ in range(2):
        found = watching.targets_of(on_instance(), ports.found)
        assert [(target.group, str(target)) for target in found] == [(GROUP, "i-7:49153"), (OTHER_GROUP, "i-7:49154")]
    assert ports.asked == ["instances of ci-7"]


@pytest.mark.parametrize(
    ("protocol", "found"), [("TCP", ["i-7:49153"]), ("TCP_UDP", ["i-7:49153"]), ("UDP", ["i-7:9"])]
)
def test_a_port_of_the_other_protocol_is_another_port(protocol: str, found: list[str]) -> None:
    container = Container("app", "RUNNING", host_ports={8000: 49153}, udp_ports={8000: 9})
    his = task("t1", address="", container_instance="ci-7", containers=(container,))
    ports = Ports(service(), groups={GROUP: group(kind="instance", protocol=protocol)})
    assert [str(target) for target in observer(ports).targets_of(his, ports.found)] == found
    bound = replace(container, host_ports={}) if protocol != "UDP" else replace(container, udp_ports={})
    assert observer(ports).targets_of(replace(his, containers=(bound,)), ports.found) == ()


def test_the_instances_of_many_tasks_are_asked_for_at_once() -> None:
    others = tuple(replace(on_instance(), arn=f"t{number}", container_instance=f"ci-{number}") for number in range(250))
    ports = Ports(
        recording(("i-249", 49153), ("i-7", 1)),
        others=others,
        groups={GROUP: group(kind="instance")},
        states={(GROUP, "i-249", 49153): "healthy"},
    )
    assert registered(ports) == [(GROUP, "i-249:49153", False, "t249")]
    assert len([call for call in ports.asked if call.startswith("instances")]) == 1


@pytest.mark.parametrize(
    "entry", [LoadBalancing(GROUP, "app", 7000), LoadBalancing(GROUP, "gone", 8000)], ids=["port", "container"]
)
def test_with_instances_a_port_that_is_not_bound_yet_is_no_target(entry: LoadBalancing) -> None:
    found = service(load_balancing=(entry,))
    ports = Ports(found, groups={GROUP: group(kind="instance")})
    assert observer(ports).targets_of(on_instance(), found) == ()


@pytest.mark.parametrize(("mapped", "port"), [([{"containerPort": 8000}], 8000), ([], 0), ([{"containerPort": 9}], 0)])
def test_on_the_network_of_the_host_a_task_has_the_ports_that_its_revision_maps(
    mapped: list[dict[str, int]], port: int
) -> None:
    container = {"name": "app", "portMappings": mapped}
    whole = TaskDefinition(Revision(revision(2)), {"networkMode": "host", "containerDefinitions": [container]}, {})
    ports = Ports(service(), groups={GROUP: group(kind="instance")}, wholes={revision(2): whole})
    found = task("t1", address="", container_instance="ci-7", containers=(Container("app", "RUNNING"),))
    assert [target.port for target in observer(ports).targets_of(found, ports.found)] == ([port] if port else [])


def test_what_is_not_believed_is_told_once() -> None:
    told: list[str] = []
    unreadable = "tag ecs-pipeline:index of task t1 is not believed, it cannot be read: first"
    ports = Ports(service(), (task(unreadable=(unreadable,)),))
    watching = Observer(ports, ports, ports, "web", now=lambda: 0.0, tell=told.append)  # type: ignore[arg-type]
    watching.snapshot()
    watching.snapshot()
    assert told == [
        unreadable,
        "task t1 has the tags of release r2's canary, but it runs web:2, which release r2 did not register",
    ]


def test_the_tags_of_another_services_task_are_not_told() -> None:
    told: list[str] = []
    ports = Ports(service(), (task(of="api", unreadable=("its index",)),))
    Observer(ports, ports, ports, "web", now=lambda: 0.0, tell=told.append).snapshot()  # type: ignore[arg-type]
    assert told == ["task t1 was started as a canary of web and is tagged as service api's: it is not stopped"]
