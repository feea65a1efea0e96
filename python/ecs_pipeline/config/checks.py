"""What a config may say of the checks that judge a canary: one kind each, and what all kinds share (docs/checks.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from ecs_pipeline.config.comparisons import BASELINE, ComparedSection
from ecs_pipeline.config.metrics import BASELINE_IDS, MetricCheck, texts
from ecs_pipeline.config.types import Argument, Duration, Percentage, Rate, Section, Word, parse_duration
from ecs_pipeline.text import without_credentials

BAKE = "bake"
KINDS = ("http", "alarm", "metric", "logs", "command")

STATUS = re.compile(r"[1-5]([0-9][0-9]|xx)")
SLOWEST, FASTEST = 1 / 60, 10.0
"""Requests a second to each task that a comparison may ask for."""
PERCENTILE = re.compile(r"p[5-9][0-9]")


def _statuses(value: Any) -> Any:
    """One status, a class of them (`2xx`) or a list."""
    given = value if isinstance(value, list | tuple) else [value]
    for text in given:
        if isinstance(text, bool) or not STATUS.fullmatch(str(text)):
            raise ValueError(f"{text!r} is not an HTTP status; write 200, 2xx or a list")
    if not given:
        raise ValueError("no status is expected; write 200, 2xx or a list")
    return tuple(str(text) for text in given)


def _per(value: Any) -> Any:
    return None if value == BAKE else parse_duration(value)


Statuses = Annotated[
    tuple[str, ...],
    BeforeValidator(_statuses),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "array"}], "default": 200}),
]
Per = Annotated[float | None, BeforeValidator(_per), WithJsonSchema({"anyOf": [{"const": BAKE}, {"type": "string"}]})]


class HttpCheck(ComparedSection):
    """One request to every canary task, or one through the load balancer; or to canary and others, compared."""

    path: str = Field("", description="default: /, or the URL's own")
    via: Literal["canary", "load-balancer"] = "canary"
    url: str = Field("", description="of the load balancer: http://HOST")
    port: int | None = Field(None, ge=1, le=65535, strict=True, description="default: the target's, else the first")
    headers: dict[str, Argument] = Field(default_factory=dict)
    status: Statuses = ("200",)
    body: str | None = Field(None, description="text that the body has to contain")
    timeout: Duration = Field(5.0, gt=0)
    percentiles: dict[int, Duration] = Field(default_factory=dict, description="written p50 … p99")
    rate: Rate = Field(2.0, description="of a comparison: requests to each task")
    ignore_below: Percentage = Field(0.02, description="of a comparison: so few errors do not matter")

    only_compared: ClassVar[tuple[str, ...]] = ("tolerance", "detect", "rate", "ignore_below")

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

    @model_validator(mode="after")
    def _compared(self) -> HttpCheck:
        if self.compare and self.via != "canary":
            raise ValueError("compare asks the tasks themselves; leave out `via: load-balancer`")
        if self.compare and self.percentiles:
            names = ", ".join(f"p{part}" for part in sorted(self.percentiles))
            raise ValueError(f"compare excludes {names}: a limit is a check of its own")
        if not SLOWEST <= self.rate <= FASTEST:
            raise ValueError("rate: between 1/min and 10/s, to each task")
        if "confidence" in self.model_fields_set and not self.compare and not self.percentiles:
            raise ValueError("confidence belongs to a comparison or a percentile; leave it out")
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


class LogsCheck(ComparedSection):
    """Lines in the logs of the canary's containers."""

    filter: str = Field(..., min_length=1, max_length=1024, description="CloudWatch Logs' filter pattern")
    at_most: int | None = Field(None, ge=0, strict=True)
    per: Per = Field(None, description="bake, or a duration: at most so many within it")
    ignore_below: Rate = Field(1 / 60, description="of a comparison: so few lines of a task do not matter")

    only_compared: ClassVar[tuple[str, ...]] = (*ComparedSection.only_compared, "ignore_below")

    @model_validator(mode="after")
    def _one_limit(self) -> LogsCheck:
        if self.compare and (self.at_most is not None or self.per is not None):
            raise ValueError("compare excludes at_most and per; keep one")
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

    @model_validator(mode="after")
    def _one_pace(self) -> CheckSettings:
        if self.http and {"rate"} <= self.http.model_fields_set and "interval" in self.model_fields_set:
            raise ValueError("rate and interval exclude each other; keep one")
        return self

    @property
    def compared(self) -> ComparedSection | None:
        """What is said of the comparison, if it is one."""
        section = self.http or self.metric or self.logs
        return section if section and section.compare else None

    @property
    def pace(self) -> float:
        """Seconds between two samples: answers are compared more often than a limit is looked at."""
        if self.http and self.http.compare and "interval" not in self.model_fields_set:
            return 1 / self.http.rate
        return self.interval

    @property
    def asked_alone(self) -> int:
        """So many samples are a verdict in `judge`."""
        return self.min_samples if self.compared else max(self.failures, self.min_samples)

    @property
    def passed_over(self) -> str:
        """What was given and does not apply to a comparison, in words; '' for nothing."""
        given = [key for key in ("failures", "of") if key in self.model_fields_set]
        return " and ".join(given) if self.compared else ""

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
        given = self.compared
        asked = texts(self.metric.query) if self.metric else []
        return (given is not None and given.compare == BASELINE) or any(BASELINE_IDS in text for text in asked)

    @property
    def _target(self) -> str:
        if self.http:
            return self.http.path.partition("?")[0] or without_credentials(self.http.url) or "/"
        if self.alarm:
            return ", ".join((*self.alarm.names, *([f"{self.alarm.prefix}*"] if self.alarm.prefix else [])))
        if self.metric:
            return str(next(part["Id"] for part in self.metric.query if part.get("ReturnData", True)))
        return self.logs.filter if self.logs else str(self.command and self.command.run[0])
