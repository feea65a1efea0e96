"""Trying again: only what may pass, so often, with pauses that grow; the last error is the cause itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ecs_pipeline.errors import Interrupted, Trouble
from ecs_pipeline.timing import retry
from ecs_pipeline.timing.retry import Transient, call
from tests.unit.clocks import RecordingClock


def failing(times: int, error: Exception) -> tuple[Callable[[], str], list[int]]:
    """An attempt that fails so often, then answers; and the attempts made."""
    made: list[int] = []

    def attempt() -> str:
        made.append(len(made) + 1)
        if len(made) <= times:
            raise error
        return "answer"

    return attempt, made


@pytest.mark.parametrize("times", [0, 1, retry.ATTEMPTS - 1])
def test_an_attempt_is_made_again_until_it_answers(times: int) -> None:
    attempt, made = failing(times, Transient(Trouble("throttled")))
    assert call(attempt, RecordingClock()) == "answer"
    assert len(made) == times + 1


@pytest.mark.parametrize("attempts", [1, 2, retry.ATTEMPTS])
def test_after_the_last_attempt_the_cause_is_raised(attempts: int) -> None:
    cause = Trouble("throttled")
    cause.__cause__ = ValueError("what the SDK said")
    attempt, made = failing(100, Transient(cause))
    with pytest.raises(Trouble) as caught:
        call(attempt, RecordingClock(), attempts)
    assert caught.value is cause
    assert isinstance(caught.value.__cause__, ValueError)
    assert len(made) == attempts


@pytest.mark.parametrize("error", [Trouble("denied"), Interrupted(2), ValueError("a mistake")])
def test_what_would_not_pass_is_raised_at_once(error: Exception) -> None:
    attempt, made = failing(1, error)
    clock = RecordingClock()
    with pytest.raises(type(error)):
        call(attempt, clock)
    assert (len(made), clock.pauses) == (1, [])


def test_pauses_double_up_to_the_longest_each_with_some_jitter() -> None:
    clock = RecordingClock()
    attempt, _ = failing(9, Transient(Trouble("throttled")))
    call(attempt, clock, 10)
    for number, pause in enumerate(clock.pauses):
        least = min(retry.FIRST_PAUSE * 2**number, retry.LONGEST_PAUSE)
        assert least <= pause <= min(least + retry.JITTER, retry.LONGEST_PAUSE)
    assert len(set(clock.pauses[:5])) == 5


def test_by_default_it_gives_up_after_about_half_a_minute() -> None:
    clock = RecordingClock()
    attempt, _ = failing(100, Transient(Trouble("throttled")))
    with pytest.raises(Trouble):
        call(attempt, clock)
    assert 20 < clock.waited < 40


def test_an_interruption_ends_the_pause() -> None:
    class InterruptedClock(RecordingClock):
        def sleep(self, seconds: float) -> None:
            raise Interrupted(15)

    attempt, made = failing(3, Transient(Trouble("throttled")))
    with pytest.raises(Interrupted):
        call(attempt, InterruptedClock())
    assert len(made) == 1
