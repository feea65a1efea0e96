"""What a config may say of a metric of CloudWatch that a canary is judged by (docs/checks.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from ecs_pipeline.config.comparisons import ComparedSection

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

Limit = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class MetricCheck(ComparedSection):
    """One series of CloudWatch, within a limit, or the canary's like that of others."""

    query: list[dict[str, Any]] = Field(..., min_length=1, description="MetricDataQuery, as GetMetricData takes it")
    at_most: Limit | None = None
    at_least: Limit | None = None
    unit: str = Field("", max_length=20, description="shown with the numbers; default: the query's MetricStat.Unit")
    direction: Literal["increase", "decrease", "either"] = "increase"

    only_compared: ClassVar[tuple[str, ...]] = (*ComparedSection.only_compared, "direction")

    @field_validator("query")
    @classmethod
    def _one_series(cls, query: list[dict[str, Any]]) -> list[dict[str, Any]]:
        ids = [part.get("Id") for part in query]
        for entry in query:
            identity = entry.get("Id")
            if not isinstance(identity, str) or not QUERY_ID.fullmatch(identity) or ids.count(identity) > 1:
                raise ValueError(
                    f"Id {identity!r}: each entry has an Id of its own: a small letter, then letters, digits, _"
                )
            if ("Expression" in entry) == ("MetricStat" in entry):
                raise ValueError(f"{identity}: give either Expression or MetricStat")
        returned = [part["Id"] for part in query if part.get("ReturnData", True)]
        if len(returned) != 1:
            raise ValueError(
                f"exactly one series is judged, {len(returned)} are returned; give the others `ReturnData: false`"
            )
        for text in texts(query):
            for found in PLACEHOLDER.findall(text):
                if found not in PLACEHOLDERS:
                    known = ", ".join(f"{{{placeholder}}}" for placeholder in PLACEHOLDERS)
                    raise ValueError(f"no placeholder {{{found}}}; known: {known}")
        return query

    @model_validator(mode="after")
    def _one_limit(self) -> MetricCheck:
        given = [key for key in ("at_most", "at_least", "compare") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                f"{' and '.join(given)} exclude each other; keep one" if given else "give at_most, at_least or compare"
            )
        if self.direction == "decrease" and self.tolerance >= 1:
            raise ValueError("tolerance: nothing decreases by more than 100%; write less")
        if self.compare and not any(CANARY_IDS in text for text in texts(self.query)):
            raise ValueError(f"compare needs {CANARY_IDS} in the query, to ask the same of both")
        return self

    @property
    def unit_shown(self) -> str:
        """The unit of the numbers, as people write it."""
        returned = next(entry for entry in self.query if entry.get("ReturnData", True))
        given = str((returned.get("MetricStat") or {}).get("Unit", ""))
        return self.unit or UNITS.get(given, given.lower())


def texts(value: Any) -> list[str]:
    """Every text in a query."""
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []
