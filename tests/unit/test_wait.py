"""Waiting: quick at first, then sparing; never past the end; told only what changed; over at once when broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from ecs_pipeline.errors import Interrupted
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Broken, Deadline, Judgement, Settled, StepBroken, TimedOut, Waiting, duration
from tests.unit.clocks import RecordingClock


def waited(judge: Callable[[], Judgement[str]], clock: RecordingClock, within: float) -> tuple[str, list[str]]:
    told: list[str] = []
    return wait.until(judge, clock, Deadline.after(clock, within), told.append), told


def each(*judgements: Judgement[str]) -> Callable[[], Judgement[str]]:
    """One judgement a look."""
    rest: Iterator[Judgement[str]] = iter(judgements)
    return lambda: next(rest)


def test_what_is_there_is_taken_without_a_pause() -> None:
    clock = RecordingClock()
    assert waited(each(Settled("x")), clock, 10) == ("x", [])
    assert clock.pauses == []


def test_pauses_grow_from_the_first_to_the_longest_and_stay_there() -> None:
    clock = RecordingClock()
    waited(each(*[Waiting("x")] * 20, Settled("x")), clock, 1000)
    assert clock.pauses[0] == wait.FIRST_PAUSE
    growing = [pause for pause in clock.pauses if pause < wait.LONGEST_PAUSE]
    assert 5 < len(growing) < 15
    assert all(later == pytest.approx(pause * wait.GROWTH) for pause, later in pairwise(growing))
    assert clock.pauses[len(growing) :] == [wait.LONGEST_PAUSE] * (20 - len(growing))


@pytest.mark.parametrize("within", [0.0, 0.3, 7.0, 60.0])
def test_it_looks_once_more_at_the_end_and_never_sleeps_past_it(within: float) -> None:
    clock = RecordingClock()
    begun, looks = clock.now(), []

    def judge() -> Judgement[str]:
        looks.append(clock.now())
        return Waiting("the task")

    with pytest.raises(TimedOut):
        waited(judge, clock, within)
    assert looks[0] == begun
    assert looks[-1] == clock.now() == pytest.approx(begun + within)


def test_what_comes_with_the_last_look_counts() -> None:
    clock = RecordingClock()
    end = clock.now() + 7
    result, _ = waited(lambda: Settled("late") if clock.now() >= end else Waiting("x"), clock, 7)
    assert result == "late"


def test_a_look_that_takes_longer_than_the_time_allowed_is_the_last() -> None:
    clock, looks = RecordingClock(), []

    def judge() -> Judgement[str]:
        looks.append(1)
        clock.sleep(30)
        return Waiting("x")

    with pytest.raises(TimedOut):
        waited(judge, clock, 10)
    assert len(looks) == 1


def test_a_timeout_says_how_long_and_what_for() -> None:
    with pytest.raises(TimedOut) as caught:
        waited(each(*[Waiting("2 of 3 running")] * 50), RecordingClock(), 65)
    assert (str(caught.value), caught.value.exit_code) == ("not within 1m 5s: 2 of 3 running", 1)


def test_a_reason_is_told_when_it_changes_and_again_when_it_comes_back() -> None:
    reasons = ["a", "a", "b", "b", "a"]
    _, told = waited(each(*map(Waiting, reasons), Settled("x")), RecordingClock(), 100)
    assert told == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("within", "reminders"),
    [(20, []), (100, ["30s", "1m", "1m 30s"]), (1000, ["1m 40s", "3m 20s", "5m"])],
)
def test_what_is_waited_for_still_is_told_again_with_the_time_gone_and_allowed(
    within: float, reminders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait, "FIRST_PAUSE", 5.0)
    looks = min(int(within / 5), 61)
    _, told = waited(each(*[Waiting("web is unhealthy")] * looks, Settled("x")), RecordingClock(), within)
    assert told[0] == "web is unhealthy"
    assert told[1:] == [f"web is unhealthy (after {gone} of {duration(within)})" for gone in reminders]


def test_a_change_is_told_without_the_time_and_begins_it_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "FIRST_PAUSE", 5.0)
    _, told = waited(each(*map(Waiting, "aaaaabbbbbbbb"), Settled("x")), RecordingClock(), 100)
    assert told == ["a", "b", "b (after 55s of 1m 40s)"]


def test_what_is_broken_ends_the_wait_at_once_with_its_evidence() -> None:
    clock = RecordingClock()
    with pytest.raises(StepBroken, match=r"^it crashed$") as caught:
        waited(each(Waiting("x"), Broken("it crashed", ["exit code 3"])), clock, 100)
    assert caught.value.evidence == ("exit code 3",)
    assert len(clock.pauses) == 1


def test_an_interruption_ends_the_wait_in_its_pause() -> None:
    class InterruptedClock(RecordingClock):
        def sleep(self, seconds: float) -> None:
            raise Interrupted(15)

    with pytest.raises(Interrupted, match="SIGTERM"):
        waited(each(Waiting("x"), Waiting("x")), InterruptedClock(), 100)


def test_an_error_of_a_look_ends_the_wait() -> None:
    def judge() -> Judgement[str]:
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        waited(judge, RecordingClock(), 100)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (0.25, "0.2s"),
        (9.96, "10.0s"),
        (10.4, "10s"),
        (12, "12s"),
        (59.6, "1m"),
        (300, "5m"),
        (125, "2m 5s"),
        (3600, "1h"),
        (3780, "1h 3m"),
        (3661, "1h 1m"),
        (3605, "1h 5s"),
        (90000, "25h"),
    ],
)
def test_a_duration_is_told_as_people_write_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("settles_after", "seen", "pauses"), [(0, 1, 0), (2, 3, 2)])
def test_what_was_seen_last_is_the_result_when_there_is_nothing_to_wait_for(
    settles_after: int, seen: int, pauses: int
) -> None:
    clock, looks = RecordingClock(), iter(range(1, 100))

    def look() -> tuple[int, str]:
        number = next(looks)
        return number, "" if number > settles_after else "not yet"

    assert wait.last_seen(look, clock, Deadline.after(clock, 10), lambda _line: None) == seen
    assert len(clock.pauses) == pauses


def test_what_was_seen_last_is_the_result_when_the_time_is_over() -> None:
    clock, looks = RecordingClock(), iter(range(1, 100))
    told: list[str] = []
    seen = wait.last_seen(lambda: (next(looks), "not yet"), clock, Deadline.after(clock, 3), told.append)
    assert (seen, told) == (next(looks) - 1, ["not yet"])
    assert sum(clock.pauses) == pytest.approx(3)


@pytest.mark.parametrize(("within", "at"), [(0, [0]), (4, [0, 2, 4]), (5, [0, 2, 4, 6])])
def test_looks_are_so_many_seconds_apart_until_the_deadline_is_over(within: float, at: list[float]) -> None:
    clock = RecordingClock()
    begun = clock.now()
    looks = [(number, clock.now() - begun) for number in wait.looks(clock, 2, Deadline.after(clock, within))]
    assert looks == list(enumerate(at))
    assert clock.pauses == [2] * (len(at) - 1)


def test_a_look_that_ends_after_the_deadline_is_the_last() -> None:
    clock, looks = RecordingClock(), []
    for number in wait.looks(clock, 2, Deadline.after(clock, 5)):
        looks.append(number)
        clock.sleep(5)
    assert looks == [0]


def test_what_the_first_look_finds_is_there_without_a_pause() -> None:
    clock = RecordingClock()
    assert next(wait.looks(clock, 2, Deadline.after(clock, 5))) == 0
    assert clock.pauses == []


def test_an_interruption_ends_the_looks_in_their_pause() -> None:
    class InterruptedClock(RecordingClock):
        def sleep(self, seconds: float) -> None:
            raise Interrupted(15)

    clock = InterruptedClock()
    with pytest.raises(Interrupted, match="SIGTERM"):
        list(wait.looks(clock, 2, Deadline.after(clock, 5)))
