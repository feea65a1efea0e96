"""How a step is carried out: observe, decide, act, then wait until it is judged settled.

So a step that is run again after it was finished writes nothing, one that was killed is finished, and a dry run is
the same path without the writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from ecs_pipeline.engine.run import Run
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline, Judgement, Settled

Seen = TypeVar("Seen")
Result = TypeVar("Result")


class Step(Generic[Seen, Result]):
    """A part of a stage that brings AWS from what is seen to what is wanted."""

    name = ""
    writes = True

    def observe(self) -> Seen:
        """Read what the step is about."""
        raise NotImplementedError

    def decide(self, seen: Seen) -> str:  # noqa: ARG002 - a step that only watches decides nothing
        """What is to be written, in words; '' when nothing is. Pure."""
        return ""

    def act(self, seen: Seen) -> None:
        """Write what `decide` said."""

    def judge(self, seen: Seen) -> Judgement[Result]:
        """Whether what is wanted is there: Settled, Waiting (why) or Broken (why)."""
        raise NotImplementedError

    def evidence(self) -> Sequence[str]:
        """What helps to understand that it was not settled in time."""
        return ()

    def planned(self, seen: Seen) -> Result:
        """What a dry run goes on with in place of what would have been made."""
        raise NotImplementedError

    def told(self, result: Result) -> str:  # noqa: ARG002
        """The step's line once it is done."""
        return ""


def converge(step: Step[Seen, Result], run: Run, deadline: Deadline) -> Result:
    """Carry a step out. Raises what its reads and writes raise, StepBroken, TimedOut at the deadline."""
    with run.recorder.step(step.name) as record:
        seen = step.observe()
        change = step.decide(seen)
        if run.dry_run:
            judgement = step.judge(seen)
            if not change and isinstance(judgement, Settled):
                record.message = _unchanged(step, judgement.result)
                return judgement.result
            record.message = planned(run, [change]) if change else "would wait"
            return step.planned(seen)
        if change:
            with run.recorder.writing(change):
                step.act(seen)
        result = settle(step, run, deadline, None if change else seen)
        record.message = step.told(result) if change else _unchanged(step, result)
        return result


def planned(run: Run, changes: Sequence[str], *, writes: bool = True) -> str:
    """Note what a dry run leaves out; what its step says of that. Not `writes`: it would only be waited for."""
    for change in changes:
        run.recorder.plan(change, writes=writes)
    return f"would {', '.join(changes)}" if changes else "unchanged"


def announced(run: Run, changes: Sequence[str]) -> str:
    """Note a plan before it is carried out, or instead of that in a dry run; its line."""
    if run.dry_run:
        return planned(run, changes)
    run.recorder.record.plan = list(changes)
    return ", ".join(changes)


def settle(
    step: Step[Seen, Result], run: Run, deadline: Deadline, first: Seen | None = None, *, at_once: bool = True
) -> Result:
    """Wait until the step is judged settled; `first`: what was seen just now, if anything; `at_once` as in `until`."""
    unused = [] if first is None else [first]

    def look() -> Judgement[Result]:
        return step.judge(unused.pop() if unused else step.observe())

    try:
        return wait.until(look, run.clock, deadline, run.recorder.progress, at_once=at_once)
    except wait.TimedOut as error:
        error.evidence = tuple(step.evidence())
        raise


def _unchanged(step: Step[Seen, Result], result: Result) -> str:
    told = step.told(result)
    return f"unchanged: {told}".rstrip(": ") if step.writes else told
