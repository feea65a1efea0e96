"""Metric queries for tasks: placeholders filled in, ids kept apart when many checks share one GetMetricData."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.comparisons import BASELINE, STABLE
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import CANARY
from ecs_pipeline.model.telemetry import Series

Query = Mapping[str, Any]

IDS = "{%s.task_ids}"
FAMILY = "{family}"
QUOTED = re.compile(r"""('[^']*'|"[^"]*")""")
ALONE = re.compile(r"\bMETRICS\s*\(|^\s*SELECT\b", re.IGNORECASE)
"""METRICS() means all metrics of a request, and a request takes one Metrics Insights query."""


@dataclass
class Asked:
    """The queries of one check for one group of tasks, once for each task where an id stands in a dimension.

    `tasks`: of whom each variant is, when it is of one task.
    """

    variants: Sequence[Sequence[Query]]
    tasks: Sequence[str] = ()
    trouble: str = ""
    _series: list[tuple[int, Series]] = field(default_factory=list)

    @property
    def alone(self) -> bool:
        """These cannot share a request."""
        return any(ALONE.search(str(part.get("Expression", ""))) for variant in self.variants for part in variant)

    def numbered(self, number: int) -> Iterator[Query]:
        """The queries with ids of their own in the request."""
        for index, variant in enumerate(self.variants):
            yield from _renamed(variant, f"c{number}v{index}_")

    def take(self, number: int, found: Sequence[Series]) -> None:
        """Take the series of these queries out of an answer."""
        self._series = []
        for index, variant in enumerate(self.variants):
            returned = next(str(part["Id"]) for part in variant if part.get("ReturnData", True))
            mine = [series for series in found if series.id == f"c{number}v{index}_{returned}"]
            trouble = next((series.trouble for series in mine if series.trouble), "")
            if len(mine) > 1:
                trouble = (
                    f"the query returns {len(mine)} series ({', '.join(series.label for series in mine[:3])}), not one"
                )
            self.trouble = self.trouble or trouble
            self._series += [(index, series) for series in mine]

    def points(self, since: datetime, until: datetime) -> dict[datetime, list[float]]:
        """The datapoints of all variants by their times."""
        found: dict[datetime, list[float]] = {}
        for _, series in self._series:
            for at, value in series.points.items():
                if since <= at <= until:
                    found.setdefault(at, []).append(value)
        return found

    def points_by_task(self, since: datetime, until: datetime) -> dict[datetime, dict[str, list[float]]]:
        """The datapoints by their times and tasks."""
        found: dict[datetime, dict[str, list[float]]] = {}
        for index, series in self._series:
            for at, value in series.points.items():
                if since <= at <= until:
                    found.setdefault(at, {}).setdefault(self.tasks[index], []).append(value)
        return found


def asked(query: Sequence[Query], subject: Subject, group: str, only: Sequence[str] = ()) -> Asked:
    """The query with placeholders filled in, `{canary.task_ids}` and `{family}` by those of `group`.

    `only` are the ids to ask for instead. Raises Trouble without tasks.
    """
    names = {CANARY: group, BASELINE: BASELINE, STABLE: STABLE}
    ids = {
        name: [task.id for task in subject.tasks(of)]
        for name, of in names.items()
        if any(IDS % name in text for text in _texts(query))
    }
    if only and CANARY in ids:
        ids[CANARY] = list(only)
    for name, tasks in ids.items():
        if not tasks:
            raise Trouble(f"no {names[name]} task lives")
    joined = {IDS % name: " OR ".join(tasks) for name, tasks in ids.items()} | {FAMILY: subject.family(group)}
    apart = [name for name in ids if any(IDS % name in text for text in _dimensions(query))]
    variants = []
    for chosen in itertools.product(*(ids[name] for name in apart)):
        by_task = {**joined, **{IDS % name: task for name, task in zip(apart, chosen, strict=True)}}
        variants.append([_fill(entry, joined if "Expression" in entry else by_task) for entry in query])
    return Asked(variants)


def asked_apart(query: Sequence[Query], subject: Subject, group: str) -> Asked:
    """The query asked for each task of `group` by itself: a comparison wants to know what tasks differ by.

    One that bears no company in a request is asked once for all of them.
    """
    together = asked(query, subject, group)
    if together.alone:
        return Asked(together.variants, [group] * len(together.variants))
    tasks = subject.canary if group == CANARY else subject.compared_with(group)
    parts = [(task.id, variant) for task in tasks for variant in asked(query, subject, group, [task.id]).variants]
    return Asked([variant for _, variant in parts], [task for task, _ in parts])


def _fill(value: Any, values: Mapping[str, str]) -> Any:
    """The value with placeholders filled in, however deep they are."""
    if isinstance(value, Mapping):
        return {key: _fill(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, values) for item in value]
    if isinstance(value, str):
        for placeholder, text in values.items():
            value = value.replace(placeholder, text)
    return value


def _renamed(query: Sequence[Query], prefix: str) -> Iterator[Query]:
    ids = [re.escape(str(part["Id"])) for part in query]
    word = re.compile(rf"\b({'|'.join(ids)})\b")
    for part in query:
        renamed = {**part, "Id": f"{prefix}{part['Id']}"}
        if isinstance(part.get("Expression"), str):
            pieces = QUOTED.split(part["Expression"])
            renamed["Expression"] = "".join(
                piece if index % 2 else word.sub(rf"{prefix}\1", piece) for index, piece in enumerate(pieces)
            )
        yield renamed


def _dimensions(query: Sequence[Query]) -> list[str]:
    metrics = [(part.get("MetricStat") or {}).get("Metric") or {} for part in query]
    return [str(dimension.get("Value", "")) for metric in metrics for dimension in metric.get("Dimensions", [])]


def _texts(query: Sequence[Query]) -> list[str]:
    return [*_dimensions(query), *(str(part.get("Expression", "")) for part in query)]
