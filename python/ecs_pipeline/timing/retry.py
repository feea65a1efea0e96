"""The one policy for trying a call again: which errors, how often, how far apart.

botocore's own retries are switched off (aws/session.py), so that the two do not multiply. `AWS_MAX_ATTEMPTS` and
the profile's `max_attempts` are honoured as botocore honours them: they count all attempts, the first included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import tenacity

from ecs_pipeline.timing.clock import Clock

T = TypeVar("T")

ATTEMPTS = 8
"""Attempts of a call, the first included: with the pauses below it gives up after about half a minute."""
FIRST_PAUSE, LONGEST_PAUSE, JITTER = 0.25, 8.0, 0.5
"""Seconds: the pauses double from the first to the longest; up to JITTER is added, lest agents march in step."""


class Transient(Exception):
    """Wraps an error that another attempt may overcome."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def call(attempt: Callable[[], T], clock: Clock, attempts: int = ATTEMPTS) -> T:
    """Run `attempt` until it does not raise Transient; after the last one its cause is raised."""
    policy = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Transient),
        stop=tenacity.stop_after_attempt(attempts),
        wait=tenacity.wait_exponential_jitter(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE, jitter=JITTER),
        sleep=clock.sleep,
        reraise=True,
    )
    try:
        return policy(attempt)
    except Transient as error:
        raise error.cause from error.cause.__cause__
