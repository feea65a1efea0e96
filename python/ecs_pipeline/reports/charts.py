"""A check as a drawing: what was seen of canary and others over time, its limit, and the evidence as it grew.

Pure geometry in the picture's own units; templates/check.svg draws it, `chart_in_words` says the same as text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ecs_pipeline.engine.record import CheckRecord, measured
from ecs_pipeline.model.release import FAIL, PASS
from ecs_pipeline.reports.chart_columns import Column, columns
from ecs_pipeline.reports.timeline import Label, Layout, time_ticks
from ecs_pipeline.timing.wait import duration

WIDE = Layout(width=920, left=74, right=16, row=26, bar_top=14, ticks=8)
NARROW = Layout(width=328, left=62, right=8, row=46, bar_top=34, ticks=4)
"""Row: what is above the values; bar_top: where their legend is, on a narrow picture below how it ended."""
VALUES, EVIDENCE, STRIP = 130.0, 64.0, 18.0
LAYOUTS = {"": WIDE, "-narrow": NARROW}
"""By what the name of the picture ends with."""
GAP, AXIS = 34.0, 26.0
LEAST_EVIDENCE = 0.1
OVER = 1.08
"""The scale ends so far over the highest value that is shown."""
VERDICTS = {FAIL: "failed", PASS: "passed"}


@dataclass(frozen=True)
class Mark:
    """Something drawn: `kind` is its class in the picture."""

    kind: str
    path: str


@dataclass(frozen=True)
class Chart:
    """All that the template draws."""

    layout: Layout
    height: float
    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]
    scales: tuple[Label, ...]
    ticks: tuple[Label, ...]
    axis: float
    compared: bool


def chart(check: CheckRecord, layout: Layout) -> Chart | None:
    """Arrange a check in the layout; None before its first sample."""
    points = check.series.until_now()
    if not points:
        return None
    total = points[-1].at or 1.0
    seen = columns(points, counts=check.series.counts)

    def across(at: float) -> float:
        return layout.left + at / total * layout.room

    numeric = any(column.canary or column.others for column in seen)
    marks, labels, scales = list[Mark](), list[Label](), list[Label]()
    base = layout.row + (VALUES if numeric else STRIP)
    if numeric:
        more, scales = _values(check, seen, across, base)
        marks += more
    marks += [Mark("bad", _dots([(across(at), base - 3)])) for column in seen for at in column.bad]
    if not numeric:
        marks += [Mark("good", _dots([(across(at), base - 3)])) for column in seen for at in column.good]
    floor = base
    if any(point.evidence is not None for point in points):
        floor = base + GAP + EVIDENCE
        line = check.line or 20.0
        found = [(across(point.at), point.evidence) for point in points if point.evidence is not None]
        more, told = _evidence(found, check.evidence, line, floor, layout)
        marks += more
        labels += told
    if check.verdict == FAIL:
        marks.append(Mark("verdict", f"M{across(total):.1f} {layout.row}V{floor}"))
    labels.append(Label(layout.left + layout.room, 14, _ended(check, total)))
    ticks = time_ticks(layout, total, floor + 18)
    compared = any(column.others for column in seen)
    return Chart(layout, floor + AXIS, tuple(marks), tuple(labels), tuple(scales), tuple(ticks), floor, compared)


def chart_in_words(check: CheckRecord) -> str:
    """The picture as text, for those who cannot see it."""
    points = check.series.until_now()
    seen = columns(points, counts=check.series.counts) if points else []
    told = [f"Check {check.name}, {check.samples} samples"]
    for name, sides in (("canary", [column.canary for column in seen]), ("others", [column.others for column in seen])):
        middles = [side.middle for side in sides if side]
        if middles:
            lowest, highest = (
                measured(float(f"{value:.4g}"), check.series.unit) for value in (min(middles), max(middles))
            )
            told.append(f"{name} from {lowest} to {highest}")
    if check.evidence is not None and check.line:
        told.append(f"evidence against it {check.evidence:.1f} of {check.line:.0f}")
    return f"{', '.join(told)}: {_ended(check, points[-1].at if points else 0.0)}."


def _ended(check: CheckRecord, total: float) -> str:
    if not check.verdict:
        return f"no verdict after {duration(total)}"
    return f"{VERDICTS.get(check.verdict, check.verdict)} after {duration(total)}"


def _values(
    check: CheckRecord, seen: Sequence[Column], across: Callable[[float], float], base: float
) -> tuple[list[Mark], list[Label]]:
    """The canary's values, the others' as a band, and what is allowed."""
    limits = _limits(check, seen)
    shown = [column.canary.middle for column in seen if column.canary]
    shown += [column.others.middle for column in seen if column.others]
    shown += [value for limit in limits for _, value in limit]
    highest, lowest = max(shown), min(0.0, *shown)
    top = lowest + OVER * ((highest - lowest) or 1.0)

    def up(value: float) -> float:
        return base - (min(value, top) - lowest) / (top - lowest) * VALUES

    others = [(across(column.at), column.others) for column in seen if column.others]
    canary = [(across(column.at), column.canary) for column in seen if column.canary]
    marks = []
    if others:
        edge = [(x, up(side.highest)) for x, side in others] + [
            (x, up(max(side.lowest, lowest))) for x, side in reversed(others)
        ]
        marks += [Mark("band", f"{_line(edge)}Z"), Mark("others", _line([(x, up(side.middle)) for x, side in others]))]
    marks += [Mark("limit", _line([(across(at), up(value)) for at, value in limit])) for limit in limits]
    places = [(x, up(side.middle)) for x, side in canary]
    marks += [Mark("canary", _line(places)), Mark("samples", _dots(places))]
    scales = [
        Label(0, up(value) + 4, measured(float(f"{value:.3g}"), check.series.unit)) for value in (highest, lowest)
    ]
    return marks, scales


def _limits(check: CheckRecord, seen: Sequence[Column]) -> list[list[tuple[float, float]]]:
    """Lines that the canary may not cross: a limit, or what is tolerated beside the others."""
    if check.line is None:
        if not isinstance(check.limit, int | float) or (check.series.counts and "per" in check.rules.get("logs", {})):
            return []
        return [[(seen[0].at, float(check.limit)), (seen[-1].at, float(check.limit))]]
    tolerance = float(check.limit) / 100 if isinstance(check.limit, int | float) else 0.0
    direction = check.rules.get("metric", {}).get("direction", "increase")
    factors = [1 + tolerance] * (direction != "decrease") + [1 - tolerance] * (direction != "increase")
    return [
        [(column.at, factor * column.others.steady) for column in seen if column.others and column.canary]
        for factor in factors
        if any(column.others for column in seen)
    ]


def _evidence(
    found: Sequence[tuple[float, float]], last: float | None, line: float, floor: float, layout: Layout
) -> tuple[list[Mark], list[Label]]:
    """The evidence on a logarithmic scale, and the line that fails the canary."""
    highest = max(2 * line, *(evidence for _, evidence in found), last or 0.0)
    scale = EVIDENCE / math.log(min(highest, 1e6) / LEAST_EVIDENCE)

    def up(evidence: float) -> float:
        return floor - math.log(min(max(evidence, LEAST_EVIDENCE), highest, 1e6) / LEAST_EVIDENCE) * scale

    right = layout.left + layout.room
    places = [(x, up(evidence)) for x, evidence in found]
    places += [(right, up(last))] if last is not None else []
    marks = [
        Mark("limit", f"M{layout.left} {up(line):.1f}H{right}"),
        Mark("evidence", _line(places)),
        Mark("end", _dots(places[-1:])),
    ]
    labels = [
        Label(layout.left, floor - EVIDENCE - 8, "evidence against it"),
        Label(0, up(line) + 4, f"{line:.0f} fails"),
    ]
    return marks, labels


def _line(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places) if places else ""


def _dots(places: Sequence[tuple[float, float]]) -> str:
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
