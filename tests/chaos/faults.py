"""The faults: one at one call (`Once`), a passing one at every call (`Storm`), a death at a certain write (`Death`)."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.chaos.error_answers import THROTTLES, WANTED
from tests.chaos.proxy import Act, Call, Exchange
from tests.fakes.state import WRITES

KILLED_BEFORE, KILLED_AFTER, LOST = "killed before", "killed after", "answer lost"
RESET, SILENT = "connection reset", "no answer"
SERVER_ERRORS = {"500": "InternalFailure", "503": "ServiceUnavailable"}
DEATHS = (KILLED_BEFORE, KILLED_AFTER)
REFUSALS = (*THROTTLES, *SERVER_ERRORS, RESET)
"""AWS did nothing, and the next attempt may pass."""
AT_EVERY_CALL = (*REFUSALS, LOST)
"""Kinds of which each meets every call of one run, too."""
KINDS = (*DEATHS, LOST, *REFUSALS, SILENT)

THROTTLED_ATTEMPTS = 3
SILENT_SECONDS = 22.0
"""Longer than the read timeout of the package."""


def act_of(kind: str, microburst: str) -> Act:
    """What happens at a call that gets this fault; `microburst` is the endpoint that makes AWS' error answers."""
    code = SERVER_ERRORS.get(kind, kind)
    plain = {
        KILLED_BEFORE: Exchange.kill_caller,
        KILLED_AFTER: _killed_after,
        LOST: _lost,
        RESET: Exchange.reset,
        SILENT: _silent,
    }
    return plain.get(kind) or (
        lambda exchange: exchange.answer(exchange.forwarded(microburst, **{WANTED: f"[{code}]"}))
    )


def _killed_after(exchange: Exchange) -> None:
    exchange.forwarded()
    exchange.kill_caller()


def _lost(exchange: Exchange) -> None:
    exchange.forwarded()
    exchange.reset()


def _silent(exchange: Exchange) -> None:
    time.sleep(SILENT_SECONDS)
    exchange.close()


@dataclass
class Once:
    """One fault at one call; a throttle for several attempts."""

    kind: str
    at: Call
    microburst: str

    def __call__(self, call: Call) -> Act | None:
        """Whether this is the call, or one more attempt at it."""
        times = THROTTLED_ATTEMPTS if self.kind in THROTTLES else 1
        due = call.operation == self.at.operation and 0 <= call.number - self.at.number < times
        return act_of(self.kind, self.microburst) if due else None


ASKED_IN_A_POLL = 4
"""The most operations that one round of a poll calls."""


def polls(operation: str, before: Sequence[str]) -> bool:
    """Whether a call only looks again at what was looked at a moment ago, and nothing was written since."""
    recent = itertools.takewhile(lambda name: name not in WRITES, reversed(before[-ASKED_IN_A_POLL:]))
    return operation not in WRITES and operation in recent


@dataclass
class Storm:
    """Every call but polls is disturbed, each by the next of the `kinds`, until its next attempt succeeds.

    `met` are those calls, each by its first attempt. `throttled`: how many attempts a throttle meets, others meet one.
    """

    microburst: str
    kinds: tuple[str, ...] = (LOST, *REFUSALS)
    throttled: int = 1
    met: list[Call] = field(default_factory=list)
    _next: Iterator[str] = field(init=False)
    _meets: dict[str, list[str]] = field(default_factory=dict)
    _before: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._next = itertools.cycle(self.kinds)

    def __call__(self, call: Call) -> Act | None:
        """The attempts at a disturbed call, and then one that passes."""
        operation = call.operation
        if operation not in self._meets:
            polling = polls(operation, self._before)
            self._before.append(operation)
            if polling:
                return None
            kind = next(self._next)
            self.met.append(call)
            self._meets[operation] = [kind] * (self.throttled if kind in THROTTLES else 1)
        if self._meets[operation]:
            return act_of(self._meets[operation].pop(), self.microburst)
        del self._meets[operation]
        return None


@dataclass
class Death:
    """SIGKILL at the how-manieth write of a run."""

    kind: str
    write: int
    seen: int = 0

    def __call__(self, call: Call) -> Act | None:
        """Whether this is the write."""
        self.seen += call.operation in WRITES
        due = call.operation in WRITES and self.seen == self.write
        return act_of(self.kind, "") if due else None


@dataclass
class Gate:
    """Holds one call until it is opened: before it is passed on, or `after` AWS did it."""

    at: Call
    after: bool = False
    _held: threading.Event = field(default_factory=threading.Event)
    _opened: threading.Event = field(default_factory=threading.Event)

    def __call__(self, call: Call) -> Act | None:
        """Whether this is the call."""
        return self._hold if call == self.at else None

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.at}"

    def wait(self) -> None:
        """Wait until the call is there."""
        assert self._held.wait(90), f"there was no {self.at}"

    def open(self) -> None:
        """Let it go on."""
        self._opened.set()

    def _hold(self, exchange: Exchange) -> None:
        answer = exchange.forwarded() if self.after else None
        self._held.set()
        assert self._opened.wait(120)
        exchange.answer(answer or exchange.forwarded())


def before(operation: str, number: int = 1) -> Gate:
    """Holds a call before AWS gets it."""
    return Gate(Call(operation, number))


def after(operation: str, number: int = 1) -> Gate:
    """Holds a call's answer."""
    return Gate(Call(operation, number), after=True)
