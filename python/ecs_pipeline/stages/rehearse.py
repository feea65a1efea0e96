"""`judge` without AWS: recorded bakes judged again, and how long a bake has to be at one's own traffic."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from ecs_pipeline.checks.comparisons.rules import Rules
from ecs_pipeline.checks.comparisons.words import percent
from ecs_pipeline.checks.recorded_bakes import read_lines, read_stage
from ecs_pipeline.checks.replay import replay
from ecs_pipeline.checks.simulation import Traffic, needed_for_counts, needed_for_values
from ecs_pipeline.config.types import rate_in_words
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.timing.wait import duration

STANDARD_INPUT = "-"
IGNORED = 1 / 60
"""Lines a second and task that do not matter, as `logs` has it without `ignore_below`."""


@dataclass(frozen=True)
class Rehearsal:
    """What is asked: a `file` of recorded bakes, a `stage` report, or a simulation of some `traffic`.

    `changes` are keys of a comparison that go over what the checks say.
    """

    file: str = ""
    stage: str = ""
    traffic: Traffic | None = None
    regression: float = 0.5
    changes: Mapping[str, str] = field(default_factory=dict)


def rehearse(asked: Rehearsal, rules: Rules, *, as_json: bool) -> list[str]:
    """Lines to print. Raises InvalidInput before anything is printed."""
    if asked.traffic:
        return _simulated(asked.traffic, asked.regression, rules, as_json=as_json)
    return list(_stage(asked) if asked.stage else _file(asked))


def _file(asked: Rehearsal) -> Iterator[str]:
    with _opened(asked.file) as lines:
        for bake in read_lines(lines, asked.file, asked.changes):
            yield json.dumps(asdict(replay(bake)), ensure_ascii=False)


def _stage(asked: Rehearsal) -> Iterator[str]:
    for bake in read_stage(Path(asked.stage), asked.changes):
        yield json.dumps({"check": bake.name, **asdict(replay(bake))}, ensure_ascii=False)


@contextmanager
def _opened(file: str) -> Iterator[IO[str]]:
    if file == STANDARD_INPUT:
        yield sys.stdin
        return
    try:
        with Path(file).open(encoding="utf-8") as lines:
            yield lines
    except OSError as error:
        raise InvalidInput(f"{file}: {error.strerror or error}", cure="check --replay") from error


def _simulated(traffic: Traffic, regression: float, rules: Rules, *, as_json: bool) -> list[str]:
    """One line of docs/judging.md's table for values, and one for counted lines."""
    counted = Rules(rules.tolerance, rules.detect, rules.alpha, ignore_below=IGNORED)
    kinds = {
        "values": needed_for_values(rules, traffic, regression),
        "lines": needed_for_counts(counted, traffic, regression),
    }
    if as_json:
        return [
            json.dumps({"kind": kind, "fails": asdict(fails), "passes": asdict(passes)})
            for kind, (fails, passes) in kinds.items()
        ]
    head = (
        f"{rate_in_words(traffic.rate)} of each task, {traffic.others} others; tolerance {percent(rules.tolerance)}, "
        f"detect {percent(rules.detect)}, confidence {percent(1 - rules.alpha)}"
    )
    names = {"values": f"values (noise {percent(traffic.noise)})", "lines": "lines of a log"}
    lines = [head, f"{'a bake that tells':<46}{'in half of the cases':>22}{'in nine of ten':>18}"]
    for kind, (fails, passes) in kinds.items():
        for what, needed in ((f"{percent(regression)} worse fails", fails), ("like the others passes", passes)):
            lines.append(f"{f'{names[kind]}: {what}':<46}{_when(needed.half):>22}{_when(needed.most):>18}")
    return lines


def _when(seconds: float | None) -> str:
    return "hardly ever" if seconds is None else duration(seconds)
