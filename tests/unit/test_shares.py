"""What makes a canary's share of the traffic another one than its share of the targets is told before it starts."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.model import shares
from tests.fakes.load_balancing import FakeElb
from tests.unit.facts import group
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, []),
        ({"algorithm": "round_robin", "cross_zone": "use_load_balancer_configuration"}, []),
        ({"cross_zone": "true"}, []),
        ({"cross_zone": "false"}, ["has cross-zone off"]),
        ({"sticky": True}, ["is sticky"]),
        ({"algorithm": "least_outstanding_requests"}, ["fewest requests under way"]),
        ({"protocol": "TCP", "cross_zone": "true"}, ["shares connections"]),
        (
            {"protocol": "TLS", "cross_zone": "use_load_balancer_configuration"},
            ["shares connections", "by default off"],
        ),
        (
            {"protocol": "UDP", "cross_zone": "false", "sticky": True},
            ["shares connections", "cross-zone off", "sticky"],
        ),
    ],
)
def test_each_is_told_in_words(members: dict[str, Any], words: list[str]) -> None:
    found = list(shares.notes(group(**members)))
    assert len(found) == len(words)
    assert all(line.startswith("web ") and word in line for line, word in zip(found, words, strict=True))


def test_the_console_and_the_reports_have_it_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeElb, "target_group", lambda _elb, arn: group(arn, drain=3, sticky=True))
    end = canary(start_of("P runs"), release="A", dry_run=True)
    assert (end.code, end.writes) == (0, [])
    assert end.run.recorder.record.notes == [
        "web is sticky: sessions stay with their task, the canary gets new ones only"
    ]
