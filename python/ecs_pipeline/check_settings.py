"""What a config may say of the checks that judge a canary: one kind each, and what all kinds share (docs/checks.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from ecs_pipeline.setting_types import Argument, Duration, Percentage, Section, Word, parse_duration
from ecs_pipeline.text import without_credentials

BASELINE, STABLE = "baseline", "stable"
"""What a canary may be compared with: one fresh task of the stable revision, or the service's own tasks."""

BAKE = "bake"
KINDS = ("http", "alarm", "metric", "logs", "command")

STATUS = re.compile(r"[1-5](\d\d|xx)")
PERCENTILE = re.compile(r"p[5-9]\d")
QUERY_ID = re.compile(r"[a-z][a-zA-Z0-9_]{0,199}")
CANARY_IDS, BASELINE_IDS = "{canary.task_ids}", "{baseline.task_ids}"
PLACEHOLDER = re.compile(r"\{((?:canary|stable|baseline)\b[^{}]*)\}")
UNITS = {
    "Percent": "%",
    "Count": "count",
    "Seconds": "s",
    "Milliseconds": "ms",
    "Microseconds": "µs",
    "Bytes": "B",
    "Count/Second": "per second",
    "None": "",
}
"""Units of CloudWatch (MetricStat.Unit) as people write them."""
PLACEHOLDERS = ("canary.task_ids", "stable.task_ids", "baseline.task_ids")


def _statuses(value: Any) -> Any:
    """One status, a class of them (`2xx`) or a list."""
    given = value if isinstance(value, list | tuple) else [value]
    for one in given:
        if isinstance(one, bool) or not STATUS.fullmatch(str(one)):
            raise ValueError(f"{one!r} is not an HTTP status; write 200, 2xx or a list")
    if not given:
        raise ValueError("no status is expected; write 200, 2xx or a list")
    return tuple(str(one) for one in given)


def _per(value: Any) -> Any:
    return None if value == BAKE else parse_duration(value)


Statuses = Annotated[
    tuple[str, ...],
    BeforeValidator(_statuses),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "array"}], "default": 200}),
]
Per = Annotated[float | None, BeforeValidator(_per), WithJsonSchema({"anyOf": [{"const": BAKE}, {"type": "string"}]})]
Limit = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class HttpCheck(Section):
    """One request to every canary task, or one through the load balancer."""

    path: str = Field("", description="default: /, or the URL's own")
    via: Literal["canary", "load-balancer"] = "canary"
    url: str = Field("", description="of the load balancer: http://HOST")
    port: int | None = Field(None, ge=1, le=65535, strict=True, description="default: the target's, else the first")
    headers: dict[str, Argument] = Field(default_factory=dict)
    status: Statuses = ("200",)
    body: str | None = Field(None, description="text that the body has to contain")
    timeout: Duration = Field(5.0, gt=0)
    percentiles: dict[int, Duration] = Field(default_factory=dict, description="written p50 … p99")

    @model_validator(mode="before")
    @classmethod
    def _with_percentiles(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        found = {key: value for key, value in given.items() if PERCENTILE.fullmatch(str(key))}
        for key, value in found.items():
            try:
                parse_duration(value)
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from error
            if not parse_duration(value):
                raise ValueError(f"{key}: more than 0s is expected")
        rest = {key: value for key, value in given.items() if key not in found}
        return {**rest, "percentiles": {int(key[1:]): value for key, value in found.items()}} if found else rest

    @model_validator(mode="after")
    def _addressed(self) -> HttpCheck:
        if self.path and not self.path.startswith("/"):
            raise ValueError(f"path {self.path!r} does not begin with /")
        if self.via == "canary" and self.url:
            raise ValueError("url is of the load balancer; add `via: load-balancer`")
        if self.via == "load-balancer" and not re.match(r"https?://[^/\s]+", self.url):
            raise ValueError("via: load-balancer takes the load balancer's `url: http://HOST`")
        if self.via == "load-balancer" and self.port is not None:
            raise ValueError("port is of the canary's own address; with via: load-balancer it stands in the url")
        return self


class AlarmCheck(Section):
    """CloudWatch alarms that have to be OK."""

    names: tuple[Annotated[str, Field(min_length=1, max_length=255)], ...] = ()
    prefix: str = Field("", max_length=255)
    in_alarm_at_start: Literal["refuse", "ignore"] = "refuse"

    @model_validator(mode="after")
    def _named(self) -> AlarmCheck:
        if not self.names and not self.prefix:
            raise ValueError("name the alarms: `names: [NAME]` or `prefix: TEXT`")
        return self


class MetricCheck(Section):
    """One series of CloudWatch, within a limit, or the canary's like that of others."""

    query: list[dict[str, Any]] = Field(..., min_length=1, description="MetricDataQuery, as GetMetricData takes it")
    at_most: Limit | None = None
    at_least: Limit | None = None
    unit: str = Field("", max_length=20, description="shown with the numbers; default: the query's MetricStat.Unit")
    compare: Literal["baseline", "stable"] | None = None
    tolerance: Percentage = 0.25
    direction: Literal["increase", "decrease", "either"] = "increase"

    @field_validator("query")
    @classmethod
    def _one_series(cls, query: list[dict[str, Any]]) -> list[dict[str, Any]]:
        ids = [one.get("Id") for one in query]
        for entry in query:
            one = entry.get("Id")
            if not isinstance(one, str) or not QUERY_ID.fullmatch(one) or ids.count(one) > 1:
                raise ValueError(
                    f"Id {one!r}: each entry has an Id of its own: a small letter, then letters, digits, _"
                )
            if ("Expression" in entry) == ("MetricStat" in entry):
                raise ValueError(f"{one}: give either Expression or MetricStat")
        returned = [one["Id"] for one in query if one.get("ReturnData", True)]
        if len(returned) != 1:
            raise ValueError(
                f"exactly one series is judged, {len(returned)} are returned; give the others `ReturnData: false`"
            )
        for text in _texts(query):
            for found in PLACEHOLDER.findall(text):
                if found not in PLACEHOLDERS:
                    raise ValueError(
                        f"no placeholder {{{found}}}; known: {', '.join(f'{{{one}}}' for one in PLACEHOLDERS)}"
                    )
        return query

    @model_validator(mode="after")
    def _one_limit(self) -> MetricCheck:
        given = [key for key in ("at_most", "at_least", "compare") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                f"{' and '.join(given)} exclude each other; keep one" if given else "give at_most, at_least or compare"
            )
        _refuse_without_compare(self, "tolerance", "direction")
        if self.compare and not any(CANARY_IDS in text for text in _texts(self.query)):
            raise ValueError(f"compare needs {CANARY_IDS} in the query, to ask the same of both")
        return self

    @property
    def unit_shown(self) -> str:
        """The unit of the numbers, as people write it."""
        returned = next(entry for entry in self.query if entry.get("ReturnData", True))
        given = str((returned.get("MetricStat") or {}).get("Unit", ""))
        return self.unit or UNITS.get(given, given.lower())


class LogsCheck(Section):
    """Lines in the logs of the canary's containers."""

    filter: str = Field(..., min_length=1, max_length=1024, description="CloudWatch Logs' filter pattern")
    at_most: int | None = Field(None, ge=0, strict=True)
    per: Per = Field(None, description="bake, or a duration: at most so many within it")
    compare: Literal["baseline", "stable"] | None = None
    tolerance: Percentage = 0.25

    @model_validator(mode="after")
    def _one_limit(self) -> LogsCheck:
        if self.compare and (self.at_most is not None or self.per is not None):
            raise ValueError("compare excludes at_most and per; keep one")
        _refuse_without_compare(self, "tolerance")
        if self.per is not None and self.per <= 0:
            raise ValueError("per is `bake` or a duration of more than 0s")
        return self


class CommandCheck(Section):
    """A program of the user's: exit code 0 pass, 1 fail, 2 inconclusive."""

    run: tuple[Word, ...]
    timeout: Duration = Field(30.0, gt=0)
    aws: bool = Field(default=False, strict=True, description="true: the program gets the AWS_* variables")

    @field_validator("run")
    @classmethod
    def _a_program(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not words or not words[0]:
            raise ValueError("no program; write `run: [./check.sh, ARGUMENT]`")
        if any("\0" in word for word in words):
            raise ValueError("a word cannot hold a NUL character")
        return words


class CheckSettings(Section):
    """One check: its kind, and how its samples make a verdict."""

    name: str = Field("", max_length=100, description="default: the kind and its target")
    http: HttpCheck | None = None
    alarm: AlarmCheck | None = None
    metric: MetricCheck | None = None
    logs: LogsCheck | None = None
    command: CommandCheck | None = None
    interval: Duration = Field(10.0, ge=0.1)
    initial_delay: Duration = Field(0.0, description="of this check, after the bake began")
    failures: int = Field(3, ge=1, le=1000, strict=True, description="so many failed samples …")
    of: int = Field(5, ge=1, le=1000, strict=True, description="… among the last so many fail the check")
    min_samples: int = Field(3, ge=1, le=100_000, strict=True, description="fewer: inconclusive")
    required: bool = Field(default=True, strict=True, description="false: shown, never decides")
    on_missing: Literal["inconclusive", "pass", "fail"] = Field(
        "inconclusive", description="what a sample without data is"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> CheckSettings:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"{' and '.join(given)} exclude each other; a check has one kind"
                if given
                else f"no kind of check; give one of {', '.join(KINDS)}"
            )
        return self

    @model_validator(mode="after")
    def _reachable(self) -> CheckSettings:
        if self.failures > self.of:
            raise ValueError(f"{self.failures} failures among the last {self.of} samples cannot be; raise `of`")
        return self

    @property
    def kind(self) -> str:
        """The kind's name."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def title(self) -> str:
        """The name in the JUnit case `check: …`: the one given, else kind and target, without the secrets of a URL."""
        return self.name or f"{self.kind} {self._target}"[:100]

    @property
    def needs_baseline(self) -> bool:
        """It compares with the baseline, or asks for its tasks."""
        given = self.metric or self.logs
        asked = _texts(self.metric.query) if self.metric else []
        return (given is not None and given.compare == BASELINE) or any(BASELINE_IDS in text for text in asked)

    @property
    def _target(self) -> str:
        if self.http:
            return self.http.path.partition("?")[0] or without_credentials(self.http.url) or "/"
        if self.alarm:
            return ", ".join((*self.alarm.names, *([f"{self.alarm.prefix}*"] if self.alarm.prefix else [])))
        if self.metric:
            return str(next(one["Id"] for one in self.metric.query if one.get("ReturnData", True)))
        return self.logs.filter if self.logs else str(self.command and self.command.run[0])


def _refuse_without_compare(check: MetricCheck | LogsCheck, *keys: str) -> None:
    """A key that would be passed over in silence."""
    given = [key for key in keys if key in check.model_fields_set]
    if given and not check.compare:
        raise ValueError(f"{' and '.join(given)} belong to a comparison; add `compare: stable` or leave them out")


def _texts(value: Any) -> list[str]:
    """Every text in a query."""
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []
