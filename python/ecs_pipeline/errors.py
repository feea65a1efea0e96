"""What can go wrong, and the exit code each kind ends a stage with.

    PipelineError
    ├── ReleaseFailed       1   the release is bad; the service is (being) put back
    │   └── NotPlaced       1   AWS found no place for a task
    ├── InvalidInput        2   usage, config, no such cluster, service or image; nothing was touched
    │   └── NoService       2   the cluster has no such service, or no more
    ├── Refused             3   somebody else's turn, nothing to promote, an unsupported service
    │   ├── Held            3   another release's canary has the service; `holder` says which
    │   ├── Cancelled       3   a rollback took the release away while this stage ran
    │   └── MarksVanished   3   our tags on the service were taken away under our hands
    ├── Trouble             4   AWS, Docker or permissions, after the retries; the same command resumes
    │   ├── AnswerLost      4   a call may or may not have been carried out: look before doing it again
    │   ├── TooManyTags      4   a resource has as many tags as AWS allows: a person removes one
    │   ├── TokenTaken      4   RunTask's token is in use, and AWS does not say by which task: look
    │   ├── TakenAway       4   AWS stopped a task of ours for reasons of its own: another is run
    │   └── NotReplaced     4   … and none came up in its place in time
    ├── HookFailed          4   a hook after a promotion or a rollback failed; what it came after stands
    ├── Inconclusive        5   the checks could not tell; a person decides
    └── Interrupted   130/143   SIGINT, SIGTERM; the same command resumes

The text of an error is one line: what failed and why, with the place; `cure` is what to do about it;
`evidence` are the lines that help to understand it (stopped reasons, events, log lines). Others wrote much of it (AWS,
a registry, the canary), so all of it is made harmless: one plain line each, and no secrets in the URLs of a message.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ecs_pipeline import text


class PipelineError(Exception):
    """Base of all that a user is told about without a traceback."""

    exit_code = 4
    outcome = "error"

    def __init__(self, message: str, *, cure: str = "", evidence: Sequence[str] = ()) -> None:
        super().__init__(text.message(message))
        self.message = message
        self.cure = cure
        self.evidence = tuple(evidence)

    @property
    def message(self) -> str:
        """What failed and why."""
        return self._message

    @message.setter
    def message(self, value: str) -> None:
        self._message = text.message(value)

    @property
    def cure(self) -> str:
        """What to do about it."""
        return self._cure

    @cure.setter
    def cure(self, value: str) -> None:
        self._cure = text.message(value)

    @property
    def evidence(self) -> tuple[str, ...]:
        """The lines that help to understand it."""
        return self._evidence

    @evidence.setter
    def evidence(self, lines: Sequence[str]) -> None:
        self._evidence = tuple(part for line in lines for part in text.plain_lines(line) or [""])

    def __str__(self) -> str:
        return f"{self.message}; {self.cure}" if self.cure else self.message


class ReleaseFailed(PipelineError):
    """The release is unhealthy, failed a check or did not roll out."""

    exit_code = 1
    outcome = "failed"


class CommandFailed(PipelineError):
    """A one-off command ended with an exit code of its own, which becomes the stage's."""

    outcome = "failed"

    def __init__(self, message: str, code: int, *, cure: str = "") -> None:
        super().__init__(message, cure=cure)
        self.exit_code = code


class NotPlaced(ReleaseFailed):
    """RunTask answered with failures[]: AWS found no place for the task; `reasons` are AWS' own words."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = tuple(reasons)


class InvalidInput(PipelineError):
    """Bad usage or config, or something named there does not exist. Nothing was touched."""

    exit_code = 2
    outcome = "refused"


class NoService(InvalidInput):
    """The cluster has no such service, or no more."""


class Refused(PipelineError):
    """The service's state does not allow this stage now."""

    exit_code = 3
    outcome = "refused"


@dataclass(frozen=True)
class Holder:
    """The release whose canary has the service: its id, its canary's task, its build ('' when unknown), its start."""

    release: str
    task: str
    build: str
    since: datetime


class Held(Refused):
    """The canary of another release has the service."""

    def __init__(self, message: str, holder: Holder, *, cure: str = "") -> None:
        super().__init__(message, cure=cure)
        self.holder = holder


class Cancelled(Refused):
    """A rollback fenced the release of this process off; what the process made was undone."""


class MarksVanished(Refused):
    """The tags that hold the release's state were removed by somebody else."""


class Trouble(PipelineError):
    """AWS, Docker or permission trouble that retries did not overcome."""


class AnswerLost(Trouble):
    """A write was sent and no answer came: it may have been carried out."""


class TooManyTags(Trouble):
    """A resource has so many tags that AWS takes no new key; one that is there may be overwritten."""


class TokenTaken(Trouble):
    """RunTask's clientToken is in use for another request, and AWS names no task of it."""


class TakenAway(Trouble):
    """AWS stopped a task for reasons of its own (Spot, infrastructure, a throttle); `task` is its ARN."""

    def __init__(self, task: str, message: str) -> None:
        super().__init__(message, cure="the same command resumes")
        self.task = task


class NotReplaced(Trouble):
    """AWS took a task away, and no other one came up in its place within its time."""

    def __init__(self, message: str, *, evidence: Sequence[str] = ()) -> None:
        super().__init__(message, cure="the same command resumes", evidence=evidence)


class HookFailed(PipelineError):
    """A hook after a promotion or a rollback failed: what it came after stands, and the same command runs it again."""


class Inconclusive(PipelineError):
    """The checks of the canary had too little to go by."""

    exit_code = 5
    outcome = "inconclusive"


class Interrupted(PipelineError):
    """SIGINT or SIGTERM: the stage stops at the next safe point and leaves things as they are: `left`."""

    outcome = "interrupted"
    left = ""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__(f"interrupted by {signal.Signals(number).name}", cure="the same command resumes")
