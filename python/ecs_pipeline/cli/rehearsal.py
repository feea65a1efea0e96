"""The options of `judge` that ask nobody: recorded bakes judged again, and simulated ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from ecs_pipeline.cli.options import text_option

WAYS = ("replay", "from_stage", "simulate")
SIMULATED = ("rate", "regression", "others", "noise")
RULES = ("tolerance", "detect", "confidence")
LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.9999


@dataclass(frozen=True)
class Rehearsing:
    """The options as they were given."""

    replay: str
    from_stage: str
    simulate: bool
    rate: str
    regression: str
    others: int
    noise: str
    tolerance: str
    detect: str
    confidence: str

    @property
    def asked(self) -> bool:
        """It is no judging of a live canary."""
        return any(getattr(self, way) for way in WAYS)

    def lines(self, *, as_json: bool) -> Sequence[str]:
        """What it came to. Raises click.UsageError, InvalidInput."""
        from ecs_pipeline.checks.comparisons.rules import Rules
        from ecs_pipeline.checks.simulation import Traffic
        from ecs_pipeline.config.types import parse_percentage, parse_rate
        from ecs_pipeline.stages.rehearse import Rehearsal, rehearse

        changes = {key: getattr(self, key) for key in RULES if getattr(self, key)}
        parts = {key: _parsed(f"--{key}", parse_percentage, text) for key, text in changes.items()}
        rules = Rules(parts.get("tolerance", 0.25), parts.get("detect", 0.5), 1 - parts.get("confidence", 0.95))
        traffic = None
        if self.simulate:
            rate, noise = _parsed("--rate", parse_rate, self.rate), _parsed("--noise", parse_percentage, self.noise)
            traffic = Traffic(rate, self.others, noise)
        regression = _parsed("--regression", parse_percentage, self.regression)
        asked = Rehearsal(self.replay, self.from_stage, traffic, regression, changes)
        return rehearse(asked, rules, as_json=as_json)


def rehearsal_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options, handed to the command as one argument `rehearsal`."""

    @wraps(command)
    def packed(**given: Any) -> Any:
        options = {name: given.pop(name) for name in Rehearsing.__dataclass_fields__}
        _refuse_contradictions(options)
        return command(rehearsal=Rehearsing(**options), **given)

    found: Callable[..., Any] = packed
    for option in reversed(_options()):
        found = option(found)
    return found


def _options() -> list[Callable[..., Any]]:
    return [
        text_option("--replay", metavar="FILE", help="Judge recorded bakes, one a line; - is standard input."),
        text_option("--from", "from_stage", metavar="STAGE.json", help="Judge the samples in a report again."),
        click.option("--simulate", is_flag=True, help="Tell how long a bake has to be at your traffic."),
        text_option("--rate", metavar="N/s", default="1/s", show_default=True, help="Values or lines of each task."),
        text_option("--regression", metavar="N%", default="50%", show_default=True, help="What is to be found."),
        click.option("--others", type=click.IntRange(1, 50), default=3, show_default=True, help="Other tasks."),
        text_option("--noise", metavar="N%", default="30%", show_default=True, help="What values differ by."),
        text_option("--tolerance", metavar="N%", help="Instead of what the check says, or 25%."),
        text_option("--detect", metavar="N%", help="Instead of what the check says, or 50%."),
        text_option("--confidence", metavar="N%", help="Instead of what the check says, or 95%."),
    ]


def _refuse_contradictions(options: dict[str, Any]) -> None:
    context = click.get_current_context()
    given = [name for name in options if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT]
    ways = [name for name in WAYS if name in given and options[name]]
    if len(ways) > 1:
        raise click.UsageError(f"{' and '.join(map(_flag, ways))} exclude each other", ctx=context)
    for names, wanted in ((SIMULATED, ("simulate",)), (RULES, WAYS)):
        left = [name for name in names if name in given and options[name]]
        if left and not set(wanted) & set(ways):
            told = " or ".join(map(_flag, wanted))
            raise click.UsageError(f"{' and '.join(map(_flag, left))}: given with {told} only", ctx=context)


def _flag(name: str) -> str:
    return "--from" if name == "from_stage" else f"--{name}"


def _parsed(flag: str, parse: Callable[[Any], float], text: str) -> float:
    try:
        value = parse(text)
    except ValueError as error:
        raise click.UsageError(f"{flag}: {error}", ctx=click.get_current_context()) from error
    if flag == "--confidence" and not LEAST_CONFIDENCE <= value <= MOST_CONFIDENCE:
        raise click.UsageError("--confidence: between 50% and 99.99%", ctx=click.get_current_context())
    if flag in ("--rate", "--noise", "--detect") and not value > 0:
        raise click.UsageError(f"{flag}: more than 0 is expected", ctx=click.get_current_context())
    return value
