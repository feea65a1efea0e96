"""What a comparison says: the verdict's reason, the evidence, how much longer a bake would tell."""

from __future__ import annotations

from ecs_pipeline.checks.comparisons.decision import Decision
from ecs_pipeline.checks.comparisons.rules import Rules
from ecs_pipeline.model.release import FAIL, PASS

MINUTE, HOUR = 60.0, 3600.0


def percent(part: float) -> str:
    """A part of a whole: 12 %, 0.4 %."""
    shown = 100 * abs(part)
    return f"{shown:.0f} %" if shown >= 9.95 or shown < 0.05 else f"{shown:.1f}".removesuffix(".0") + " %"


def against(evidence: float, rules: Rules) -> str:
    """The evidence in words and one number."""
    shown = f"{evidence:.1f}" if evidence < 1000 else "more than 1000"
    return f"evidence against it {shown} of {rules.line:.0f}"


def others(name: str, count: int) -> str:
    """Who the canary is compared with: the 3 stable tasks, the baseline."""
    if name != "stable":
        return f"the {name}"
    return "the stable task" if count == 1 else f"the {count} stable tasks"


def reason(decision: Decision, differs: str, differ: str, rules: Rules, seconds: float) -> str:
    """Why the verdict is what it is.

    `differs` says how the canary differs, `differ` how the others do among themselves ('' for unknown); `seconds` is
    how long they were watched.
    """
    parts = [differs, against(decision.evidence, rules)]
    if decision.verdict == FAIL:
        parts.append(f"worse by more than {percent(rules.tolerance)} is shown")
    elif decision.verdict == PASS:
        parts.append(f"worse by more than {percent(rules.tolerance + rules.detect)} is ruled out")
    elif decision.within:
        parts.append(f"no failure, for {differ}")
    else:
        parts.append(_cannot_tell(rules))
    if differ and not decision.within:
        parts.append(differ)
    if decision.longer:
        parts.append(f"about {longer(seconds * (decision.longer - 1))} at this rate would tell")
    return "; ".join(part for part in parts if part)


def longer(seconds: float) -> str:
    """A time to come, roughly: 40 more seconds, 12 more minutes, 3 more hours."""
    for unit, name in ((HOUR, "hours"), (MINUTE, "minutes"), (1.0, "seconds")):
        if seconds >= 1.5 * unit:
            return f"{seconds / unit:.0f} more {name}"
    return "1 more second"


def more_or_less(part: float) -> str:
    """More or less than the others."""
    return f"{percent(part)} {'more' if part > 0 else 'less'}" if percent(part) != "0 %" else "the same"


def _cannot_tell(rules: Rules) -> str:
    return (
        f"neither worse by more than {percent(rules.tolerance)} is shown "
        f"nor worse by more than {percent(rules.tolerance + rules.detect)} ruled out"
    )
