"""A recorded bake through the very code that judges: nobody is asked, nothing is waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ecs_pipeline.checks.comparisons.moment import Moment
from ecs_pipeline.checks.judges.compared import Compared
from ecs_pipeline.checks.judges.limits import AnswersLimit, LinesLimit, ValueLimit
from ecs_pipeline.checks.recorded_bakes import Recorded, RecordedBake, RecordedSample
from ecs_pipeline.checks.sample import MISSING, Judge, Sample
from ecs_pipeline.checks.verdict import Tally
from ecs_pipeline.config.checks import CheckSettings, HttpCheck, LogsCheck
from ecs_pipeline.config.metrics import MetricCheck
from ecs_pipeline.model.release import FAIL
from ecs_pipeline.timing.wait import duration

Add = Callable[[RecordedSample], Sample]
"""Hands a recorded sample to its judge."""


@dataclass(frozen=True)
class Replayed:
    """What the judge would have said: `at` is when a failure ended the bake, in seconds; None without one."""

    verdict: str
    at: float | None
    samples: int
    message: str


def replay(bake: RecordedBake) -> Replayed:
    """Judge a recorded bake."""
    tally = Tally(bake.settings)
    judge, add = _judge(bake.settings)
    at = 0.0
    for sample in bake.samples:
        at = sample.t
        tally.add(add(sample))
        failure = judge.decided()
        if failure or tally.failed:
            verdict, message = tally.verdict(failure)
            return Replayed(verdict, at, tally.samples, message)
    verdict, message = tally.verdict(judge.conclude(), judge.summary())
    return Replayed(verdict, at if verdict == FAIL else None, tally.samples, message)


def _judge(settings: CheckSettings) -> tuple[Judge, Add]:
    """The judge of a check, and how it takes recorded samples."""
    if settings.compared:
        compared = Compared(settings, quiet=True)
        moment = _answers if settings.http else _moment
        return compared, lambda sample: compared.add(moment(sample))
    if settings.http:
        return _of_answers(settings.http)
    if settings.logs:
        return _of_lines(settings.logs)
    assert settings.metric  # noqa: S101 - no other kind can be judged again
    return _of_values(settings.metric)


def _of_values(settings: MetricCheck) -> tuple[Judge, Add]:
    limit = ValueLimit(settings.at_most, settings.at_least, settings.unit)

    def add(sample: RecordedSample) -> Sample:
        values = _values(sample.canary)
        return limit.add(values, _at(sample)) if values else Sample(MISSING, f"no value {_at(sample)}")

    return limit, add


def _of_lines(settings: LogsCheck) -> tuple[Judge, Add]:
    limit = LinesLimit(settings.filter, settings.at_most or 0, settings.per)

    def add(sample: RecordedSample) -> Sample:
        if sample.canary is None:
            return Sample(MISSING, f"no count {_at(sample)}")
        return limit.add(sample.t, [sample.t] * round(sum(_values(sample.canary))))

    return limit, add


def _of_answers(settings: HttpCheck) -> tuple[Judge, Add]:
    limits = {part: 1000 * seconds for part, seconds in settings.percentiles.items()}
    limit = AnswersLimit(limits, settings.confidence)

    def add(sample: RecordedSample) -> Sample:
        times, errors = _values(sample.canary), _errors(sample.canary)
        if not times and not errors:
            return Sample(MISSING, f"no answer {_at(sample)}")
        return limit.add(times, f"{errors} of {errors + len(times)} answers wrong {_at(sample)}" if errors else "")

    return limit, add


def _moment(sample: RecordedSample) -> Moment:
    others = {task: _values(values) for task, values in sample.others.items()}
    return Moment(sample.t, _by_task(sample.canary), others)


def _answers(sample: RecordedSample) -> Moment:
    """An answer that is null was none, or a wrong one."""
    moment = _moment(sample)
    canary = _wrong("", sample.canary)
    others = {name: wrong for task, values in sample.others.items() for name, wrong in _wrong(task, values).items()}
    return replace(moment, canary_errors=canary, other_errors=others)


def _wrong(task: str, values: Recorded) -> dict[str, int]:
    """Which answers were none or wrong: each answer of a task counts by itself."""
    answers = values if isinstance(values, list) else [values]
    if values is None:
        return {}
    return {
        task if len(answers) == 1 and task else f"{task}{n}": int(answer is None) for n, answer in enumerate(answers)
    }


def _by_task(canary: Recorded) -> dict[str, list[float]]:
    """The canary's values, one of each task."""
    if isinstance(canary, list):
        return {str(task): [value] for task, value in enumerate(canary) if value is not None}
    return {} if canary is None else {"0": [canary]}


def _values(values: Recorded) -> list[float]:
    if isinstance(values, list):
        return [value for value in values if value is not None]
    return [] if values is None else [values]


def _errors(values: Recorded) -> int:
    return values.count(None) if isinstance(values, list) else 0


def _at(sample: RecordedSample) -> str:
    return f"after {duration(sample.t)}"
