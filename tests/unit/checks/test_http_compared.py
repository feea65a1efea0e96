"""Answers of canary and others, asked in the same moment on loopback: latency, errors, order, who is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ecs_pipeline.checks import http
from ecs_pipeline.checks.http_compared import MOST_ASKED, HttpCompared
from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.probe import Answer, Request
from ecs_pipeline.checks.sample import GOOD, MISSING, UNCLEAR, Check, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.checks import CheckSettings
from tests.fakes.world import World
from tests.unit.checks.world import WithOthers, beside, check_of, subject_of

CANARY = "10.9.0.1"


def with_stable(count: int, subject: Subject | None = None) -> WithOthers:
    """Other tasks at 10.9.1.x."""
    subject = subject or subject_of(World())
    subject.canary = [replace(task, address=CANARY) for task in subject.canary]
    like = subject.canary[0]
    return beside(
        subject,
        [replace(like, arn=f"arn:task/prd/s{number:02}", address=f"10.9.1.{number}") for number in range(count)],
    )


def check(subject: Subject, **keys: Any) -> Check:
    shared = {key: keys.pop(key) for key in ("min_samples", "interval") if key in keys}
    settings = check_of(http={"compare": "stable", **keys}, **shared)
    made = Kinds(subject.run.cloudwatch).make(settings, subject)
    assert isinstance(made, HttpCompared)
    return made


def sample(check: Check) -> Sample:
    check.begin()
    until = time.monotonic() + 20
    while (found := check.collect()) is None:
        assert time.monotonic() < until
        time.sleep(0.001)
    (only,) = found
    return only


def answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], Answer]) -> list[str]:
    """Each host answers what a test says; the hosts that are asked, in their order."""
    asked: list[str] = []

    def probe(request: Request) -> Answer:
        host = request.url.removeprefix("http://").partition(":")[0]
        asked.append(host)
        return answer(host)

    monkeypatch.setattr(http, "probe", probe)
    return asked


def verdict(check: Check) -> str:
    conclusion = check.decided() or check.conclude()
    return conclusion.verdict if conclusion else "pass"


def bake(subject: Subject, check: Check, seconds: int) -> None:
    for _ in range(2 * seconds):
        sample(check)
        subject.run.clock.sleep(0.5)
        if check.decided():
            return


@pytest.mark.parametrize(
    ("of_canary", "expected", "words"),
    [
        (Answer(200, 0.010), "pass", "worse by more than 75 % is ruled out"),
        (Answer(200, 0.030), "fail", "median 30 ms against 10.0"),
        (Answer(500, 0.010), "fail", "errors"),
        (Answer(0, 5.0, trouble="no answer within 5s"), "fail", "errors"),
    ],
    ids=["like", "slower", "wrong", "none"],
)
def test_latency_and_errors_are_compared(
    monkeypatch: pytest.MonkeyPatch, of_canary: Answer, expected: str, words: str
) -> None:
    count = iter(range(10**6))
    answering(monkeypatch, lambda host: of_canary if host == CANARY else Answer(200, 0.01 + next(count) % 7 / 100_000))
    subject = with_stable(2)
    made = check(subject)
    bake(subject, made, 90)
    assert verdict(made) == expected
    conclusion = made.decided() or made.conclude()
    assert words.partition(" against")[0] in (conclusion.message if conclusion else made.summary())
    if expected == "fail" and of_canary.status != 200:
        assert "of the canary's answers: " in made.details()[0]


def test_all_are_asked_in_one_moment_in_random_order(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, lambda _: Answer(200, 0.01))
    subject = with_stable(3)
    made = check(subject)
    firsts = set()
    for _ in range(60):
        del asked[:]
        found = sample(made)
        subject.run.clock.sleep(0.5)
        assert sorted(asked) == [CANARY, "10.9.1.0", "10.9.1.1", "10.9.1.2"]
        firsts.add(asked[0])
    assert len(firsts) > 1
    assert found.outcome == GOOD
    assert found.shown.canary == [10]
    assert found.shown.others == {"s00": [10], "s01": [10], "s02": [10]}


def test_an_answer_that_is_wrong_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, lambda host: Answer(404 if host == CANARY else 200, 0.01))
    found = sample(check(with_stable(1)))
    assert (found.shown.canary, found.shown.others) == ([None], {"s00": [10]})


def test_of_many_tasks_some_are_asked_and_others_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, lambda _: Answer(200, 0.01))
    subject = with_stable(18)
    made = check(subject)
    for _ in range(30):
        before = len(asked)
        sample(made)
        assert len(asked) - before == 1 + MOST_ASKED
    assert len(set(asked)) > 1 + MOST_ASKED


def test_a_task_that_was_stopped_while_it_was_asked_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = with_stable(2)
    gone = subject.others[1]

    def answer(host: str) -> Answer:
        if host == gone.address:
            subject.others = subject.others[:1]
            return Answer(0, 0.1, trouble="no connection")
        return Answer(200, 0.01)

    answering(monkeypatch, answer)
    assert sample(check(subject)).shown.others == {"s00": [10]}


def test_nobody_to_compare_with_and_no_address_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, lambda _: Answer(200, 0.01))
    alone = check(with_stable(0))
    assert sample(alone) == Sample(UNCLEAR, "no stable task lives to compare with")
    assert verdict(alone) == "inconclusive"
    subject = with_stable(1)
    subject.others = (replace(subject.others[0], address=""),)
    found = sample(check(subject))
    assert found == Sample(MISSING, "task s00 has no address of its own; use `via: load-balancer`")


@pytest.mark.parametrize(
    ("entry", "pace"),
    [
        ({"http": {"compare": "stable", "rate": "4/s"}}, 0.25),
        ({"http": {"compare": "stable"}}, 0.5),
        ({"http": {"compare": "stable"}, "interval": "10s"}, 10),
        ({"http": {}}, 10),
    ],
)
def test_it_is_asked_at_its_rate(entry: dict[str, Any], pace: float) -> None:
    assert CheckSettings.model_validate(entry).pace == pace
