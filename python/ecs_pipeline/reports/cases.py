"""The record as cases: one a step and one a check, the same in every report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile

from ecs_pipeline.engine.record import (
    ENDED_EARLY,
    ERROR,
    FAILED,
    INTERRUPTED,
    PASSED,
    RUNNING,
    SKIPPED,
    CanaryTaskRecord,
    CheckRecord,
    StageRecord,
    StepRecord,
    measured,
)
from ecs_pipeline.errors import Inconclusive
from ecs_pipeline.model.release import CANARY, FAIL, INCONCLUSIVE, PASS

NOT_REACHED, NOT_NEEDED, NOT_RUN, NO_VERDICT = "not reached", "not needed", "not run", "no verdict"
BAKE = "bake"
RESUMES = "the same command resumes"
RESTORE = "restore"
STEP_OF = {"take": "drain", "stop": "cleanup", "update": "service-update", "deregister": "deregister"}
"""The step of a rollback that does what a line of its plan begins with: once it has passed, the line is done."""


@dataclass(frozen=True)
class Case:
    """One case: `outcome` is passed, failed, error or skipped, `output` is shown whatever the outcome."""

    name: str
    outcome: str
    seconds: float = 0.0
    message: str = ""
    evidence: tuple[str, ...] = ()
    output: tuple[str, ...] = ()


def cases(record: StageRecord) -> list[Case]:
    """All cases: the steps in order, the checks right after the bake, or last where there is none."""
    steps = step_cases(record)
    names = [case.name for case in steps]
    after = names.index(BAKE) + 1 if BAKE in names else len(steps)
    return steps[:after] + check_cases(record) + steps[after:]


def step_cases(record: StageRecord) -> list[Case]:
    """One case a step. What ended the stage stands in a case also when it came between two steps."""
    found = [_step_case(record, step) for step in record.steps]
    told = any(case.outcome in (FAILED, ERROR) for case in found + check_cases(record))
    if record.exit_code in (0, Inconclusive.exit_code) or told or not found:
        return found
    index = _first_not_reached(found)
    outcome = FAILED if record.exit_code in (1, 2, 3) else ERROR
    found[index] = replace(found[index], outcome=outcome, message=reason(record), evidence=evidence(record))
    return found


def check_cases(record: StageRecord) -> list[Case]:
    """One case a check, named `check: NAME`."""
    return [_check_case(record, check) for check in record.checks]


def reason(record: StageRecord) -> str:
    """The one line that says why the stage ended as it did; '' when it passed without a word."""
    if record.message or record.outcome != INTERRUPTED:
        return record.message
    under_way = [step.name for step in record.steps if step.outcome == RUNNING]
    return f"{INTERRUPTED} during {under_way[-1]}" if under_way else INTERRUPTED


def evidence(record: StageRecord) -> tuple[str, ...]:
    """What helps to understand the end; of a stage that was interrupted what it has done, and what it has not."""
    if record.evidence or record.outcome != INTERRUPTED:
        return record.evidence
    return what_was_done(record)


def what_was_done(record: StageRecord) -> tuple[str, ...]:
    """What a stage has written so far, what it may have, and what it has not: by its plan, else by its steps."""
    lines = [f"done: {thing}" for thing in dict.fromkeys(record.done)]
    lines += ["nothing was changed"] if not lines and not record.changed else []
    lines += [f"may have been done: {thing}" for thing in record.writing]
    return (*lines, *(f"not done: {thing}" for thing in _left(record)))


def _left(record: StageRecord) -> list[str]:
    """What is left of the plan; without one the steps that come after the one under way, up to `restore`."""
    passed = {step.name for step in record.steps if step.outcome == PASSED}
    if record.plan:
        left = [thing for thing in record.plan if thing not in (*record.done, *record.writing)]
        return [thing for thing in left if STEP_OF.get(thing.partition(" ")[0]) not in passed]
    names = [step.name for step in record.steps]
    begun = [index for index, step in enumerate(record.steps) if step.started]
    following = names[begun[-1] + 1 :] if begun else names
    return [name for name in takewhile(lambda name: name != RESTORE, following) if name not in passed]


def cure(record: StageRecord) -> str:
    """What to do about it."""
    return record.cure or (RESUMES if record.outcome == INTERRUPTED else "")


def culprit(record: StageRecord) -> StepRecord | None:
    """The step that ended the stage: the one with the stage's own message, else the first that went wrong."""
    wrong = [step for step in record.steps if step.outcome in (FAILED, ERROR)]
    own = [step for step in wrong if record.message and step.message.startswith(record.message)]
    return next(iter(own + wrong), None)


def failed_step(record: StageRecord) -> str:
    """The name of the step that ended the stage, or that was under way when it was killed; '' for none."""
    if record.exit_code in (0, Inconclusive.exit_code):
        return ""
    under_way = [step.name for step in record.steps if step.outcome == RUNNING]
    ended = culprit(record)
    return ended.name if ended else next(reversed(under_way), "")


def elapsed(record: StageRecord, step: StepRecord) -> float:
    """Seconds from the start of a step until now, as far as the record knows what now is."""
    return max(record.seconds - (step.started - record.started).total_seconds(), 0.0) if step.started else 0.0


def unjudged(samples: int) -> str:
    """What to say of a check without a verdict."""
    return NO_VERDICT if samples else NOT_RUN


def canary_tasks(record: StageRecord) -> list[CanaryTaskRecord]:
    """The canary's tasks, without the baseline's."""
    return [task for task in record.canary if task.role == CANARY]


def _first_not_reached(found: list[Case]) -> int:
    reached = [index for index, case in enumerate(found) if case.outcome != SKIPPED]
    following = reached[-1] + 1 if reached else 0
    return min(following, len(found) - 1)


def _step_case(record: StageRecord, step: StepRecord) -> Case:
    case = Case(step.name, step.outcome, step.seconds, step.message, step.evidence)
    if step.outcome == RUNNING:
        seconds = max(step.seconds, elapsed(record, step))
        told = what_was_done(record) if record.outcome == INTERRUPTED else ()
        return replace(case, outcome=ERROR, message=INTERRUPTED, seconds=seconds, evidence=told)
    if step.outcome == SKIPPED:
        done = record.exit_code in (0, Inconclusive.exit_code)
        return replace(case, message=step.message or (NOT_NEEDED if done else NOT_REACHED))
    if step.name == BAKE and _ended_by_checks(record, step):
        failed = next((check.name for check in record.checks if check.required and check.verdict == FAIL), "")
        message = f"{ENDED_EARLY}: " + (f"check {failed} failed" if failed else "the checks are inconclusive")
        return replace(case, outcome=PASSED, message=message, evidence=())
    if step.outcome == ERROR and record.outcome == INTERRUPTED and not step.evidence:
        case = replace(case, evidence=what_was_done(record))
    if step.outcome in (FAILED, ERROR) and not step.message:
        return replace(case, message=step.outcome)
    return case


def _ended_by_checks(record: StageRecord, bake: StepRecord) -> bool:
    verdicts = {check.verdict for check in record.checks if check.required}
    if bake.outcome == FAILED:
        return FAIL in verdicts
    return bake.outcome == ERROR and record.exit_code == Inconclusive.exit_code


def _check_case(record: StageRecord, check: CheckRecord) -> Case:
    numbers = check_numbers(check)
    case = Case(f"check: {check.name}", PASSED, check.seconds, check.message, (), (numbers, *check.details))
    if check.verdict == FAIL and check.required:
        evidence = tuple(dict.fromkeys((numbers, *check.details, *_evidence_of_checks(record))))
        message = check.message or f"{check.failures} of {check.samples} samples failed"
        return replace(case, outcome=FAILED, message=message, evidence=evidence, output=())
    if check.verdict == FAIL:
        return replace(case, message=f"failed, but informative: {check.message}".rstrip(": "))
    if check.verdict == INCONCLUSIVE:
        message = check.message.removeprefix(INCONCLUSIVE).lstrip(": ")
        return replace(case, outcome=SKIPPED, message=f"{INCONCLUSIVE}: {message}".rstrip(": "))
    if check.verdict != PASS:
        output = (numbers,) if check.samples else ()
        return replace(case, outcome=SKIPPED, message=unjudged(check.samples), output=output)
    return case


def check_numbers(check: CheckRecord) -> str:
    """What a check went by, in words."""
    parts = [f"{check.samples} samples", f"{check.failures} failed"]
    parts += [f"value {measured(check.value, check.unit)}"] if check.value is not None else []
    parts += [f"limit {measured(check.limit, check.unit)}"] if check.limit is not None else []
    return ", ".join(parts)


def _evidence_of_checks(record: StageRecord) -> tuple[str, ...]:
    """The stage's evidence, when no step ended it: then a check did."""
    ended = culprit(record)
    return record.evidence if ended is None or ended.name == BAKE else ()
