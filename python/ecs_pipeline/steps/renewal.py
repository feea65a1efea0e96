"""A canary's task that AWS takes away is run anew: at its start within its time, in a bake with a new bake."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Inconclusive, NotReplaced, TakenAway
from ecs_pipeline.steps import orphans, removal
from ecs_pipeline.steps.tasks import Created
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline, TimedOut, duration

T = TypeVar("T")

BAKES = 3
"""So often a bake is begun when AWS takes the canary's task away in it."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0
"""Seconds before a task is run in place of one that did not last; the first time at once."""


def until_up(run: Run, made: Created, write: removal.Write, deadline: Deadline, attempt: Callable[[], T]) -> T:
    """Start a canary, again when AWS takes a task of it away. Raises NotReplaced when the time is over by then."""
    pause, taken = 0.0, None
    while True:
        try:
            return attempt()
        except TakenAway as failure:
            taken = failure
            left = deadline.at - run.clock.now() - pause
            let_go(run, failure, made, write, again=left > 0)
            if left <= 0:
                why = f"no other came up within {duration(deadline.allowed)}"
                raise NotReplaced(f"{failure.message}, and {why}") from failure
            wait.pause(run.clock, pause)
            pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * pause))
        except TimedOut as late:
            if taken is None:
                raise
            raise NotReplaced(f"{taken.message}; {late.message}", evidence=late.evidence) from late


def until_judged(run: Run, made: Created, write: removal.Write, attempt: Callable[[], T]) -> T:
    """Start and judge a canary, anew when AWS takes its task away. Raises Inconclusive when that goes on."""
    taken = None
    for bake in range(1, BAKES + 1):
        try:
            return attempt()
        except TakenAway as failure:
            taken = failure
            let_go(run, failure, made, write, again=bake < BAKES)
        except (NotReplaced, TimedOut) as late:
            if taken is None:
                raise
            raise unjudged(late.message) from late
    raise unjudged(f"{taken}, as in each of {BAKES} bakes")


def let_go(run: Run, taken: TakenAway, made: Created, write: removal.Write, *, again: bool = True) -> None:
    """Forget a task that AWS took away, so that another can be run in its place; its address leaves the traffic."""
    run.recorder.progress(f"{taken.message}{': another is run in its place' if again else ''}")
    made.tasks.pop(taken.task, None)
    orphans.remove(run, run.observer.snapshot().registrations, write)


def unjudged(why: str) -> Inconclusive:
    """What a stage says whose canary AWS did not let live until it was judged."""
    return Inconclusive(
        f"the release was not judged: {why}", cure="run `canary` again, or a person decides: `promote` or `rollback`"
    )
