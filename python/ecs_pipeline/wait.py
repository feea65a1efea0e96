"""The one way of waiting: look, judge, pause a little longer each time, until settled, broken or too late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import tenacity

from ecs_pipeline.clock import Clock
from ecs_pipeline.errors import ReleaseFailed

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.5, 5.0, 1.3
"""Seconds between two looks: quick at first, when most things happen, then sparing with AWS' request quotas."""


@dataclass(frozen=True)
class Settled(Generic[T]):
    """What was waited for is there."""

    result: T


@dataclass(frozen=True)
class Waiting:
    """Not yet; `why` tells what is missing."""

    why: str


@dataclass(frozen=True)
class Broken:
    """It will not come: waiting longer is of no use."""

    why: str
    evidence: Sequence[str] = ()


Judgement = Settled[T] | Waiting | Broken


class TimedOut(ReleaseFailed):
    """The time allowed was over before the wait was settled."""


class StepBroken(ReleaseFailed):
    """A wait was judged broken."""


def until(judge: Callable[[], Judgement[T]], clock: Clock, within: float, told: Callable[[str], None]) -> T:
    """Look until `judge` says Settled, at most `within` seconds; `told` hears why it waits, when that changes.

    Raises StepBroken as soon as `judge` says Broken, TimedOut when the time is over. It never sleeps past the end.
    """
    start = clock.now()
    deadline = start + within
    last = [""]

    def pause(state: tenacity.RetryCallState) -> float:
        wanted = FIRST_PAUSE * GROWTH ** min(state.attempt_number - 1, 50)
        return max(0.0, min(wanted, LONGEST_PAUSE, deadline - clock.now()))

    def heard(judgement: Judgement[T]) -> bool:
        if isinstance(judgement, Waiting) and judgement.why != last[0]:
            last[0] = judgement.why
            told(judgement.why)
        return isinstance(judgement, Waiting)

    policy = tenacity.Retrying(
        retry=tenacity.retry_if_result(heard),
        stop=lambda _state: clock.now() >= deadline,
        wait=pause,
        sleep=clock.sleep,
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    judgement: Judgement[T] = policy(judge)
    if isinstance(judgement, Settled):
        return judgement.result
    if isinstance(judgement, Broken):
        raise StepBroken(judgement.why, evidence=judgement.evidence)
    raise TimedOut(f"not within {duration(within)}: {judgement.why}")


def duration(seconds: float) -> str:
    """Seconds as people write them: 0.4s, 12s, 5m, 2m 5s, 1h 3m."""
    if seconds < 10 and seconds != round(seconds):
        return f"{seconds:.1f}s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    parts = [f"{value}{unit}" for value, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if value]
    return " ".join(parts[:2]) or "0s"
