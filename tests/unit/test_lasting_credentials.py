"""Credentials that end before the bake or the drain does: refused, or told where nobody can know."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ecs_pipeline.aws.credentials import Lasting
from ecs_pipeline.aws.session import AwsSession
from ecs_pipeline.timing.clock import SystemClock
from tests.unit.aws_stub import aws_stub
from tests.unit.ending_credentials import Session, ending
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import End, canary, promote, rollback

BAKE: dict[str, Any] = {"canary": {"bake": "30m", "healthy_within": "5m"}}
KEYS = {"AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "of-no-use", "AWS_SESSION_TOKEN": "token"}


def lasting(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> Lasting:
    """What a session finds out of these variables."""
    with aws_stub(monkeypatch):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        session = AwsSession(SystemClock(), "eu-west-1")
        session.client("ecs")
        return session.lasting()


def test_what_botocore_knows_of_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    end = datetime(2099, 11, 27, 12, 0, tzinfo=timezone.utc)
    assert lasting(monkeypatch, {}) == Lasting()
    assert lasting(monkeypatch, KEYS) == Lasting(temporary=True)
    assert lasting(monkeypatch, {**KEYS, "AWS_CREDENTIAL_EXPIRATION": end.isoformat()}) == Lasting(end)


def wrote(end: End) -> bool:
    return bool(end.writes)


def test_a_bake_that_outlives_the_credentials_is_refused_before_anything_is_written() -> None:
    world = start_of("P runs")
    end = canary(world, release="A", settings=BAKE, session=ending(world, 29))
    assert (end.code, wrote(end)) == (3, False)
    assert "in 29m; the bake alone takes 30m" in end.text
    assert "renew themselves" in end.text


def test_what_may_only_take_longer_is_told() -> None:
    world = start_of("P runs")
    end = canary(world, release="A", settings=BAKE, session=ending(world, 33))
    assert end.code == 0
    assert any("in 33m; this may take 3" in note for note in end.run.recorder.record.notes)


@pytest.mark.parametrize(("bake", "told"), [("30m", True), ("5m", False)])
def test_where_nobody_knows_a_long_bake_is_told(bake: str, *, told: bool) -> None:
    world = start_of("P runs")
    settings = {"canary": {"bake": bake}}
    end = canary(world, release="A", settings=settings, session=Session(world, Lasting(temporary=True)))
    assert end.code == 0
    said = "the AWS credentials are temporary and do not tell when they end; the bake alone takes 30m"
    assert any(note.startswith(said) for note in end.run.recorder.record.notes) is told


def test_credentials_that_renew_themselves_are_not_spoken_of() -> None:
    world = start_of("P runs")
    end = canary(world, release="A", settings=BAKE, session=Session(world, Lasting()))
    assert (end.code, end.run.recorder.record.notes) == (0, [])


def test_a_promotion_whose_drain_outlives_them_is_refused_and_a_rollback_never() -> None:
    world = start_of("A is a canary")
    end = promote(world, release="A", session=ending(world, 0.1))
    assert (end.code, wrote(end)) == (3, False)
    assert "the drain alone takes" in end.text
    assert rollback(world, session=ending(world, 0.1)).code == 0
