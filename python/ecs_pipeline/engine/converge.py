"""How a step is carried out: observe, decide, act, then wait until it is judged settled.

So a step that is run again after it was finished writes nothing, one that was killed is finished, and a dry run is
the same path without the writing.

A `Step` makes one change and is judged (`converge`). A `WritingStep` makes several, each noted by itself, and has
nothing to judge (`carry_out`). For them only this file asks whether the run is dry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ecs_pipeline.engine.record import StepRecord
from ecs_pipeline.engine.run import Run
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Broken, Deadline, Judgement, Settled

Seen = TypeVar("Seen")
Result = TypeVar("Result")


class Step(Generic[Seen, Result]):
    """A part of a stage that brings AWS from what is seen to what is wanted.

    `late`: AWS never shows the change at once, so there is a pause before the first look.
    """

    name = ""
    writes = True
    late = False

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

    def follow(self, seen: Seen, judgement: Judgement[Result]) -> None:
        """What is done after each look; not called in a dry run."""

    def evidence(self) -> Sequence[str]:
        """What helps to understand that it was not settled in time."""
        return ()

    def awaited(self, seen: Seen) -> str:  # noqa: ARG002
        """What a step that decides nothing waits for, in words; '' when its dry run has no line for that."""
        return ""

    def planned(self, seen: Seen) -> Result:
        """What a dry run goes on with in place of what would have been made."""
        raise NotImplementedError

    def told(self, result: Result) -> str:  # noqa: ARG002
        """The step's line once it is done."""
        return ""


class WritingStep(Generic[Seen]):
    """A part of a stage that writes several things, each noted as it is written.

    It has nothing to judge: what has to be waited for is waited for in `act`, by limits of its own, whose end is no
    failure of the stage.
    """

    name = ""

    def observe(self) -> Seen:
        """Read what the step is about; once."""
        raise NotImplementedError

    def decide(self, seen: Seen) -> Sequence[str]:
        """What is to be written, in words, a line for each thing; empty when nothing is. Pure."""
        raise NotImplementedError

    def awaited(self, seen: Seen) -> Sequence[str]:  # noqa: ARG002
        """What is not to be written but waited for, in words. Pure."""
        return ()

    def act(self, seen: Seen) -> str:
        """Write what `decide` said, and wait; the step's line. Called also when there is nothing to write."""
        raise NotImplementedError


def converge(step: Step[Seen, Result], run: Run, deadline: Deadline | Callable[[], Deadline]) -> Result:
    """Carry a step out. Raises what its reads and writes raise, StepBroken, TimedOut at the deadline.

    `deadline` may be a function. It is called inside the step, so its messages belong to the step.
    """
    with run.recorder.step(step.name) as record:
        if run.dry_run:
            return _tell(step, run, record)
        end = deadline if isinstance(deadline, Deadline) else deadline()
        seen = step.observe()
        change = step.decide(seen)
        if change:
            with run.recorder.writing(change):
                step.act(seen)
        result = settle(step, run, end, None if change else seen, at_once=not (change and step.late))
        record.message = step.told(result) if change else _unchanged(step, result)
        return result


def _tell(step: Step[Seen, Result], run: Run, record: StepRecord) -> Result:
    """What a dry run says of a step, and goes on with."""
    seen = step.observe()
    change, judgement = step.decide(seen), step.judge(seen)
    if not change and isinstance(judgement, Settled):
        record.message = _unchanged(step, judgement.result)
        return judgement.result
    broken = f"fail: {judgement.why}" if isinstance(judgement, Broken) else ""
    if line := change or broken or step.awaited(seen):
        record.message = planned(run, [line], writes=bool(change))
    else:
        record.message = "would wait"
    return step.planned(seen)


def carry_out(step: WritingStep[Seen], run: Run) -> bool:
    """Carry out a step without a judgement; False in a dry run, which only tells. Raises what its calls raise."""
    with run.recorder.step(step.name) as record:
        seen = step.observe()
        if run.dry_run:
            changes, waits = step.decide(seen), step.awaited(seen)
            planned(run, changes)
            planned(run, waits, writes=False)
            record.message = _would([*changes, *waits])
        else:
            record.message = step.act(seen)
    return not run.dry_run


def planned(run: Run, changes: Sequence[str], *, writes: bool = True) -> str:
    """Note what a dry run leaves out; what its step says of that. Not `writes`: it would only be waited for."""
    for change in changes:
        run.recorder.plan(change, writes=writes)
    return _would(changes)


def only_planned(run: Run, changes: Sequence[str]) -> bool:
    """Whether this is a dry run: then changes outside of a step are noted, and not made."""
    if run.dry_run:
        planned(run, changes)
    return run.dry_run


def _would(changes: Sequence[str]) -> str:
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
        seen = unused.pop() if unused else step.observe()
        judgement = step.judge(seen)
        step.follow(seen, judgement)
        return judgement

    try:
        return wait.until(look, run.clock, deadline, run.recorder.progress, at_once=at_once)
    except wait.TimedOut as error:
        error.evidence = tuple(step.evidence())
        raise


def _unchanged(step: Step[Seen, Result], result: Result) -> str:
    told = step.told(result)
    return f"unchanged: {told}".rstrip(": ") if step.writes else told
