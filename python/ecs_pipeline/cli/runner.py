"""Runs a command with its record and reports, and turns what ended it into words and an exit code."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from ecs_pipeline.cli import streams
from ecs_pipeline.cli.next_steps import after_failure, after_success, with_flags
from ecs_pipeline.cli.options import Common
from ecs_pipeline.config.load import Config, from_flags, load
from ecs_pipeline.engine.record import INTERRUPTED, PASSED, StageRecord
from ecs_pipeline.engine.recorder import Recorder
from ecs_pipeline.errors import Interrupted, InvalidInput, PipelineError
from ecs_pipeline.timing.clock import SystemClock

if TYPE_CHECKING:
    from ecs_pipeline.cli.wiring import Sessions
    from ecs_pipeline.engine.run import Run

BUG = 4
"""A mistake of ours ends a stage as trouble does: nothing is undone, the same command may be run again."""

UNUSED: Mapping[str, frozenset[str]] = {
    "canary": frozenset(("provision",)),
    "promote": frozenset(("image", "provision")),
    "rollback": frozenset(("canary", "image", "provision")),
    "judge": frozenset(("image", "provision")),
}
"""Sections whose look-ups a stage does not make, by its name."""

Body = Callable[["Run"], None]


def run_stage(name: str, steps: Sequence[str], common: Common, body: Body) -> int:
    """Run a stage with its record and reports; returns the exit code."""
    from ecs_pipeline.cli.wiring import listeners, new_record

    clock = SystemClock()
    with clock.listening():
        record = new_record(common, name, tuple(steps), clock)
        recorder = Recorder(record, clock, listeners(common, name))
        failure: PipelineError | None = None
        code = 0
        try:
            body(_prepared(common, clock, recorder))
        except PipelineError as error:
            failure, code = error, error.exit_code
            _show_traceback(common)
        except Exception as error:  # noqa: BLE001 - the last place to tell a mistake of ours
            clock.calm()
            recorder.finish("error", BUG, PipelineError(f"{type(error).__name__}: {error}"))
            _print_result(common, recorder)
            return _bug()
        clock.calm()
        if failure:
            after_failure(record, failure, common)
        outcome = INTERRUPTED if isinstance(failure, Interrupted) else failure.outcome if failure else PASSED
        recorder.finish(outcome, code, failure)
        _print_result(common, recorder)
        told = "" if code else after_success(record, common)
        if told:
            click.echo(f"→ {told}", err=True)
        return code


def run_quietly(common: Common, body: Callable[[Run], int | None], *, on_flags: bool = False) -> int:
    """Run a command that leaves no reports; returns the exit code, which the body may tell.

    `on_flags`: no file is read, the flags are the whole config.
    """
    return _quietly(common, lambda clock, recorder: body(_prepared(common, clock, recorder, on_flags=on_flags)))


def run_on_config(common: Common, body: Callable[[Config], None]) -> int:
    """Run a command that needs the config alone; returns the exit code."""

    def act(clock: SystemClock, _recorder: Recorder) -> None:
        from ecs_pipeline.cli.wiring import Sessions

        body(load(common.config, common.environment, common.flags, Sessions(clock, os.environ).lookups))

    return _quietly(common, act)


def run_alone(common: Common, body: Callable[[], None]) -> int:
    """Run a command that needs neither config nor AWS; returns the exit code."""
    return _quietly(common, lambda _clock, _recorder: body())


def _quietly(common: Common, act: Callable[[SystemClock, Recorder], int | None]) -> int:
    from ecs_pipeline.cli.wiring import new_record

    clock = SystemClock()
    with clock.listening():
        recorder = Recorder(new_record(common, "status", (), clock), clock, ())
        try:
            return act(clock, recorder) or 0
        except PipelineError as error:
            _show_traceback(common)
            error.cure = with_flags(error.cure, common)
            _tell(error)
            _print_failure(common, recorder, error)
            return error.exit_code
        except Exception as error:  # noqa: BLE001
            _print_failure(common, recorder, PipelineError(f"{type(error).__name__}: {error}"))
            return _bug()


def _tell(error: PipelineError) -> None:
    """What ended a command without reports; bad input in one line."""
    from ecs_pipeline.reports.brief import tell

    if isinstance(error, InvalidInput):
        tell(error)
        return
    click.echo(f"ecs-pipeline: {error}", err=True)
    for line in error.evidence:
        click.echo(f"  {line}", err=True)


def _prepared(common: Common, clock: SystemClock, recorder: Recorder, *, on_flags: bool = False) -> Run:
    """Config and adapters; what is wrong with them is a failure of the first step."""
    from ecs_pipeline.cli.wiring import Sessions, new_run
    from ecs_pipeline.reports.files import refuse_unwritable

    record, sessions = recorder.record, Sessions(clock, os.environ)
    try:
        if record.steps and not common.dry_run:
            refuse_unwritable(common.reports)
        config = from_flags(common.flags) if on_flags else _loaded(common, sessions, record.stage)
        record.cluster, record.service = config.settings.cluster, config.settings.service
        return new_run(config, common, clock, recorder, sessions)
    except PipelineError as error:
        if record.steps:
            with recorder.step(record.steps[0].name):
                raise error from None
        raise


def _loaded(common: Common, sessions: Sessions, stage: str) -> Config:
    unused = UNUSED.get(stage, frozenset())
    return load(common.config, common.environment, common.flags, sessions.lookups, unused=unused)


def _print_result(common: Common, recorder: Recorder) -> None:
    record = recorder.record
    if common.output == "json":
        from ecs_pipeline.reports.json_report import without_series

        streams.show([json.dumps(without_series(record), indent=2)])
    elif common.dry_run and record.exit_code == 0:
        streams.show(f"{name:<16} {text}" for name, text in _rows(record))


def _rows(record: StageRecord) -> list[tuple[str, str]]:
    """A dry run's plan: what is done before all else, each step, what differs between the revisions."""
    steps = [(step.name, step.message) for step in record.steps if step.message]
    told = "\n".join(text for _, text in steps)
    first = [("first", f"would {line}") for line in record.plan if line not in told]
    return [*first, *steps, *(("change", line) for line in record.changes)]


def _print_failure(common: Common, recorder: Recorder, error: PipelineError) -> None:
    """What a command without reports ended with, for machines."""
    if common.output == "json":
        from ecs_pipeline.reports.json_report import in_one_line

        record = recorder.record
        told = {"message": error.message, "cure": error.cure, "exit_code": error.exit_code}
        streams.show([json.dumps(in_one_line({"cluster": record.cluster, "service": record.service, **told}))])


def _show_traceback(common: Common) -> None:
    if common.verbose:
        traceback.print_exc()


def _bug() -> int:
    traceback.print_exc()
    click.echo(
        "ecs-pipeline: this is a mistake in ecs-pipeline, not in your set-up: please report the lines above. "
        "The same command may be run again.",
        err=True,
    )
    return BUG
