"""Alarms: their states as samples, read together; what is refused before anything is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, Sample
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.telemetry import Alarm
from tests.fakes.telemetry import FakeCloudWatch
from tests.fakes.world import World
from tests.unit.checks.world import check_of, cloudwatch, subject_of
from tests.unit.stage_runs import canary


def there(fake: FakeCloudWatch, **states: str) -> None:
    fake.there = {name: Alarm(name, state, "a reason") for name, state in states.items()}


def sample(subject: Any, kinds: Kinds | None = None, **alarm: Any) -> Sample:
    check = (kinds or Kinds(subject.run.cloudwatch)).make(check_of(alarm=alarm), subject)
    check.begin()
    (found,) = check.collect() or []
    return found


@pytest.mark.parametrize(
    ("states", "outcome", "message"),
    [
        ({"web-a": "OK", "web-b": "OK"}, GOOD, "OK: web-a, web-b"),
        ({"web-a": "OK", "web-b": "ALARM"}, BAD, "web-b is in ALARM: a reason"),
        ({"web-a": "INSUFFICIENT_DATA", "web-b": "ALARM"}, BAD, "web-b is in ALARM: a reason"),
        ({"web-a": "OK", "web-b": "INSUFFICIENT_DATA"}, MISSING, "web-b has INSUFFICIENT_DATA"),
        ({"web-a": "OK"}, MISSING, "there is no alarm web-b"),
    ],
)
def test_all_alarms_of_a_check_make_one_sample(states: dict[str, str], outcome: str, message: str) -> None:
    subject = subject_of(World())
    there(cloudwatch(subject), **states)
    assert sample(subject, names=["web-a", "web-b"]) == Sample(outcome, message)


def test_a_prefix_means_all_that_begin_so() -> None:
    subject = subject_of(World())
    there(cloudwatch(subject), **{"web-a": "OK", "web-b": "ALARM", "other": "ALARM"})
    assert sample(subject, prefix="web-").outcome == BAD
    assert sample(subject, prefix="web-a").outcome == GOOD


def test_all_checks_that_are_due_are_read_with_one_call() -> None:
    subject = subject_of(World())
    fake = cloudwatch(subject)
    there(fake, **{"web-a": "OK", "web-b": "ALARM"})
    kinds = Kinds(fake)
    checks = [kinds.make(check_of(alarm={"names": [name]}), subject) for name in ("web-a", "web-b")]
    for check in checks:
        check.begin()
    outcomes = [[each.outcome for each in check.collect() or []] for check in checks]
    assert outcomes == [[GOOD], [BAD]]
    assert fake.calls == ["DescribeAlarms"]


def test_trouble_with_aws_is_a_sample_without_data() -> None:
    subject = subject_of(World())

    class Throttled(FakeCloudWatch):
        def alarms(self, names: Any, prefixes: Any = ()) -> Any:
            raise Trouble("cloudwatch:DescribeAlarms: Throttling: slow down")

    troubled = replace(subject, run=replace(subject.run, cloudwatch=Throttled()))
    assert sample(troubled, names=["a"]) == Sample(MISSING, "cloudwatch:DescribeAlarms: Throttling: slow down")


@pytest.mark.parametrize(("hours", "outcome"), [(-1, MISSING), (1, BAD)])
def test_an_ignored_alarm_counts_once_it_was_ok(hours: float, outcome: str) -> None:
    subject = subject_of(World())
    fake = cloudwatch(subject)
    since = subject.canary[0].created + timedelta(hours=hours)
    fake.there = {"web-a": Alarm("web-a", "ALARM", since=since)}
    check = Kinds(fake).make(check_of(alarm={"names": ["web-a"], "in_alarm_at_start": "ignore"}), subject)
    outcomes = []
    for state in ("ALARM", "OK", "ALARM"):
        fake.there = {"web-a": Alarm("web-a", state, since=since)}
        check.begin()
        outcomes += [sample.outcome for sample in check.collect() or []]
    assert outcomes == [outcome, GOOD, BAD]


def settings(**alarm: Any) -> dict[str, Any]:
    return {"canary": {"bake": "2s", "healthy_within": "30s", "checks": [{"interval": "1s", "alarm": alarm}]}}


def stage(world: World, fake: FakeCloudWatch, monkeypatch: pytest.MonkeyPatch, **alarm: Any) -> Any:
    monkeypatch.setattr("tests.fakes.ports.FakeCloudWatch", lambda: fake)
    return canary(world, release="A", settings=settings(**alarm), image=IMAGE)


IMAGE = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/web:v2"


@pytest.fixture
def world() -> World:
    from tests.fakes.names import digest_of

    made = World()
    made.images["v2"] = digest_of("v2")
    return made


def test_an_unknown_alarm_is_told_before_anything_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    end = stage(world, FakeCloudWatch(), monkeypatch, names=["web-a"])
    assert (end.code, end.writes) == (2, [])
    assert end.text.startswith("no alarm web-a in CloudWatch")
    end = stage(world, FakeCloudWatch(), monkeypatch, prefix="web-")
    assert (end.code, end.writes) == (2, [])


def test_an_alarm_that_rings_already_is_refused_before_anything_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeCloudWatch()
    there(fake, **{"web-a": "ALARM"})
    end = stage(world, fake, monkeypatch, names=["web-a"])
    assert (end.code, end.writes) == (3, [])
    assert end.text.startswith("alarm web-a is in ALARM before the release: a reason")


def test_an_alarm_that_rings_while_the_releases_own_canary_lives_is_judged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeCloudWatch()
    there(fake, **{"web-a": "OK"})
    world.hook = lambda when, call, write: there(fake, **{"web-a": "ALARM"}) if call == "RegisterTargets" else None
    end = stage(world, fake, monkeypatch, names=["web-a"])
    assert end.code == 1
    assert "check alarm web-a: 3 of the last 3 samples failed: web-a is in ALARM: a reason" in end.text
    assert world.alive() == []


def test_one_that_is_to_be_ignored_is_not_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeCloudWatch()
    there(fake, **{"web-a": "ALARM", "web-b": "OK"})
    end = stage(world, fake, monkeypatch, prefix="web-", in_alarm_at_start="ignore")
    assert end.code == 0, end.text


def test_the_alarms_that_were_ok_are_told() -> None:
    subject = subject_of(World())
    there(cloudwatch(subject), **{"web-a": "OK", "web-b": "OK"})
    check = Kinds(subject.run.cloudwatch).make(check_of(alarm={"prefix": "web-"}), subject)
    check.begin()
    check.collect()
    assert (check.unit, check.summary()) == ("", "OK: web-a, web-b")
