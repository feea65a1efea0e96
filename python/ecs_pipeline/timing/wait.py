"""The only place that waits.

`until` and `last_seen` look, judge, and pause a little longer each time. `looks` is for looks at a fixed pace, `pause`
for a single pause. Each has an end.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import tenacity

from ecs_pipeline.errors import ReleaseFailed
from ecs_pipeline.timing.clock import Clock

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.5, 5.0, 1.5
"""Seconds between two looks: quick at first, when most things happen, then sparing with AWS' request quotas."""
REMINDER, REMINDER_SHARE = 30.0, 0.1
"""What is still waited for is told again after so many seconds, or this part of the time allowed when that is more."""


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


@dataclass(frozen=True)
class Deadline:
    """An end of time allowed: `at` on the clock, `allowed` seconds in all, as the config says."""

    at: float
    allowed: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Deadline:
        """So many seconds from now."""
        return cls(clock.now() + seconds, seconds)


class TimedOut(ReleaseFailed):
    """The time allowed was over before the wait was settled."""


class StepBroken(ReleaseFailed):
    """A wait was judged broken."""


def until(
    judge: Callable[[], Judgement[T]],
    clock: Clock,
    deadline: Deadline,
    told: Callable[[str], None],
    *,
    at_once: bool = True,
) -> T:
    """Look until `judge` says Settled or the deadline is over.

    Not `at_once`: AWS was told a moment ago, and takes longer than no time, so the first look comes after a pause.
    `told` hears why it waits when that changes, and again now and then with the time that is gone and that is allowed.
    Raises StepBroken as soon as `judge` says Broken, TimedOut when the time is over. It never sleeps past the end.
    """
    last, again = "", 0.0

    def growing(state: tenacity.RetryCallState) -> float:
        wanted = FIRST_PAUSE * GROWTH ** min(state.attempt_number - 1, 50)
        return max(0.0, min(wanted, LONGEST_PAUSE, deadline.at - clock.now()))

    def heard(judgement: Judgement[T]) -> bool:
        nonlocal last, again
        if not isinstance(judgement, Waiting):
            return False
        now = clock.now()
        if judgement.why != last:
            told(judgement.why)
        elif again <= now < deadline.at:
            gone = deadline.allowed - (deadline.at - now)
            told(f"{judgement.why} (after {duration(round(gone))} of {duration(deadline.allowed)})")
        else:
            return True
        last, again = judgement.why, now + max(REMINDER, REMINDER_SHARE * deadline.allowed)
        return True

    if not at_once:
        clock.sleep(max(0.0, min(FIRST_PAUSE, deadline.at - clock.now())))
    policy = tenacity.Retrying(
        retry=tenacity.retry_if_result(heard),
        stop=lambda _state: clock.now() >= deadline.at,
        wait=growing,
        sleep=clock.sleep,
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    judgement: Judgement[T] = policy(judge)
    if isinstance(judgement, Settled):
        return judgement.result
    if isinstance(judgement, Broken):
        raise StepBroken(judgement.why, evidence=judgement.evidence)
    raise TimedOut(f"not within {duration(deadline.allowed)}: {judgement.why}")


def last_seen(look: Callable[[], tuple[T, str]], clock: Clock, deadline: Deadline, told: Callable[[str], None]) -> T:
    """Look until there is nothing to wait for or the deadline is over: what was seen last, either way.

    `look` says what it sees and what it waits for, '' for nothing.
    """
    seen: list[T] = []

    def judge() -> Judgement[T]:
        result, why = look()
        seen[:] = [result]
        return Waiting(why) if why else Settled(result)

    try:
        return until(judge, clock, deadline, told)
    except TimedOut:
        return seen[0]


def looks(clock: Clock, every: float, deadline: Deadline) -> Iterator[int]:
    """Yield before each look, `every` seconds apart: first 0, at once, then 1, 2, and so on.

    The look after which the deadline is over is the last. Whoever finds what it looks for leaves the loop.
    """
    for number in itertools.count():
        yield number
        if clock.now() >= deadline.at:
            return
        pause(clock, every)


def pause(clock: Clock, seconds: float) -> None:
    """Wait once, for so many seconds. Raises Interrupted."""
    clock.sleep(seconds)


def duration(seconds: float) -> str:
    """Seconds as people write them: 0.4s, 12s, 5m, 2m 5s, 1h 3m."""
    if seconds < 10 and seconds != round(seconds):
        return f"{seconds:.1f}s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    parts = [f"{value}{unit}" for value, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if value]
    return " ".join(parts[:2]) or "0s"
