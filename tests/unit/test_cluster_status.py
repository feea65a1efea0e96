"""`status --all`: every service of a cluster in a line each, and which canary has been left alone too long."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ecs_pipeline.aws.ecs import Ecs
from ecs_pipeline.stages import cluster_status as stage
from tests.fakes.ports import new_run
from tests.unit import facts
from tests.unit.aws_stub import aws_stub, ok, session
from tests.unit.clocks import RecordingClock
from tests.unit.commands import Commands, commands
from tests.unit.protocol.simulation import start_of

CLUSTER = ("--cluster", "prd", "--all")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    return commands(monkeypatch, capsys, tmp_path)


def test_each_service_has_a_line_with_its_canary(run: Commands) -> None:
    run.world = start_of("A is a canary")
    end = run("status", *CLUSTER)
    header, line, told = end.out.splitlines()
    assert (end.code, header.split()) == (0, list(stage.HEADER))
    assert line.split()[:5] == ["web", "web:2", "P", "A", "pass"]
    assert line.endswith("25 %")
    assert told == "1 services, 1 with a canary"


def test_a_cluster_without_canaries_is_in_order_however_little_time_they_have(run: Commands) -> None:
    run.world = start_of("P runs")
    end = run("status", *CLUSTER, "--older-than", "1s")
    assert end.code == 0
    assert end.out.splitlines()[1].split() == ["web", "web:2", "P", "-"]


@pytest.mark.parametrize("words", [CLUSTER, ("--cluster", "prd", "--service", "web")])
@pytest.mark.parametrize(("passed", "code"), [(59, 0), (61, 5)])
def test_a_canary_that_is_older_is_for_a_person_to_decide(
    run: Commands, words: tuple[str, ...], passed: float, code: int
) -> None:
    run.world = start_of("A is a canary")
    (canary,) = run.world.alive()
    run.world.schedule.now = canary.created + passed
    end = run("status", *words, "--older-than", "1m")
    assert end.code == code
    assert ("too old" in end.out) is (code == 5)
    found = json.loads(run("status", *words, "--older-than", "1m", "--output", "json").out)
    assert found.get("exit_code", 0) == code
    assert found.get("message", "") == ("canary too old: web" if code else "")


@pytest.mark.parametrize(("words", "code"), [((), 5), (("--older-than", "1h"), 0), (("--all",), 5)])
def test_the_config_may_say_how_old_a_canary_may_become(run: Commands, words: tuple[str, ...], code: int) -> None:
    run.changes = {"settings": new_run(run.world, "", [], {"canary": {"expires": "1m"}}).settings}
    run.world = start_of("A is a canary")
    (canary,) = run.world.alive()
    run.world.schedule.now = canary.created + 61
    service = () if "--all" in words else ("--service", "web")
    assert run("status", "--cluster", "prd", *service, *words).code == code


def test_the_same_as_json(run: Commands) -> None:
    run.world = start_of("A is a canary")
    found = json.loads(run("status", *CLUSTER, "--output", "json").out)
    (service,) = found["services"]
    assert (found["cluster"], found["older"], found["without_service"]) == ("prd", [], [])
    assert (service["service"], service["release"], service["under_way"]) == ("web", "P", "A")
    assert (service["canary"]["release"], service["canary"]["share"], service["canary"]["older"]) == ("A", 25.0, False)


def test_a_canary_whose_service_is_gone_is_named() -> None:
    world = start_of("A is a canary")
    world.other_tasks = [facts.task("t9", started_by="canary/gone", of="gone")]
    found = stage.cluster_status(new_run(world, "status", ()))
    assert [task["id"] for task in found["without_service"]] == ["t9"]
    assert stage.lines(found)[-1] == "task t9 (canary/gone): its service is gone: `rollback --service NAME` removes it"


def test_a_release_that_has_no_canary_yet_is_under_way() -> None:
    world = start_of("P runs")
    world.service_tags["ecs-pipeline:under-way"] = "B"
    assert "none yet: B" in stage.lines(stage.cluster_status(new_run(world, "status", ())))[1]


def test_a_service_whose_autoscaling_is_held_is_named(run: Commands) -> None:
    run.world = start_of("P runs")
    assert "autoscaling" not in run("status", *CLUSTER).out
    run.world.service_tags["ecs-pipeline:scaling"] = "in=no out=no scheduled=yes"
    assert run("status", *CLUSTER).out.splitlines()[-1] == (
        "the autoscaling of web is held by a promotion; suspended before: in=no out=no scheduled=yes"
    )
    (service,) = json.loads(run("status", *CLUSTER, "--output", "json").out)["services"]
    assert service["autoscaling_before"] == "in=no out=no scheduled=yes"


def test_the_service_is_the_one_that_the_task_was_started_for_whatever_its_tags_say() -> None:
    world = start_of("A is a canary")
    (canary,) = world.alive()
    canary.tags["ecs-pipeline:service"] = "another"
    (service,) = stage.cluster_status(new_run(world, "status", ()))["services"]
    assert service["canary"]["release"] == "A"


def test_time_is_aws_time() -> None:
    world = start_of("A is a canary")
    run = new_run(world, "status", ())
    (task,) = run.ecs.tasks([task.arn for task in world.alive()])
    late = replace(run, session=_Clock(task.created + timedelta(hours=7)))
    (service,) = stage.cluster_status(late, 6 * 3600.0)["services"]
    assert (service["canary"]["age_seconds"], service["canary"]["older"]) == (7 * 3600, True)


class _Clock:
    def __init__(self, now: object) -> None:
        self.now = lambda: now


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--all", "--service", "web"), "--all excludes --service"),
        (("--all", "--watch"), "--watch excludes --all and --older-than"),
        (("--watch", "--older-than", "1h"), "--watch excludes --all and --older-than"),
        (("--all", "--older-than", "soon"), "'--older-than': 'soon' is not a duration; write 300ms, 90s, 5m or 1h"),
    ],
)
def test_what_does_not_go_together_is_told(run: Commands, words: tuple[str, ...], said: str) -> None:
    end = run("status", "--cluster", "prd", *words)
    assert (end.code, end.out) == (2, "")
    assert said in end.err


def test_services_are_described_ten_at_once_and_listed_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    arns = [f"{facts.ECS}:service/prd/s{number}" for number in range(12)]
    with aws_stub(monkeypatch) as aws:
        aws.on("ListServices", ok({"serviceArns": arns[:7], "nextToken": "more"}), ok({"serviceArns": arns[7:]}))
        raw = {"serviceArn": arns[0], "serviceName": "s0", "status": "ACTIVE"}
        aws.on("DescribeServices", ok({"services": [raw]}))
        found = Ecs(session(RecordingClock()).client("ecs"), "prd", "all").services()
        assert [len(asked.json["services"]) for asked in aws.asked("DescribeServices")] == [10, 2]
    assert [service.name for service in found] == ["s0", "s0"]
