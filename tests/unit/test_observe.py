"""One look: whose tasks are ours, what they are registered as, and who has a recorded address by now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ecs_pipeline.model.load_balancing import (
    LoadBalancing,
    RecordedTarget,
    Registration,
    Target,
    TargetGroup,
    TargetHealth,
)
from ecs_pipeline.model.release import Container, Marks, Revision, Service, Task, TaskDefinition
from ecs_pipeline.protocol import observe
from ecs_pipeline.protocol.observe import Observer
from ecs_pipeline.protocol.snapshot import Snapshot
from tests.unit.facts import GROUP, NOW, OTHER_GROUP, group, revision, service, task

APP_AND_ADMIN = (LoadBalancing(GROUP, "app", 8000), LoadBalancing(OTHER_GROUP, "app", 9000))


@dataclass
class Ports:
    """The reads of a look, from facts; `asked` are the calls made, in order."""

    found: Service
    ours: tuple[Task, ...] = ()
    others: tuple[Task, ...] = ()
    groups: Mapping[str, TargetGroup] = field(default_factory=lambda: {GROUP: group(), OTHER_GROUP: group(OTHER_GROUP)})
    states: Mapping[tuple[str, str, int], str] = field(default_factory=dict)
    active: Mapping[str, Sequence[str]] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    wholes: Mapping[str, TaskDefinition] = field(default_factory=dict)
    releases: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, arn: str) -> TaskDefinition:
        return self.wholes[arn]

    def service(self) -> Service:
        self.asked.append("service")
        return self.found

    def tasks_started_by(self, started_by: str, desired_status: str = "RUNNING") -> tuple[Task, ...]:
        self.asked.append(f"tasks {started_by} {desired_status}")
        return self.ours

    def running_tasks(self) -> tuple[Task, ...]:
        self.asked.append("running tasks")
        return (*self.ours, *self.others)

    def tasks_of_family(self, family: str) -> tuple[Task, ...]:
        self.asked.append(f"tasks of {family}")
        return tuple(one for one in (*self.ours, *self.others) if Revision(one.revision).family == family)

    def instances_of(self, container_instances: Sequence[str]) -> dict[str, str]:
        self.asked.append(f"instances of {' '.join(container_instances)}")
        return {one: one.replace("ci", "i") for one in container_instances}

    def target_group(self, arn: str) -> TargetGroup | None:
        return self.groups.get(arn)

    def health(self, arn: str) -> list[TargetHealth]:
        self.asked.append(f"health of {arn}")
        there = {(identity, port): state for (group, identity, port), state in self.states.items() if group == arn}
        return [TargetHealth(*key, state) for key, state in there.items() if state != "unused"]

    def revisions(self, family: str) -> list[str]:
        self.asked.append(f"revisions {family}")
        return list(self.active.get(family, ()))

    def revision(self, arn: str, active: Iterable[str] = ()) -> Revision:
        release, restores = self.releases.get(arn, ""), self.copies.get(arn, "")
        return Revision(arn, release, active=arn in active, restores=restores)


def observer(ports: Any) -> Observer:
    return Observer(ports, ports, ports, "web")


def look(ports: Ports, *, scan: bool = False) -> Snapshot:
    return observer(ports).snapshot(scan=scan)


def recording(*addresses: tuple[str, int], **members: Any) -> Service:
    """The service with these addresses written down."""
    targets = tuple(RecordedTarget(identity, port, NOW) for identity, port in addresses)
    return service(marks=Marks(targets=targets), **members)


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
    assert [one.id for one in look(Ports(service(), ours)).tasks] == ["alive", "starting"]


def test_tasks_that_were_told_to_stop_are_asked_for_by_that() -> None:
    ports = Ports(service(), (task("stopping", desired_status="STOPPED"),))
    assert [one.id for one in observer(ports).stopping()] == ["stopping"]
    assert ports.asked == ["tasks canary/web STOPPED"]


def test_a_task_is_a_target_in_every_group_at_that_groups_port() -> None:
    found = observer(Ports(service())).targets_of(task(), service(load_balancing=APP_AND_ADMIN))
    assert found == (Target(GROUP, "10.0.0.1", 8000, task().arn), Target(OTHER_GROUP, "10.0.0.1", 9000, task().arn))


@pytest.mark.parametrize("address", ["10.0.0.1", ""], ids=["dual-stack", "IPv6 only"])
def test_a_task_is_registered_by_the_address_that_the_group_takes(address: str) -> None:
    groups = {GROUP: group(ip_type="ipv6"), OTHER_GROUP: group(OTHER_GROUP)}
    found = task(address=address, ipv6="fd00::1")
    targets = observer(Ports(service(), groups=groups)).targets_of(found, service(load_balancing=APP_AND_ADMIN))
    assert [(one.group, one.identity) for one in targets] == [
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


def on_instance(**members: Any) -> Task:
    containers = (
        Container("proxy", "RUNNING", host_ports={8000: 1}),
        Container("app", "RUNNING", host_ports={8000: 49153, 9000: 49154}),
    )
    return task("t1", address="", container_instance="ci-7", containers=containers, **members)


def test_with_instances_a_target_is_the_host_port_of_the_container_that_the_service_names() -> None:
    groups = {GROUP: group(kind="instance"), OTHER_GROUP: group(OTHER_GROUP, kind="instance")}
    ports = Ports(service(load_balancing=APP_AND_ADMIN), groups=groups)
    watching = observer(ports)
    for _ in range(2):
        found = watching.targets_of(on_instance(), ports.found)
        assert [(one.group, str(one)) for one in found] == [(GROUP, "i-7:49153"), (OTHER_GROUP, "i-7:49154")]
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
    assert len([one for one in ports.asked if one.startswith("instances")]) == 1


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
    assert [one.port for one in observer(ports).targets_of(found, ports.found)] == ([port] if port else [])


def test_what_is_not_believed_is_told_once() -> None:
    told: list[str] = []
    unreadable = "tag ecs-pipeline:index of task t1 is not believed, it cannot be read: first"
    ports = Ports(service(), (task(unreadable=(unreadable,)),))
    watching = Observer(ports, ports, ports, "web", told.append)  # type: ignore[arg-type]
    watching.snapshot()
    watching.snapshot()
    assert told == [
        unreadable,
        "task t1 has the tags of release r2's canary, but it runs web:2, which release r2 did not register",
    ]


def test_the_tags_of_another_services_task_are_not_told() -> None:
    told: list[str] = []
    ports = Ports(service(), (task(of="api", unreadable=("its index",)),))
    Observer(ports, ports, ports, "web", told.append).snapshot()  # type: ignore[arg-type]
    assert told == ["task t1 was started as a canary of web and is tagged as service api's: it is not stopped"]


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


def registered(ports: Ports) -> list[tuple[str, str, bool, str]]:
    found: tuple[Registration, ...] = look(ports).registrations
    return [(one.target.group, str(one.target), one.draining, one.owner.rpartition("/")[2]) for one in found]


def test_the_target_of_a_living_task_of_ours_is_known_without_a_record() -> None:
    ports = Ports(service(), (task(),), states={(GROUP, "10.0.0.1", 8000): "healthy"})
    assert registered(ports) == [(GROUP, "10.0.0.1:8000", False, "t1")]


def test_nothing_is_asked_of_the_load_balancer_when_nothing_lives_or_is_recorded() -> None:
    ports = Ports(service(), (), states={(GROUP, "10.0.0.1", 8000): "healthy"})
    assert registered(ports) == []
    assert not [one for one in ports.asked if one.startswith(("health", "running"))]


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
    assert [one for one in ports.asked if one.startswith("health")] == [
        f"health of {GROUP}",
        f"health of {OTHER_GROUP}",
    ]
    assert {key: one.state for key, one in look(ports).health.items()} == ports.states


def known(ports: Ports, *, scan: bool = False) -> list[str]:
    return [Revision(one).name for one in look(ports, scan=scan).revisions]


def test_the_revisions_of_service_marks_and_tasks_are_read() -> None:
    found = service(marks=Marks(wanted=revision(3), previous=revision(4)))
    assert known(Ports(found, (task(revision=revision(5)),))) == ["web:1", "web:3", "web:4", "web:5"]


def test_a_scan_adds_those_that_are_newer_than_the_oldest_in_use_of_each_family_that_is_the_services() -> None:
    active = {
        "web": [revision(number) for number in (9, 8, 5, 4, 2)],
        "shop": [revision(number, "shop") for number in (3, 1)],
        "evil": [revision(number, "evil") for number in (2, 1)],
    }
    found = service(revision=revision(4), marks=Marks(wanted=revision(6)))
    tasks = (task(revision=revision(2, "shop")), task("t2", revision=revision(1, "evil")))
    watching = observer(Ports(found, tasks, active=active))
    watching.follow("shop")
    names = {one.name: one.active for one in watching.snapshot(scan=True).revisions.values()}
    assert sorted(names) == ["evil:1", "shop:2", "shop:3", "web:4", "web:5", "web:6", "web:8", "web:9"]
    assert [one for one in sorted(names) if not names[one]] == ["evil:1", "shop:2", "web:6"]


def test_a_copy_is_as_old_as_its_original_for_what_came_between_may_be_left_over() -> None:
    active = {"web": [revision(number) for number in (5, 4, 3, 2, 1)]}
    ports = Ports(service(revision=revision(5)), active=active, copies={revision(5): revision(2)})
    assert sorted(known(ports, scan=True)) == ["web:3", "web:4", "web:5"]


def test_a_scan_looks_at_the_newest_only() -> None:
    newest = [revision(number) for number in range(100, 0, -1)]
    ports = Ports(service(revision=revision(10)), active={"web": newest})
    assert len(known(ports, scan=True)) == observe.SCANNED + 1
