"""GetMetricData as CloudWatch answers it."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

MINUTE = 60


class Metrics:
    """Metrics in a namespace of one test; minutes are counted from ten minutes ago."""

    def __init__(self, cloudwatch: Any) -> None:
        self.cloudwatch = cloudwatch
        self.namespace = f"Test/{uuid.uuid4().hex}"
        self.start = time.time() // MINUTE * MINUTE - 10 * MINUTE

    def put(self, name: str, values: dict[float, float], **dimensions: str) -> None:
        """Values by minute."""
        data = [
            {"MetricName": name, "Dimensions": _list(dimensions), "Timestamp": self.at(minute), "Value": value}
            for minute, value in values.items()
        ]
        self.cloudwatch.put_metric_data(Namespace=self.namespace, MetricData=data)

    def at(self, minute: float) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.start + minute * MINUTE, dt.timezone.utc)

    def metric(self, name: str, query_id: str, stat: str = "Sum", period: int = MINUTE, **dimensions: str) -> Any:
        metric = {"Namespace": self.namespace, "MetricName": name, "Dimensions": _list(dimensions)}
        return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, "ReturnData": False}

    def ask(self, *queries: Any, start: float = 0, end: float = 10, **members: Any) -> list[Any]:
        members.setdefault("ScanBy", "TimestampAscending")
        answer = self.cloudwatch.get_metric_data(
            MetricDataQueries=list(queries), StartTime=self.at(start), EndTime=self.at(end), **members
        )
        return list(answer["MetricDataResults"])

    def evaluate(self, expression: str, *queries: Any, **members: Any) -> dict[float, float]:
        """Values by minute of one expression."""
        (result,) = self.ask({"Id": "e", "Expression": expression}, *queries, **members)
        return self.by_minute(result)

    def by_minute(self, result: Any) -> dict[float, float]:
        minutes = [(each.timestamp() - self.start) / MINUTE for each in result["Timestamps"]]
        return dict(zip(minutes, result["Values"], strict=True))

    def refusal(self, *queries: Any, **members: Any) -> str:
        with pytest.raises(ClientError) as refused:
            self.ask(*queries, **members)
        assert refused.value.response["Error"]["Code"] == "ValidationError"
        return str(refused.value.response["Error"]["Message"])


def _list(dimensions: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


@pytest.fixture
def metrics(aws: Callable[[str], Any]) -> Metrics:
    return Metrics(aws("cloudwatch"))


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("errors / requests * 100", {0: 10, 1: 20}),
        ("(errors + 1) * -2", {0: -4, 1: -6, 2: -8}),
        ("errors ^ 2 - 1e0", {0: 0, 1: 3, 2: 8}),
        ("errors / (requests - 10)", {}),
        ("SUM([errors, requests])", {0: 11, 1: 12, 2: 3}),
        ("AVG(METRICS())", {0: 5.5, 1: 6, 2: 3}),
        ("MAX([errors, requests]) - MIN([errors, requests])", {0: 9, 1: 8, 2: 0}),
        ("errors - AVG(errors)", {0: -1, 1: 0, 2: 1}),
        ("FILL(requests, 0)", {0: 10, 1: 10, 2: 0, 3: 0}),
        ("FILL(requests, REPEAT)", {0: 10, 1: 10, 2: 10, 3: 10}),
        ("IF(errors >= 2, errors, 0)", {0: 0, 1: 2, 2: 3}),
        ("IF(errors > 1 AND errors < 3, 1)", {1: 1}),
        ("RATE(errors) * PERIOD(errors)", {1: 1, 2: 1}),
        ("ABS(errors - 3)", {0: 2, 1: 1, 2: 0}),
    ],
)
def test_metric_math(metrics: Metrics, expression: str, values: dict[int, float]) -> None:
    """User Guide, "Using math expressions with CloudWatch metrics"."""
    metrics.put("Errors", {0: 1, 1: 2, 2: 3})
    metrics.put("Requests", {0: 10, 1: 10})
    queries = metrics.metric("Errors", "errors"), metrics.metric("Requests", "requests")
    assert metrics.evaluate(expression, *queries, end=4) == pytest.approx(values)


def test_expressions_refer_to_each_other_by_id(metrics: Metrics) -> None:
    """Data type MetricDataQuery, Id: the name of a query in other expressions, in any order."""
    metrics.put("Errors", {0: 1})
    double = {"Id": "double", "Expression": "errors * 2", "ReturnData": False}
    assert metrics.evaluate("double + 1", double, metrics.metric("Errors", "errors")) == {0: 3}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"Id": "Upper", "Expression": "1"}, "is not matching the expected pattern"),
        ({"Id": "e", "Expression": "m1 + 1"}, "unknown id m1"),
        ({"Id": "e", "Expression": "e + 1"}, "refer to each other"),
        ({"Id": "e", "Expression": "1 +"}, "ends too early"),
        ({"Id": "e", "Expression": "1 + 1"}, "no time series"),
        ({"Id": "e", "Expression": "ANOMALY_DETECTION_BAND(1)"}, "is not emulated"),
        ({"Id": "e"}, "either Expression or MetricStat"),
    ],
)
def test_queries_that_are_refused(metrics: Metrics, query: Any, message: str) -> None:
    """Data type MetricDataQuery: ids, and either an expression or a metric."""
    assert message in metrics.refusal(query)


def test_requests_that_are_refused(metrics: Metrics) -> None:
    """Operation GetMetricData: from 1 to 500 queries, each with its own id, StartTime before EndTime."""
    query = metrics.metric("Errors", "m")
    assert "from 1 to 500" in metrics.refusal()
    assert "not unique" in metrics.refusal(query, query)
    assert "less than" in metrics.refusal(query, start=1, end=1)
    assert "multiple of 60" in metrics.refusal(metrics.metric("Errors", "m", period=7))


def test_each_set_of_dimensions_is_a_metric_of_its_own(metrics: Metrics) -> None:
    """User Guide, "CloudWatch concepts", Dimensions: CloudWatch does not aggregate across them."""
    metrics.put("Errors", {0: 1}, TaskId="a")
    metrics.put("Errors", {0: 2}, TaskId="b")
    asked = [metrics.metric("Errors", "m", TaskId="a"), metrics.metric("Errors", "m")]
    assert [metrics.ask({**query, "ReturnData": True})[0]["Values"] for query in asked] == [[1], []]


def test_the_newest_come_first_unless_asked_otherwise(metrics: Metrics) -> None:
    """Operation GetMetricData, ScanBy."""
    metrics.put("Errors", {0: 1, 1: 2})
    query = {**metrics.metric("Errors", "m"), "ReturnData": True}
    assert metrics.ask(query, ScanBy="TimestampDescending")[0]["Values"] == [2, 1]
    assert metrics.ask(query, ScanBy="TimestampAscending")[0]["Values"] == [1, 2]


def test_the_start_goes_back_to_the_whole_minute(metrics: Metrics) -> None:
    """Operation GetMetricData, StartTime: rounded down to the nearest whole minute."""
    metrics.put("Errors", {0.1: 1, 0.6: 1, 1: 2})
    query = {**metrics.metric("Errors", "m"), "ReturnData": True}
    assert metrics.by_minute(metrics.ask(query, start=0.5)[0]) == {0: 2, 1: 2}


def test_search_finds_metrics_by_their_tasks(metrics: Metrics) -> None:
    """User Guide, "CloudWatch search expression syntax": schema, exact and partial terms, OR, NOT."""
    for task, value in (("0a1b", 1), ("2c3d", 2), ("4e5f", 4)):
        metrics.put("CpuUtilized", {0: value}, ClusterName="prd", TaskId=task)
    metrics.put("CpuUtilized", {0: 100}, ClusterName="prd")
    schema = f"{{{metrics.namespace},ClusterName,TaskId}}"
    search = "SEARCH('{} MetricName=\"CpuUtilized\" {}', 'Average', 60)"
    both = search.format(schema, "TaskId=(0a1b OR 4e5f)")
    assert metrics.evaluate(f"SUM({both})") == {0: 5}
    assert metrics.evaluate(f"MAX({search.format(schema, 'NOT TaskId=4e5f')})") == {0: 2}
    assert metrics.evaluate(f"SUM({search.format(schema, 'cpu utilized')})") == {0: 7}
    assert metrics.evaluate(f"SUM({search.format(schema, 'TaskId=none')})") == {}
    found = metrics.ask({"Id": "e", "Expression": both})
    assert [(each["Id"], each["Label"]) for each in found] == [
        ("e", "prd 0a1b CpuUtilized"),
        ("e", "prd 4e5f CpuUtilized"),
    ]
