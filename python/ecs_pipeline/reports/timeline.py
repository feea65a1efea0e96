"""The timeline of a stage as a drawing: its steps as bars over time, the canary's share of the traffic below.

Pure geometry in the picture's own units; templates/timeline.svg draws it, `in_words` says the same as text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from ecs_pipeline.engine.record import INTERRUPTED, PASSED, RUNNING, StageRecord, StepRecord
from ecs_pipeline.reports.cases import Case, step_cases
from ecs_pipeline.timing.wait import duration

TICKS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800)
DAY = 86400
SHARES = (5, 10, 20, 40, 60, 80, 100)
"""Where the axis of the shares may end, in percent."""

LEAST_BAR, TRAFFIC, AXIS = 3.0, 72.0, 26.0
LABEL_ROOM = 52.0
"""What the label of a share needs beside the next one."""


@dataclass(frozen=True)
class Layout:
    """How a picture is arranged: labels left of the bars and times right of them, or both above the bars."""

    width: float
    left: float
    right: float
    row: float
    bar_top: float
    ticks: int

    @property
    def room(self) -> float:
        """The width that the time axis has."""
        return self.width - self.left - self.right


WIDE = Layout(width=920, left=150, right=130, row=30, bar_top=8, ticks=8)
NARROW = Layout(width=328, left=0, right=0, row=46, bar_top=24, ticks=4)


@dataclass(frozen=True)
class Bar:
    """One step."""

    name: str
    detail: str
    outcome: str
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Label:
    """A text at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Drawing:
    """All that the template draws; `area` is the path of the traffic, '' when none is known.

    Lines of the time's grid reach down to `grid`: through the traffic they would cross the labels of the shares.
    """

    layout: Layout
    height: float
    bars: tuple[Bar, ...]
    ticks: tuple[Label, ...]
    grid: float
    axis: float
    area: str
    title: Label
    shares: tuple[Label, ...]


def drawing(record: StageRecord, layout: Layout) -> Drawing:
    """Arrange the record in the layout."""
    total = _total(record)
    bars = tuple(_bars(record, layout, total))
    top = len(bars) * layout.row + 34
    base = top + TRAFFIC if has_traffic(record) else len(bars) * layout.row
    area, shares = _traffic(record, layout, total, base) if has_traffic(record) else ("", ())
    return Drawing(
        layout=layout,
        height=base + AXIS,
        bars=bars,
        ticks=tuple(time_ticks(layout, total, base + 18)),
        grid=len(bars) * layout.row,
        axis=base,
        area=area,
        title=Label(0, top - 12, "canary's share of the traffic"),
        shares=shares,
    )


def has_traffic(record: StageRecord) -> bool:
    """Whether a canary ever took traffic."""
    return any(point.canaries for point in record.traffic)


def in_words(record: StageRecord) -> str:
    """The picture as text, for those who cannot see it."""
    steps = [f"{step.name} {_detail(record, step)}" for step in _begun(record)]
    text = f"Timeline of {record.stage}, {duration(record.seconds)} in all: {', '.join(steps)}."
    if has_traffic(record):
        shares = [(_percent(point.share), duration(_after(record, point.at))) for point in record.traffic]
        told = ", ".join(f"{share} after {after}" for share, after in shares)
        text += f" The canary's share of the traffic: {told}."
    return text


def _bars(record: StageRecord, layout: Layout, total: float) -> list[Bar]:
    bars = []
    for index, step in enumerate(_begun(record)):
        start, end = _span(record, step)
        width = max((end - start) / total * layout.room, LEAST_BAR)
        x = min(layout.left + start / total * layout.room, layout.left + layout.room - width)
        y = index * layout.row + layout.bar_top
        bars.append(Bar(step.name, _detail(record, step), _case(record, step).outcome, x, y, width))
    return bars


def _traffic(record: StageRecord, layout: Layout, total: float, base: float) -> tuple[str, tuple[Label, ...]]:
    highest = max(point.share for point in record.traffic)
    scale = TRAFFIC / next(share for share in SHARES if share >= highest)
    places = [layout.left + _after(record, point.at) / total * layout.room for point in record.traffic]
    labels: list[Label] = []
    path, free = f"M{places[0]:.1f} {base:.1f}", 0.0
    for point, x in zip(record.traffic, places, strict=True):
        y = base - point.share * scale
        path += f"V{y:.1f}H{x:.1f}" if x == places[0] else f"H{x:.1f}V{y:.1f}"
        fits = x + LABEL_ROOM <= layout.left + layout.room
        if x >= free and (fits or not labels):
            beside = x + 4 if fits else layout.left + layout.room - LABEL_ROOM
            labels.append(Label(beside, y - 5, _percent(point.share)))
            free = x + LABEL_ROOM
    return f"{path}H{layout.left + layout.room:.1f}V{base:.1f}Z", tuple(labels)


def time_ticks(layout: Layout, total: float, y: float) -> list[Label]:
    """Labels of the time axis, at even times."""
    days = math.ceil(total / layout.ticks / DAY) * DAY
    every = next((tick for tick in TICKS if total / tick <= layout.ticks), days)
    moments = range(0, int(total) + 1, every)
    return [Label(layout.left + moment / total * layout.room, y, duration(moment)) for moment in moments]


def _total(record: StageRecord) -> float:
    ends = [_span(record, step)[1] for step in _begun(record)]
    return max([1.0, record.seconds, *ends, *(_after(record, point.at) for point in record.traffic)])


def _begun(record: StageRecord) -> list[StepRecord]:
    return [step for step in record.steps if step.started is not None]


def _span(record: StageRecord, step: StepRecord) -> tuple[float, float]:
    start = _after(record, step.started or record.started)
    return start, start + _case(record, step).seconds


def _after(record: StageRecord, moment: datetime) -> float:
    return max((moment - record.started).total_seconds(), 0.0)


def _case(record: StageRecord, step: StepRecord) -> Case:
    return next(case for case in step_cases(record) if case.name == step.name)


def _detail(record: StageRecord, step: StepRecord) -> str:
    case = _case(record, step)
    if step.outcome == RUNNING:
        return INTERRUPTED
    return duration(case.seconds) if case.outcome == PASSED else f"{duration(case.seconds)} {case.outcome}"


def _percent(share: float) -> str:
    return f"{share:.3g} %"
