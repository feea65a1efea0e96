"""Tags that anybody may have written: they are read or told, and never end a command."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from ecs_pipeline.aws.ecs_facts import parse_revision, parse_service, parse_task
from ecs_pipeline.model import tag_values
from ecs_pipeline.model.release import Epoch, Revision
from ecs_pipeline.protocol import release_tags
from tests.unit.facts import ECS, revision
from tests.unit.odd_tags import TAGS, VALUES


def raw_tags(found: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in found.items()]


def task_of(**ours: str) -> Any:
    found = {f"ecs-pipeline:{key.replace('_', '-')}": value for key, value in ours.items()}
    return parse_task({"taskArn": f"{ECS}:task/prd/t1", "taskDefinitionArn": revision(2), "tags": raw_tags(found)})


def service_of(**ours: str) -> Any:
    found = {f"ecs-pipeline:{key.replace('_', '-')}": value for key, value in ours.items()}
    raw = {"serviceArn": "arn", "serviceName": "web", "status": "ACTIVE", "tags": raw_tags(found)}
    return parse_service(raw, "prd").marks


@settings(derandomize=True, deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(found=TAGS)
def test_no_tag_ends_a_command_and_each_that_says_nothing_is_told_in_a_line(found: dict[str, str]) -> None:
    service = parse_service(
        {"serviceArn": "arn", "serviceName": "web", "status": "ACTIVE", "tags": raw_tags(found)}, "prd"
    )
    task = parse_task({"taskArn": "task/t1", "taskDefinitionArn": revision(2), "tags": raw_tags(found)})
    made = parse_revision({"taskDefinitionArn": revision(2)}, found)
    for line in (*service.marks.unreadable, *task.unreadable, *made.unreadable):
        assert line.replace("…", "").isascii()
        assert line.isprintable()
        assert len(line) < 200
    for arn in filter(None, (service.marks.wanted, service.marks.previous, made.restores)):
        assert Revision(arn).number > 0
    for target in service.marks.targets:
        assert tag_values.address(str(f"{target.identity}:{target.port}"))
    assert 0 <= task.index <= release_tags.MOST_NUMBERED


@pytest.mark.parametrize("value", ["first", "\u00b2", "\uff14", "-1", "1_0", " 1", "10000", "9" * 256, "0x1"])
@pytest.mark.parametrize("member", ["index", "judged_steps", "judged_tasks"])
def test_a_number_that_is_none_counts_as_absent(member: str, value: str) -> None:
    task = task_of(service="web", **{member: value})
    assert getattr(task, member) == 0
    assert task.of == "web"
    (line,) = task.unreadable
    assert line.startswith(f"tag ecs-pipeline:{member.replace('_', '-')} of task t1 is not believed, it cannot be read")


@pytest.mark.parametrize("value", ["\u00b2", "1e9", "-5", "99999999999999999999", "253402300800", "9" * 256])
def test_a_time_that_is_none_counts_as_absent(value: str) -> None:
    task = task_of(bake_began=value)
    assert (task.bake_began, len(task.unreadable)) == (None, 1)


def test_the_last_second_that_there_is_can_be_read() -> None:
    task = task_of(bake_began=str(tag_values.LAST_SECOND))
    assert task.bake_began == datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "value",
    [
        "garbage",
        "web:3",
        "arn:aws:ecs:eu-west-1:123456789012:task-definition/web",
        "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:0",
        "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:\u00b2",
        "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:99999999999",
        "arn:aws:ecs:eu-west-1:123456789012:service/web:3",
        "arn:aws:ecs:eu-west-1:1:task-definition/web:3",
    ],
)
def test_a_revision_that_is_none_counts_as_absent(value: str) -> None:
    found = service_of(wanted=value, previous=value)
    assert (found.wanted, found.previous) == (None, None)
    assert [line.split(" ")[1] for line in found.unreadable] == ["ecs-pipeline:wanted", "ecs-pipeline:previous"]
    copy = parse_revision({"taskDefinitionArn": revision(2)}, {release_tags.RESTORES: value})
    assert (copy.restores, len(copy.unreadable)) == ("", 1)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_a_revision_of_any_partition_is_read(partition: str) -> None:
    arn = f"arn:{partition}:ecs:eu-west-1:123456789012:task-definition/web_api-1:2147483647"
    assert service_of(wanted=arn).wanted == arn


@pytest.mark.parametrize("value", ["../../etc", "a b", "-x", "a/b", "x" * 101, "é"])
def test_a_release_that_is_none_counts_as_absent(value: str) -> None:
    found = service_of(release=value, under_way=value)
    assert (found.release, found.under_way, len(found.unreadable)) == ("", "", 2)
    assert task_of(release=value).release == ""


@pytest.mark.parametrize("value", ["garbage", "/r1", "a b/r1", "abc/r 1", "abc/r1/r2", "é/r1"])
def test_a_turn_that_is_none_counts_as_absent(value: str) -> None:
    found = service_of(turn=value)
    assert (found.epoch, len(found.unreadable)) == (Epoch(), 1)
    assert parse_revision({"taskDefinitionArn": revision(2)}, {release_tags.EPOCH: value}).epoch is None


@pytest.mark.parametrize("value", ["passed", "fail", "PASS", "yes"])
def test_a_verdict_that_no_bake_writes_is_none(value: str) -> None:
    assert (task_of(verdict=value).verdict, task_of(verdict="pass").verdict) == ("", "pass")


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("\u00b2 1.2.3.4:80", []),
        ("99999999999999999999 1.2.3.4:80", []),
        ("1700000000 1.2.3.4:\u00b2", []),
        ("1700000000 1.2.3.4:0 1.2.3.4:65536 1.2.3.4:", []),
        ("1700000000 evil:80 i-nothex:80 1.2.3:80 ::x:80 1.2.3.4:80", [("1.2.3.4", 80)]),
        (
            "1700000000 \uff14.2.3.4:80 i-0123456789abcdef0:8080 fd00::1:80",
            [("i-0123456789abcdef0", 8080), ("fd00::1", 80)],
        ),
    ],
)
def test_of_a_record_only_what_a_target_can_be_is_read(value: str, addresses: list[tuple[str, int]]) -> None:
    found = service_of(**{"targets:aa": value})
    assert [(target.identity, target.port) for target in found.targets] == addresses
    assert len(found.unreadable) == 1


@settings(derandomize=True, deadline=None)
@given(value=VALUES)
def test_a_record_that_cannot_be_read_makes_room_for_others(value: str) -> None:
    found = {release_tags.TARGETS + "aa": value}
    now = datetime(2026, 11, 23, tzinfo=timezone.utc)
    if not release_tags.parse_service(found).targets:
        assert release_tags.outdated_records(found, now) == [*found]
