"""Alarms as CloudWatch evaluates them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.launcher import EmbeddedAws
from tests.emulator.embedded_aws.environment import wait_for


class Alarm:
    """An alarm of one test: more than 10 in one of its periods of 10 s."""

    def __init__(self, cloudwatch: Any) -> None:
        self.cloudwatch = cloudwatch
        self.name = f"t{uuid.uuid4().hex[:10]}"

    def create(self, **members: Any) -> None:
        arguments = {
            "Namespace": self.name,
            "MetricName": "Errors",
            "Statistic": "Sum",
            "Period": 10,
            "EvaluationPeriods": 1,
            "Threshold": 10,
            "ComparisonOperator": "GreaterThanThreshold",
            **members,
        }
        self.cloudwatch.put_metric_alarm(AlarmName=self.name, **arguments)

    def put(self, value: float, *ages: float, dimensions: Any = ()) -> None:
        """The value, so many seconds ago."""
        data = [
            {"MetricName": "Errors", "Dimensions": list(dimensions), "Timestamp": time.time() - age, "Value": value}
            for age in ages or (0,)
        ]
        self.cloudwatch.put_metric_data(Namespace=self.name, MetricData=data)

    def state(self) -> str:
        return str(self.cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"][0]["StateValue"])

    def wait_for(self, state: str) -> None:
        wait_for(lambda: self.state() == state)


@pytest.fixture
def alarm(aws: Callable[[str], Any], embedded_aws: EmbeddedAws) -> Alarm:
    embedded_aws.configure(alarm_evaluation_interval=0.2)
    return Alarm(aws("cloudwatch"))


def test_an_alarm_follows_its_metric(alarm: Alarm) -> None:
    """User Guide, "Alarm evaluation": INSUFFICIENT_DATA at the start, then OK or ALARM."""
    alarm.create()
    assert alarm.state() == "INSUFFICIENT_DATA"
    alarm.put(1)
    alarm.wait_for("OK")
    put = time.time()
    alarm.put(11)
    alarm.wait_for("ALARM")
    described = alarm.cloudwatch.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"][0]
    assert put < described["StateTransitionedTimestamp"].timestamp() < time.time()


def test_time_alone_ends_an_alarm(alarm: Alarm) -> None:
    """User Guide, "Alarm evaluation": evaluated as time goes by, not when data arrives."""
    alarm.create(TreatMissingData="notBreaching")
    alarm.put(11, 27)
    alarm.wait_for("ALARM")
    alarm.wait_for("OK")


@pytest.mark.parametrize(
    ("missing", "state"),
    [("breaching", "ALARM"), ("notBreaching", "OK"), ("missing", "INSUFFICIENT_DATA"), ("ignore", "INSUFFICIENT_DATA")],
)
def test_what_missing_data_is_taken_for(alarm: Alarm, missing: str, state: str) -> None:
    """User Guide, "Configuring how CloudWatch alarms treat missing data": all points missing."""
    alarm.create(TreatMissingData=missing)
    alarm.wait_for(state)


@pytest.mark.parametrize(("missing", "state"), [("breaching", "ALARM"), ("notBreaching", "OK"), ("missing", "OK")])
def test_some_points_missing(alarm: Alarm, missing: str, state: str) -> None:
    """User Guide, the same, table of "M out of N" alarms, row `0 - X - -`: as many as missing are filled."""
    alarm.create(EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData=missing)
    alarm.put(0, 45)
    alarm.put(11, 25)
    alarm.wait_for(state)


def test_only_its_own_dimensions_count(alarm: Alarm) -> None:
    """Operation PutMetricAlarm, Dimensions; User Guide, "CloudWatch concepts": each set is a metric of its own."""
    task = [{"Name": "TaskId", "Value": "a"}]
    alarm.create(Dimensions=task)
    alarm.put(11)
    alarm.put(1, dimensions=task)
    alarm.wait_for("OK")


def test_a_state_that_was_set_lasts_until_the_next_evaluation(alarm: Alarm) -> None:
    """Operation SetAlarmState: temporary, the alarm returns to its actual state, often within seconds."""
    alarm.create(TreatMissingData="notBreaching")
    alarm.wait_for("OK")
    alarm.cloudwatch.set_alarm_state(AlarmName=alarm.name, StateValue="ALARM", StateReason="a test")
    alarm.wait_for("OK")
    history = alarm.cloudwatch.describe_alarm_history(AlarmName=alarm.name)["AlarmHistoryItems"]
    assert {"Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK"} <= {
        entry["HistorySummary"] for entry in history
    }


def test_periods_and_math_that_are_refused(alarm: Alarm) -> None:
    """Operation PutMetricAlarm, Period: 10, 20, 30 or a multiple of 60. Alarms on expressions are not emulated."""
    for members in ({"Period": 7}, {"Metrics": [{"Id": "m", "Expression": "1"}]}):
        with pytest.raises(ClientError, match="ValidationError"):
            alarm.create(**members)
