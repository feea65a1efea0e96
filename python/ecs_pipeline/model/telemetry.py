"""What AWS tells beside tasks and targets, free of any SDK: alarms, metrics, log lines and quotas as they were seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Alarm:
    """A CloudWatch alarm; `since` is when it last went from one state to another, if AWS tells."""

    name: str
    state: str
    reason: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Series:
    """Datapoints of one metric by their times, or why there are none."""

    id: str
    label: str = ""
    points: Mapping[datetime, float] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True)
class LogStream:
    """Where one container of a task writes its log; a `region` of '' is that of the run."""

    group: str
    name: str
    region: str = ""


@dataclass(frozen=True)
class LogLine:
    """A line that matched a filter pattern."""

    id: str
    at: datetime
    stream: str
    text: str


@dataclass(frozen=True)
class Quota:
    """A quota of the account in a region. `usage`: the CloudWatch metric of what is used of it, {} for none.

    Service Quotas API Reference, data types ServiceQuota and MetricInfo.
    """

    code: str
    name: str
    value: float
    usage: Mapping[str, Any] = field(default_factory=dict)
