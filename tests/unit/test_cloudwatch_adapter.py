"""Amazon CloudWatch and its logs: what is asked in which portions, and what their answers mean.

The client is a stand-in: the embedded AWS answers in one page, and CloudWatch's wire format is CBOR.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, cast

import pytest

from ecs_pipeline import text
from ecs_pipeline.aws.cloudwatch import CloudWatch
from ecs_pipeline.aws.logs import ATTEMPTS, MOST_PAGES, Logs
from ecs_pipeline.aws.session import AwsError, AwsSession
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.telemetry import Alarm, LogStream, Series
from tests.unit.aws_stub import session
from tests.unit.clocks import RecordingClock
from tests.unit.facts import NOW, definition, task


@dataclass
class Session:
    """Gives a client whose calls answer what a test lined up; the last answer is repeated."""

    answers: list[dict[str, Any] | AwsError]
    asked: list[dict[str, Any]] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)

    def client(self, _service: str, region: str = "") -> Session:
        self.regions.append(region)
        return self

    def call(self, operation: str, /, *, attempts: int | None = None, **parameters: Any) -> dict[str, Any]:
        self.asked.append({"operation": operation, "attempts": attempts, **parameters})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, AwsError):
            raise answer
        return answer


def made(*answers: dict[str, Any] | AwsError) -> tuple[Session, AwsSession]:
    fake = Session(list(answers))
    return fake, cast(AwsSession, fake)


# ---- alarms


def test_alarms_are_asked_for_by_a_hundred_names_and_by_each_prefix() -> None:
    fake, aws = made({"MetricAlarms": []})
    CloudWatch(aws).alarms([f"a{number}" for number in range(101)], ["web-", "shop-"])
    asked = [(len(request.get("AlarmNames", ())), request.get("AlarmNamePrefix")) for request in fake.asked]
    assert asked == [(100, None), (1, None), (0, "web-"), (0, "shop-")]
    assert {tuple(request["AlarmTypes"]) for request in fake.asked} == {("MetricAlarm", "CompositeAlarm", "LogAlarm")}


def test_alarms_of_every_type_are_found() -> None:
    one = {"StateValue": "OK"}
    kinds = ("MetricAlarms", "CompositeAlarms", "LogAlarms")
    _, aws = made({kind: [{"AlarmName": kind, **one}] for kind in kinds})
    assert [alarm.name for alarm in CloudWatch(aws).alarms(kinds)] == list(kinds)


def test_a_region_that_does_not_know_the_newest_type_is_asked_for_the_others() -> None:
    refusal = AwsError("cloudwatch:DescribeAlarms", "ValidationError", "Value '[LogAlarm]' at 'alarmTypes' failed")
    fake, aws = made(refusal, {"MetricAlarms": [{"AlarmName": "a", "StateValue": "OK"}]})
    watching = CloudWatch(aws)
    assert [alarm.name for _ in range(2) for alarm in watching.alarms(["a"])] == ["a", "a"]
    assert [len(request["AlarmTypes"]) for request in fake.asked] == [3, 2, 2]


def test_alarms_come_in_pages_each_of_them_once() -> None:
    since = datetime(2026, 11, 23, 8, 15, tzinfo=timezone(timedelta(hours=1)))
    ringing = {
        "AlarmName": "a",
        "StateValue": "ALARM",
        "StateReason": "too\n high",
        "StateTransitionedTimestamp": since,
    }
    both = {"AlarmName": "b", "StateValue": "OK"}
    fake, aws = made(
        {"MetricAlarms": [ringing], "NextToken": "t"}, {"CompositeAlarms": [both]}, {"MetricAlarms": [ringing]}
    )
    assert CloudWatch(aws).alarms(["a", "b"], ["a"]) == [Alarm("a", "ALARM", "too high", NOW), Alarm("b", "OK")]
    assert [request.get("NextToken") for request in fake.asked] == [None, "t", None]


# ---- metrics


def test_series_are_asked_for_in_portions_and_joined_over_pages() -> None:
    points = [NOW, NOW + timedelta(minutes=1)]
    first = {
        "MetricDataResults": [{"Id": "m", "Label": "l", "Timestamps": points[:1], "Values": [1.0]}],
        "NextToken": "t",
    }
    second = {"MetricDataResults": [{"Id": "m", "Label": "l", "Timestamps": points[1:], "Values": [2.0]}]}
    fake, aws = made(first, second, {"MetricDataResults": []})
    queries = [{"Id": f"m{number}", "Expression": "1"} for number in range(501)]
    found = CloudWatch(aws).series(queries, NOW, points[1])
    assert found == [Series("m", "l", dict(zip(points, [1.0, 2.0], strict=True)))]
    assert [(len(request["MetricDataQueries"]), request.get("NextToken")) for request in fake.asked] == [
        (500, None),
        (500, "t"),
        (1, None),
    ]


def test_a_search_may_give_several_series_under_one_id() -> None:
    results: list[dict[str, Any]] = [{"Id": "m", "Label": name, "Timestamps": [], "Values": []} for name in ("a", "b")]
    _, aws = made({"MetricDataResults": results})
    assert [each.label for each in CloudWatch(aws).series([{"Id": "m"}], NOW, NOW)] == ["a", "b"]


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ("Complete", ""),
        ("PartialData", ""),
        ("InternalError", "InternalError no FUNCTION"),
        ("Forbidden", "Forbidden no FUNCTION"),
    ],
)
def test_what_cloudwatch_cannot_answer_is_told_in_its_words(state: str, trouble: str) -> None:
    result = {"Id": "m", "StatusCode": state, "Messages": [{"Code": "ArgumentError", "Value": "no FUNCTION"}]}
    _, aws = made({"MetricDataResults": [result]})
    assert CloudWatch(aws).series([{"Id": "m"}], NOW, NOW) == [Series("m", trouble=trouble)]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"Id": "m", "Expression": "1", "Period": 60}, ""),
        ({"Id": "m", "Expresion": "1"}, 'Unknown parameter in [0]: "Expresion"'),
        ({"Id": "m", "MetricStat": {"Stat": "Sum"}}, 'Missing required parameter in [0].MetricStat: "Metric"'),
        ({"Id": "m", "Expression": 1}, "Invalid type for parameter"),
    ],
)
def test_the_form_of_a_query_is_checked_without_a_call(query: dict[str, Any], words: str) -> None:
    mistake = CloudWatch(session(RecordingClock())).mistake([query])
    assert (words in mistake) if words else not mistake
    assert "\n" not in mistake


# ---- logs


def test_streams_are_those_of_the_containers_that_log_with_awslogs() -> None:
    def container(name: str, driver: str = "awslogs", **options: str) -> dict[str, Any]:
        return {"name": name, "logConfiguration": {"logDriver": driver, "options": options}}

    whole = definition(
        containerDefinitions=[
            container("app", **{"awslogs-group": "/web", "awslogs-stream-prefix": "p", "awslogs-region": "eu-west-1"}),
            container("sidecar", **{"awslogs-group": "/side", "awslogs-stream-prefix": "p"}),
            container("router", "awsfirelens"),
            container("nameless", **{"awslogs-group": "/web"}),
            {"name": "silent"},
        ]
    )
    _, aws = made({})
    assert Logs(aws).streams(task("t1"), whole) == [
        LogStream("/web", "p/app/t1", "eu-west-1"),
        LogStream("/side", "p/sidecar/t1"),
    ]


def test_lines_are_filtered_by_a_hundred_streams_of_a_group_page_by_page() -> None:
    streams = [LogStream("/web", f"s{number}") for number in range(101)] + [LogStream("/side", "s", "eu-west-1")]
    event = {"eventId": "1", "timestamp": int(NOW.timestamp() * 1000), "logStreamName": "s0", "message": "ERROR x\n"}
    fake, aws = made({"events": [event], "nextToken": "t"}, {"events": [{**event, "eventId": "2"}]}, {"events": []})
    found = Logs(aws).matches(streams, "ERROR", NOW)
    assert [(line.id, line.at, line.stream, line.text) for line in found] == [
        ("1", NOW, "s0", "ERROR x"),
        ("2", NOW, "s0", "ERROR x"),
    ]
    asked = [
        (request["logGroupName"], len(request["logStreamNames"]), request.get("nextToken")) for request in fake.asked
    ]
    assert asked == [("/web", 100, None), ("/web", 100, "t"), ("/web", 1, None), ("/side", 1, None)]
    assert {(request["filterPattern"], request["startTime"]) for request in fake.asked} == {
        ("ERROR", int(NOW.timestamp() * 1000))
    }
    assert fake.regions == ["", "", "eu-west-1"]


def test_pages_that_do_not_end_are_given_up() -> None:
    fake, aws = made({"events": [], "nextToken": "again"})
    assert Logs(aws).matches([LogStream("/web", "s")], "ERROR", NOW) == []
    assert len(fake.asked) == MOST_PAGES


def tail_of(*events: Mapping[str, Any]) -> list[str]:
    options = {"awslogs-group": "/web", "awslogs-stream-prefix": "p"}
    whole = definition(
        containerDefinitions=[{"name": "app", "logConfiguration": {"logDriver": "awslogs", "options": options}}]
    )
    return Logs(made({"events": list(events)})[1]).tail(task("t1"), whole, "app")


def event(message: str, timestamp: int, ingestion: int = 0) -> dict[str, Any]:
    return {"message": f"{message}\n", "timestamp": timestamp, "ingestionTime": ingestion}


@pytest.mark.parametrize(
    "events",
    [
        [event("a", 1), event("b", 2), event("c", 2), event("d", 3)],
        [event("d", 3), event("c", 2), event("b", 2), event("a", 1)],
        [event("b", 2, 10), event("c", 2, 11), event("a", 1, 12), event("d", 3, 12)],
        [event("a", 1, 9), event("c", 2, 11), event("b", 2, 10), event("d", 3, 12)],
    ],
    ids=["oldest first", "latest first", "late", "by when they came in"],
)
def test_the_last_lines_come_in_the_order_of_time(events: list[dict[str, Any]]) -> None:
    assert tail_of(*events) == ["a", "b", "c", "d"]


def test_lines_of_one_moment_stay_as_they_were_written() -> None:
    assert tail_of(*(event(letter, 5, 6) for letter in "fatal")) == list("fatal")


def test_only_the_last_lines_are_told() -> None:
    assert tail_of(*(event(str(number), number) for number in range(30))) == [str(number) for number in range(10, 30)]


def test_a_tail_that_cannot_be_read_says_why() -> None:
    class Refusing(Session):
        def call(self, operation: str, /, *, attempts: int | None = None, **parameters: Any) -> dict[str, Any]:
            raise Trouble("logs:GetLogEvents: ResourceNotFoundException: no such stream")

    options = {"awslogs-group": "/web", "awslogs-stream-prefix": "p"}
    whole = definition(
        containerDefinitions=[{"name": "app", "logConfiguration": {"logDriver": "awslogs", "options": options}}]
    )
    lines = Logs(cast(AwsSession, Refusing([]))).tail(task("t1"), whole, "app")
    assert lines == ["(its log cannot be read: logs:GetLogEvents: ResourceNotFoundException: no such stream)"]


LOGGING = {"logDriver": "awslogs", "options": {"awslogs-group": "/web", "awslogs-stream-prefix": "p"}}


def test_an_event_is_cut_where_it_is_read_for_a_restore_waits_for_the_evidence() -> None:
    fake, aws = made({"events": [{"eventId": "1", "timestamp": 0, "message": "\x9d" * 262_144}]})
    whole = definition(containerDefinitions=[{"name": "app", "logConfiguration": LOGGING}])
    lines = Logs(aws).tail(task("t1"), whole, "app") + [
        match.text for match in Logs(aws).matches([LogStream("/web", "s")], "ERROR", NOW)
    ]
    assert lines == 2 * [text.cut("\x9d" * 262_144, text.LONGEST_RAW)]
    assert max(len(line) for line in lines) < 5_000
    assert [request["attempts"] for request in fake.asked] == [ATTEMPTS, ATTEMPTS]
