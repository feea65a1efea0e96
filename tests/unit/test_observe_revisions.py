"""One snapshot: which revisions are read, and which a scan adds."""

from __future__ import annotations

from ecs_pipeline.model.release import Marks, Revision
from ecs_pipeline.protocol import observe
from tests.unit.facts import revision, service, task
from tests.unit.snapshots import Ports, look, observer


def known(ports: Ports, *, scan: bool = False) -> list[str]:
    return [Revision(known).name for known in look(ports, scan=scan).revisions]


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
    names = {known.name: known.active for known in watching.snapshot(scan=True).revisions.values()}
    assert sorted(names) == ["evil:1", "shop:2", "shop:3", "web:4", "web:5", "web:6", "web:8", "web:9"]
    assert [name for name in sorted(names) if not names[name]] == ["evil:1", "shop:2", "web:6"]


def test_a_copy_is_as_old_as_its_original_for_what_came_between_may_be_left_over() -> None:
    active = {"web": [revision(number) for number in (5, 4, 3, 2, 1)]}
    ports = Ports(service(revision=revision(5)), active=active, copies={revision(5): revision(2)})
    assert sorted(known(ports, scan=True)) == ["web:3", "web:4", "web:5"]


def test_a_scan_looks_at_the_newest_only() -> None:
    newest = [revision(number) for number in range(100, 0, -1)]
    ports = Ports(service(revision=revision(10)), active={"web": newest})
    assert len(known(ports, scan=True)) == observe.SCANNED + 1
