"""Our tags: what is written is what is read again, within AWS' limits, whatever the names are."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_pipeline.config.settings import RELEASE_ID
from ecs_pipeline.model.load_balancing import RecordedTarget, Target
from ecs_pipeline.model.release import Epoch, Marks
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.decide import next_epoch
from tests.unit.facts import revision

NOW = datetime(2026, 11, 23, 7, 15, tzinfo=timezone.utc)
RELEASES = st.from_regex(RELEASE_ID, fullmatch=True)
ADDRESSES = st.ip_addresses().map(str) | st.from_regex(r"i-[0-9a-f]{17}", fullmatch=True)
TARGETS = st.lists(st.builds(Target, st.just("group"), ADDRESSES, st.integers(1, 65535)), max_size=60)
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "build_tags.json").read_text(encoding="utf-8"))
ALLOWED = re.compile(r"[\w .:/=+\-@]{0,256}")


def read(tags: dict[str, str]) -> set[tuple[str, int]]:
    """The addresses that tags record."""
    return {(target.identity, target.port) for target in release_tags.parse_service(tags).targets}


@settings(derandomize=True)
@given(release=RELEASES, earlier=RELEASES)
def test_a_turn_is_read_as_it_was_written(release: str, earlier: str) -> None:
    epoch = next_epoch(next_epoch(Epoch(), earlier), release)
    value = release_tags.epoch_value(epoch)
    assert release_tags.parse_epoch(value) == epoch
    assert ALLOWED.fullmatch(value)


@pytest.mark.parametrize("epoch", [Epoch(), Epoch("abc", ""), Epoch("abc", "r1")])
def test_an_epoch_of_any_kind_is_read_as_it_was_written(epoch: Epoch) -> None:
    assert release_tags.parse_epoch(release_tags.epoch_value(epoch)) == epoch


@pytest.mark.parametrize("value", ["", "/", "/r1"])
def test_a_turn_that_was_never_written_is_the_first(value: str) -> None:
    assert release_tags.parse_epoch(value) == Epoch()


def test_absent_and_empty_marks_are_the_same() -> None:
    keys = (
        release_tags.EPOCH,
        release_tags.UNDER_WAY,
        release_tags.SOURCE,
        release_tags.WANTED,
        release_tags.RELEASE,
        release_tags.PREVIOUS,
        release_tags.APPROVAL,
    )
    assert release_tags.parse_service({}) == release_tags.parse_service(dict.fromkeys(keys, "")) == Marks()


def test_each_mark_of_a_service_is_read_from_its_own_tag() -> None:
    tags = {
        "ecs-pipeline:turn": "abc/r0",
        "ecs-pipeline:under-way": "r2",
        "ecs-pipeline:source": "commit c",
        "ecs-pipeline:wanted": revision(2),
        "ecs-pipeline:release": "r1",
        "ecs-pipeline:previous": revision(1),
        "ecs-pipeline:approved-by": "ann",
        "ecs-pipeline:targets:1": f"{NOW.timestamp():.0f} 10.0.0.1:80 fd00::1:8080",
        "Team": "lab",
    }
    found = (RecordedTarget("10.0.0.1", 80, NOW), RecordedTarget("fd00::1", 8080, NOW))
    read_again = Marks(Epoch("abc", "r0"), "r2", "commit c", revision(2), "r1", revision(1), "ann", found)
    assert release_tags.parse_service(tags) == read_again


@settings(derandomize=True)
@given(targets=TARGETS)
def test_every_recorded_address_is_read_again_and_each_tag_fits(targets: list[Target]) -> None:
    record = release_tags.record_of(targets, NOW)
    assert read(record) == {target.key for target in targets}
    assert all(ALLOWED.fullmatch(value) and len(key) <= 128 for key, value in record.items())


@pytest.mark.parametrize(("addresses", "tags"), [(1, 1), (16, 1), (17, 2), (32, 2), (33, 3)])
def test_addresses_are_packed_into_as_few_tags_as_hold_them(addresses: int, tags: int) -> None:
    targets = [Target("group", f"10.0.0.{number}", 8000) for number in range(10, 10 + addresses)]
    assert len(release_tags.record_of(targets, NOW)) == tags


@pytest.mark.parametrize(("length", "lengths"), [(138, [256]), (139, [114, 153])])
def test_a_tag_is_filled_to_its_last_character(length: int, lengths: list[int]) -> None:
    targets = [Target("group", "a" * 100, 80), Target("group", "b" * length, 80)]
    assert [len(value) for value in release_tags.record_of(targets, NOW).values()] == lengths


def test_the_same_addresses_in_any_order_take_the_same_tags_at_any_time() -> None:
    targets = [Target("group", f"10.0.0.{number}", 8000) for number in range(40)]
    again = release_tags.record_of([*reversed(targets), targets[0]], NOW + timedelta(hours=1))
    assert release_tags.record_of(targets, NOW).keys() == again.keys()


@pytest.mark.parametrize(
    "value", ["", "x 10.0.0.1:80", "10.0.0.1:80", "1700000000", "1700000000 here", "1700000000 :80"]
)
def test_a_record_that_is_none_names_no_address(value: str) -> None:
    assert read({"ecs-pipeline:targets:1": value}) == set()


def test_records_are_outdated_after_a_day() -> None:
    tags = {
        **release_tags.record_of([Target("group", "10.0.0.1", 80)], NOW - timedelta(days=1, seconds=1)),
        **release_tags.record_of([Target("group", "10.0.0.2", 80)], NOW - timedelta(days=1) + timedelta(seconds=1)),
    }
    (old,) = release_tags.record_of([Target("group", "10.0.0.1", 80)], NOW)
    assert release_tags.outdated_records({**tags, "ecs-pipeline:turn": "1/r", "Team": "lab"}, NOW) == [old]


def test_records_without_a_registered_address_are_told_oldest_first() -> None:
    tags: dict[str, str] = {}
    for number, age in ((1, 5), (2, 9), (3, 7)):
        tags.update(release_tags.record_of([Target("group", f"10.0.0.{number}", 80)], NOW - timedelta(hours=age)))
    keys = {value.rpartition(".")[2]: key for key, value in tags.items()}
    assert release_tags.unregistered_records({**tags, "Team": "lab"}, [("10.0.0.3", 80)]) == [
        keys["2:80"],
        keys["1:80"],
    ]
    assert release_tags.unregistered_records(tags, []) == [keys["2:80"], keys["3:80"], keys["1:80"]]


def test_a_record_with_one_registered_address_among_others_stays() -> None:
    tags = release_tags.record_of([Target("group", "10.0.0.1", 80), Target("group", "10.0.0.2", 80)], NOW)
    assert release_tags.unregistered_records(tags, [("10.0.0.2", 80)]) == []
    assert release_tags.unregistered_records(tags, [("10.0.0.2", 81)]) == [*tags]


@settings(derandomize=True)
@given(text=st.text(max_size=400))
def test_any_text_becomes_a_value_that_a_tag_may_hold(text: str) -> None:
    assert ALLOWED.fullmatch(release_tags.tag_value(text))


def test_what_is_too_long_is_told_apart_and_looks_like_nothing_shorter() -> None:
    job = "https://ci.example.com/" + "j" * 231 + "/"
    values = [release_tags.tag_value(f"{job}{number}/") for number in ("12", "123", "124")]
    assert [len(value) for value in values] == [256] * 3
    assert len(set(values)) == 3
    assert not any(value.startswith(job) for value in values)
    assert release_tags.tag_value("x" * 256) == "x" * 256


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Jane Doe <jane@x.org>", "Jane Doe jane@x.org"),
        ('"Doe, Jane" (ops)', "Doe Jane ops"),
        ("Zoë Ünal", "Zoë Ünal"),
        ("<>", ""),
    ],
)
def test_an_approver_is_told_without_what_a_tag_may_not_hold(name: str, value: str) -> None:
    assert release_tags.approver_value(name) == value


def test_text_that_a_tag_may_hold_is_kept() -> None:
    text = "Zoë Ünal <zoe@example.com>; build 5+1=6, web:7/x-y_z."
    assert release_tags.tag_value(text) == "Zoë Ünal _zoe@example.com__ build 5+1=6_ web:7/x-y_z."


@pytest.mark.parametrize("vector", VECTORS["values"])
def test_a_build_is_told_as_the_jenkins_library_reads_it(vector: dict[str, str]) -> None:
    assert release_tags.build_value(vector["text"]) == vector["value"]


def test_no_two_builds_have_one_value() -> None:
    values = [vector["value"] for vector in VECTORS["values"]]
    assert len(set(values)) == len(values)


@settings(derandomize=True)
@given(text=st.text(max_size=400))
def test_any_address_of_a_build_becomes_a_value_that_a_tag_may_hold(text: str) -> None:
    assert ALLOWED.fullmatch(release_tags.build_value(text))


def test_tags_of_aws_and_of_ours_are_not_copied() -> None:
    tags = {"Team": "lab", "aws:cloudformation:stack-name": "s", "ecs-pipeline:release": "r", "ecs-pipelines": "x"}
    assert release_tags.theirs(tags) == {"Team": "lab", "ecs-pipelines": "x"}


@settings(derandomize=True)
@given(name=st.text(min_size=1, max_size=300))
def test_started_by_fits_ecs_whatever_the_service_is_called(name: str) -> None:
    assert re.fullmatch(r"canary/[A-Za-z0-9_-]{1,121}", release_tags.started_by(name))
    assert len(release_tags.started_by(name)) <= 128


def test_started_by_tells_the_name_where_it_fits() -> None:
    assert release_tags.started_by("web-api_2") == "canary/web-api_2"
    assert release_tags.started_by("w" * 121) == "canary/" + "w" * 121


def test_names_that_look_alike_are_told_apart() -> None:
    names = ["web.api", "web:api", "web_api", "w" * 121, "w" * 122, "w" * 123]
    assert len({release_tags.started_by(name) for name in names}) == len(names)
