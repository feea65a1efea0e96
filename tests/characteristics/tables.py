"""The measured characteristics as tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median

from tests.characteristics.measuring import CANARIES, COUNTS, INTERVAL, Setting, Tally
from tests.unit.checks.comparisons.draws import KINDS

Found = Mapping[Setting, Mapping[str, Tally]]
WAYS = ("before", "kayenta", "ours")
HEADS = ("before: failed", "Kayenta: failed", "ours: failed", "ours: passed", "Kayenta: passed", "ours fails after")
NAMES = {
    "plain": "plain",
    "heavy": "heavy-tailed",
    "ar": "autocorrelated",
    "drift": "drifting",
    "tasks": "tasks that differ",
    COUNTS: "counts",
}


def tables(found: Found, draws: int) -> str:
    """What failed, what passed, when; and counts by the length of the bake."""
    return "\n".join([_main_table(found, draws), _three_others(found), _counts_by_length(found)])


def _main_table(found: Found, draws: int) -> str:
    lines = [
        f"Percent of {draws:,} draws of each setting: the mean of all settings of a row, and the worst of them.",
        "",
        f"| noise | canary | {' | '.join(HEADS)} |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for kind in (*KINDS, COUNTS):
        for canary in CANARIES:
            chosen = _chosen(found, kind, canary)
            cells = [_failed(chosen, way) for way in WAYS]
            cells += [f"{100 * fmean(tallies[way].passed for tallies in chosen):.1f}" for way in ("ours", "kayenta")]
            lines.append(f"| {NAMES[kind]} | {canary} | {' | '.join(cells)} | {_when(chosen)} |")
    return "\n".join([*lines, ""])


def _three_others(found: Found) -> str:
    lines = [
        "The same with three other tasks only, where what these differ by is known.",
        "",
        "| noise | canary | before: failed | Kayenta: failed | ours: failed |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind in ("ar", "tasks"):
        for canary in CANARIES:
            chosen = _chosen(found, kind, canary, others=3)
            lines.append(f"| {NAMES[kind]} | {canary} | {' | '.join(_failed(chosen, way) for way in WAYS)} |")
    return "\n".join([*lines, ""])


def _counts_by_length(found: Found) -> str:
    lines = [
        "Counts at their tolerance, by the length of the bake.",
        "",
        "| bake | before: failed | Kayenta: failed | ours: failed |",
        "| --- | --- | --- | --- |",
    ]
    lengths = sorted({setting.looks for setting in found if setting.kind == COUNTS})
    for looks in lengths:
        chosen = _chosen(found, COUNTS, "tolerated", looks=looks)
        cells = " | ".join(_failed(chosen, way) for way in WAYS)
        lines.append(f"| {looks * INTERVAL // 60} minutes | {cells} |")
    return "\n".join([*lines, ""])


def _chosen(found: Found, kind: str, canary: str, **fixed: int) -> list[Mapping[str, Tally]]:
    return [
        tallies
        for setting, tallies in found.items()
        if (setting.kind, setting.canary) == (kind, canary)
        and all(getattr(setting, key) == value for key, value in fixed.items())
    ]


def _failed(chosen: Sequence[Mapping[str, Tally]], way: str) -> str:
    parts = [100 * tallies[way].failed for tallies in chosen]
    return f"{fmean(parts):.1f} ({max(parts):.1f})"


def _when(chosen: Sequence[Mapping[str, Tally]]) -> str:
    """The median of all failures, as a part of the bake; Kayenta always needs all of it."""
    when = [part for tallies in chosen for part in tallies["ours"].when]
    return f"{100 * median(when):.0f} % of the bake" if when else ""
