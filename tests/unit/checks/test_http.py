"""HTTP checks on a server on loopback: what an answer has to be, and how the latencies of all make a verdict."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from ecs_pipeline.checks import http
from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.probe import Answer as Probed
from ecs_pipeline.checks.probe import Request as Asked
from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, Check, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.errors import Trouble
from tests.fakes.load_balancing import FakeElb
from tests.fakes.world import World
from tests.unit.checks.world import check_of, subject_of
from tests.unit.facts import group
from tests.unit.http_stub import NO_ANSWER, Answer, HttpStub, Request, http_stub


class Server:
    """Answers what a test says."""

    def __init__(self) -> None:
        self.answer = Answer(200, b"all is ok")
        self.stub = HttpStub("")

    def __call__(self, _request: Request) -> Answer:
        return self.answer

    @property
    def port(self) -> int:
        return int(self.stub.url.rpartition(":")[2])


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    with http_stub(made) as made.stub:
        yield made


def on_loopback(subject: Subject) -> Subject:
    return replace(subject, canary=[replace(task, address="127.0.0.1") for task in subject.canary])


def check(subject: Subject, **keys: Any) -> Check:
    return Kinds(subject.run.cloudwatch).make(check_of(http=keys), subject)


def sample(one: Check) -> Sample:
    one.begin()
    until = time.monotonic() + 20
    while (found := one.collect()) is None:
        assert time.monotonic() < until
        time.sleep(0.005)
    (only,) = found
    return only


@pytest.mark.parametrize(
    ("answer", "keys", "message"),
    [
        (Answer(200, b"all is ok"), {}, ""),
        (Answer(200, b"all is ok"), {"body": "is ok"}, ""),
        (Answer(204), {"status": "2xx"}, ""),
        (Answer(404), {"status": [200, "4xx"]}, ""),
        (Answer(302, b"", {"Location": "http://127.0.0.1:9/"}), {"status": 302}, ""),
        (Answer(302, b"", {"Location": "http://127.0.0.1:9/"}), {}, "status 302 instead of 200"),
        (Answer(500), {}, "status 500 instead of 200"),
        (Answer(500), {"status": ["2xx", 404]}, "status 500 instead of 2xx or 404"),
        (Answer(200, b"all  is\nwrong"), {"body": "is ok"}, "the body has no 'is ok': 'all is wrong'"),
        (NO_ANSWER, {}, "no connection: Remote end closed connection without response"),
    ],
)
def test_an_answer_is_as_expected_or_says_what_is_wrong(
    server: Server, answer: Answer, keys: dict[str, Any], message: str
) -> None:
    server.answer = answer
    found = sample(check(on_loopback(subject_of(World())), path="/health", port=server.port, **keys))
    assert found.outcome == (BAD if message else GOOD)
    if message:
        assert found.message == f"{message} (http://127.0.0.1:{server.port}/health)"


def test_nobody_who_listens_is_no_answer_and_fails() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        found = sample(check(on_loopback(subject_of(World())), port=port))
    assert found == Sample(BAD, f"no connection: Connection refused (http://127.0.0.1:{port}/)")


def test_one_who_is_late_is_no_answer_and_fails() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        found = sample(check(on_loopback(subject_of(World())), port=port, timeout="100ms"))
    assert found == Sample(BAD, f"no answer within 0.1s (http://127.0.0.1:{port}/)")


def test_every_canary_task_is_asked_with_the_headers(server: Server) -> None:
    subject = on_loopback(subject_of(World(), 3))
    one = check(subject, path="/health?deep=1", port=server.port, headers={"Host": "shop.example.com", "X-Key": "k"})
    assert sample(one).outcome == GOOD
    asked = [(each.method, each.path, each.headers["host"], each.headers["x-key"]) for each in server.stub.requests]
    assert asked == [("GET", "/health?deep=1", "shop.example.com", "k")] * 3
    assert one.value == "200 200 200"


def test_through_the_load_balancer_it_is_asked_once(server: Server) -> None:
    one = check(subject_of(World(), 3), via="load-balancer", url=f"{server.stub.url}/", path="/a")
    assert sample(one).outcome == GOOD
    assert [each.path for each in server.stub.requests] == ["/a"]


def urls(monkeypatch: pytest.MonkeyPatch, subject: Subject, **keys: Any) -> list[str]:
    """What would be asked."""
    asked: list[Asked] = []

    def probe(request: Asked) -> Probed:
        asked.append(request)
        return Probed(200, 0.0)

    monkeypatch.setattr(http, "probe", probe)
    one = check(subject, **keys)
    sample(one)
    return [each.url for each in asked]


def test_the_port_is_the_targets_or_the_one_given(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = subject_of(World())
    address = subject.canary[0].address
    assert urls(monkeypatch, subject) == [f"http://{address}:8000/"]
    assert urls(monkeypatch, subject, port=81, path="/x") == [f"http://{address}:81/x"]
    alone = replace(subject, service=replace(subject.service, load_balancing=()))
    assert urls(monkeypatch, alone) == [f"http://{address}:8000/"]


@pytest.mark.parametrize(
    ("ip_type", "host"), [("ipv4", "10.0.0.9"), ("ipv6", "[fd00::9]"), (None, "10.0.0.9")], ids=str
)
def test_a_task_is_asked_at_the_address_that_its_group_takes(
    monkeypatch: pytest.MonkeyPatch, ip_type: str | None, host: str
) -> None:
    subject = subject_of(World())
    subject.canary = [replace(subject.canary[0], address="10.0.0.9", ipv6="fd00::9")]
    found = group(ip_type=ip_type) if ip_type else None
    monkeypatch.setattr(FakeElb, "target_group", lambda _elb, _arn: found)
    assert urls(monkeypatch, subject) == [f"http://{host}:8000/"]


def test_a_task_with_an_ipv6_address_alone_is_asked_at_that(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = subject_of(World())
    subject.canary = [replace(subject.canary[0], address="", ipv6="fd00::9")]
    alone = replace(subject, service=replace(subject.service, load_balancing=()))
    assert urls(monkeypatch, alone, port=81) == ["http://[fd00::9]:81/"]


def test_a_task_without_an_address_of_its_own_cannot_be_asked() -> None:
    subject = subject_of(World())
    subject.canary = [replace(subject.canary[0], address="")]
    found = sample(check(subject))
    assert found.outcome == MISSING
    assert found.message.endswith("has no address of its own; use `via: load-balancer`")


def test_trouble_with_aws_is_a_sample_without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_arn: str) -> None:
        raise Trouble("elasticloadbalancing:DescribeTargetGroups: Throttling: slow down")

    subject = subject_of(World())
    monkeypatch.setattr(subject.run.elb, "target_group", refused)
    assert sample(check(subject)) == Sample(MISSING, "elasticloadbalancing:DescribeTargetGroups: Throttling: slow down")


def test_one_whose_name_is_looked_up_for_ever_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up of a name cannot be cut short, so the thread is left alone."""
    never = threading.Event()
    monkeypatch.setattr(http, "probe", lambda _request: never.wait() and Probed(200, 0.0))
    subject = subject_of(World())
    one = check(subject, timeout="2s")
    one.begin()
    subject.run.clock.sleep(2)
    assert one.collect() is None
    subject.run.clock.sleep(1.1)
    assert one.collect() == [Sample(BAD, f"no answer within 2s (http://{subject.canary[0].address}:8000/)")]
    never.set()


def test_those_who_wait_for_their_turn_have_their_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(http, "probe", lambda _request: never.wait() and Probed(200, 0.0))
    subject = subject_of(World(), 3 * http.MOST_AT_ONCE)
    one = check(subject, timeout="2s")
    one.begin()
    subject.run.clock.sleep(3.1)
    assert one.collect() is None
    subject.run.clock.sleep(9)
    (found,) = one.collect() or []
    assert found.outcome == BAD
    never.set()


@pytest.mark.parametrize(
    "keys", [{"path": "/h?token=hunter2"}, {"via": "load-balancer", "url": "http://ann:hunter2@127.0.0.1:1/?k=hunter2"}]
)
def test_a_secret_in_the_url_is_in_no_message_and_no_name(keys: dict[str, Any]) -> None:
    subject = on_loopback(subject_of(World()))
    settings = {"port": 1} if "path" in keys else {}
    found = sample(check(subject, **keys, **settings))
    assert found.outcome == BAD
    assert "127.0.0.1:1/" in found.message
    title = check_of(http=keys).title
    assert title.startswith("http ")
    assert "hunter2" not in found.message + title


# ---- latencies


def answered(monkeypatch: pytest.MonkeyPatch, *milliseconds: float, **keys: Any) -> tuple[list[Sample], Check]:
    """A sample of each latency."""
    waiting = list(milliseconds)
    monkeypatch.setattr(http, "probe", lambda _request: Probed(200, waiting.pop(0) / 1000))
    one = check(subject_of(World()), **keys)
    return [sample(one) for _ in milliseconds], one


def test_percentiles_are_of_all_answers_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    samples, one = answered(monkeypatch, 10, 20, 400, 30, 10, p50="100ms")
    assert {each.outcome for each in samples} == {GOOD}
    conclusion = one.conclude()
    assert conclusion
    assert conclusion.verdict == "inconclusive"
    assert (one.value, one.limit, one.unit) == (20, 100, "ms")
    assert one.details() == ["5 answers: p50 20 ms, p95 400 ms, slowest 400 ms"]
    assert one.summary() == "p50 20 ms, limit 100 ms (95 % sure: at least 10 ms, at most 400 ms)"


def test_without_a_percentile_the_status_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _, one = answered(monkeypatch, 10, 20, 1250)
    assert (one.value, one.limit, one.unit) == ("200", "200", "")
    assert one.summary() == "status 200, p95 1.25 s"


def test_before_the_first_answer_there_is_nothing_to_tell() -> None:
    assert check(subject_of(World()), p95="100ms").summary() == ""


def test_an_answer_that_is_slow_fails_when_the_percentile_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    samples, one = answered(monkeypatch, 10, 400, 500, 10, p50="100ms", p95="300ms")
    assert [each.outcome for each in samples] == [GOOD, BAD, BAD, GOOD]
    assert samples[1].message == "p95 of 2 answers is 400 ms, more than 300 ms"
    conclusion = one.conclude()
    assert conclusion
    assert (conclusion.verdict, conclusion.message) == (
        "fail",
        "4 answers, p95 500 ms, limit 300 ms (95 % sure: at least 400 ms)",
    )


def test_a_wrong_answer_has_a_latency_as_well_and_none_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = [Probed(500, 0.4), Probed(0, 5.0, trouble="no connection")]
    monkeypatch.setattr(http, "probe", lambda _request: waiting.pop(0))
    one = check(subject_of(World()), p99="100ms")
    assert [sample(one).outcome for _ in range(2)] == [BAD, BAD]
    conclusion = one.conclude()
    assert conclusion
    assert conclusion.message == "one answer, p99 400 ms, limit 100 ms (95 % sure: at least 400 ms)"
