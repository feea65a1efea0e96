"""FilterLogEvents as CloudWatch Logs answers it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.launcher import EmbeddedAws

START = 1_800_000_000_000
PLAIN = ["ERROR 400 bad request", "error: lower case", "WARN disk", "GET /health 200", "ERROR retry later"]
STRUCTURED = [
    {"level": "ERROR", "code": 500, "user": {"id": 1, "name": "ann"}, "tags": ["a", "b"]},
    {"level": "ERROR", "code": 404, "user": {"id": 2, "name": "bob"}, "gone": None},
    {"level": "INFO", "code": 200, "done": True},
]


class Group:
    """A log group of one test."""

    def __init__(self, logs: Any) -> None:
        self.logs = logs
        self.name = f"/test/{uuid.uuid4().hex}"
        logs.create_log_group(logGroupName=self.name)

    def write(self, stream: str, messages: list[str], start: int = START) -> None:
        self.logs.create_log_stream(logGroupName=self.name, logStreamName=stream)
        events = [{"timestamp": start + number, "message": message} for number, message in enumerate(messages)]
        self.logs.put_log_events(logGroupName=self.name, logStreamName=stream, logEvents=events)

    def find(self, pattern: str = "", **members: Any) -> list[str]:
        """The messages that one call gives."""
        return [str(event["message"]) for event in self.filter(pattern, **members)["events"]]

    def filter(self, pattern: str = "", **members: Any) -> Any:
        return self.logs.filter_log_events(logGroupName=self.name, filterPattern=pattern, **members)

    def refusal(self, pattern: str = "", **members: Any) -> str:
        with pytest.raises(ClientError) as refused:
            self.filter(pattern, **members)
        return str(refused.value.response["Error"]["Code"])


@pytest.fixture
def group(aws: Callable[[str], Any]) -> Group:
    return Group(aws("logs"))


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("ERROR", [0, 4]),
        ("error", [1]),
        ("ERROR request", [0]),
        ("?WARN ?GET", [2, 3]),
        ("ERROR -retry", [0]),
        ('"bad request"', [0]),
        ('?"bad request" ?"/health"', [0, 3]),
        ('-"ERROR" -GET', [1, 2]),
        ("%ERROR [0-9]+%", [0]),
        ("%^WARN|later$%", [2, 4]),
    ],
)
def test_terms_phrases_and_regular_expressions(group: Group, pattern: str, found: list[int]) -> None:
    """User Guide, "Filter pattern syntax": case counts, all terms, any ?term, no -term, phrases, %regex%."""
    group.write("app", PLAIN)
    assert group.find(pattern) == [PLAIN[number] for number in found]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ('{ $.level = "ERROR" }', [0, 1]),
        ("{ $.level = ERR* }", [0, 1]),
        ('{ $.level != "ERROR" }', [2]),
        ("{ $.code = 404 }", [1]),
        ("{ $.code >= 404 && $.code < 500 }", [1]),
        ("{ ($.user.id = 1) || ($.code = 200) }", [0, 2]),
        ('{ $.tags[1] = "b" }', [0]),
        ("{ $.done IS TRUE }", [2]),
        ("{ $.gone IS NULL }", [1]),
        ("{ $.user NOT EXISTS }", [2]),
        ('{ $.user.name = %^a% && $.level = "ERROR" }', [0]),
    ],
)
def test_patterns_of_json_events(group: Group, pattern: str, found: list[int]) -> None:
    """User Guide, "Using filter patterns to match terms in JSON log events"."""
    messages = [json.dumps(event) for event in STRUCTURED]
    group.write("app", [*messages, "ERROR no JSON"])
    assert group.find(pattern) == [messages[number] for number in found]


@pytest.mark.parametrize("pattern", ["foo:bar", "{ $.level = }", "{ level = 1 }", "%(a)%", '"open', "[ip, user]"])
def test_patterns_that_are_refused(group: Group, pattern: str) -> None:
    """User Guide, "Filter pattern syntax": terms with other characters are quoted; no groups in a regex."""
    assert group.refusal(pattern) == "InvalidParameterException"


def test_streams_by_name_and_prefix(group: Group) -> None:
    """Operation FilterLogEvents: logStreamNames, logStreamNamePrefix, never both; ResourceNotFoundException."""
    for stream in ("app/one", "app/two", "web/one"):
        group.write(stream, [stream])
    assert group.find(logStreamNamePrefix="app/") == ["app/one", "app/two"]
    assert group.find(logStreamNames=["web/one"]) == ["web/one"]
    assert group.refusal(logStreamNames=["web/one", "gone"]) == "ResourceNotFoundException"
    assert group.refusal(logStreamNames=["web/one"], logStreamNamePrefix="app/") == "InvalidParameterException"


def test_a_limit_cuts_pages_that_a_token_joins(group: Group) -> None:
    """Operation FilterLogEvents: limit and nextToken; each event comes once, also when others came meanwhile."""
    group.write("app", [f"ERROR {number}" for number in range(5)])
    first = group.filter("ERROR", limit=2)
    group.write("late", ["ERROR late"], start=START - 10)
    second = group.filter("ERROR", limit=2, nextToken=first["nextToken"])
    last = group.filter("ERROR", limit=2, nextToken=second["nextToken"])
    messages = [event["message"] for page in (first, second, last) for event in page["events"]]
    assert messages == [f"ERROR {number}" for number in range(5)]
    assert "nextToken" not in last
    assert group.refusal("ERROR", nextToken="made up") == "InvalidParameterException"


def test_a_page_may_be_empty_though_more_follow(group: Group, embedded_aws: EmbeddedAws) -> None:
    """Operation FilterLogEvents: "can return empty results while there are more log events available"."""
    embedded_aws.configure(log_events_scanned=2)
    group.write("app", ["quiet", "quiet", "quiet", "quiet", "ERROR"])
    pages = [
        page["events"]
        for page in group.logs.get_paginator("filter_log_events").paginate(
            logGroupName=group.name, filterPattern="ERROR"
        )
    ]
    assert [len(page) for page in pages] == [0, 0, 1]


def test_both_ends_of_the_time_belong_to_it(group: Group) -> None:
    """Operation FilterLogEvents, startTime and endTime: events before the one and after the other are not returned."""
    group.write("app", PLAIN)
    assert group.find(startTime=START + 1, endTime=START + 3) == PLAIN[1:4]
