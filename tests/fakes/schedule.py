"""Who goes next: several stages side by side, one call at a time, killed or held where a test says.

Each stage runs in a thread of its own, but only one at a time: it hands the turn on before every call and while it
sleeps. So a run is told by its choices alone, and the same choices give the same run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Killed(BaseException):
    """SIGKILL: nothing of the stage runs any more."""


def _shut() -> threading.Lock:
    """A door that one thread waits at and another opens; a semaphore would do, more slowly."""
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass
class Agent:
    """One process: what it runs, where it stands."""

    name: str
    body: Callable[[], Any]
    result: Any = None
    error: BaseException | None = None
    over: bool = False
    wakes: float = 0.0
    calls: int = 0
    waiting: threading.Lock = field(default_factory=_shut)


class Schedule:
    """Runs agents in an order that `choose` decides, until all are over."""

    def __init__(self, choose: Callable[[list[Agent]], Agent] | None = None) -> None:
        self.now = 1_800_000_000.0
        self._choose = choose or (lambda ready: ready[0])
        self._agents: list[Agent] = []
        self._current: Agent | None = None
        self._back = _shut()
        self._stop = False

    def __deepcopy__(self, _memo: dict[int, Any]) -> Schedule:
        copied = Schedule()
        copied.now = self.now
        return copied

    @property
    def current(self) -> Agent | None:
        """The agent that runs now; None outside `run`."""
        return self._current

    def run(self, *agents: Agent) -> None:
        """Run the agents to their ends."""
        self._agents = list(agents)
        for agent in agents:
            threading.Thread(target=self._thread, args=(agent,), daemon=True).start()
        while alive := [agent for agent in self._agents if not agent.over]:
            ready = [task for task in alive if task.wakes <= self.now]
            if not ready:
                self.now = min(task.wakes for task in alive)
                continue
            self._current = self._choose(ready)
            self._current.waiting.release()
            self._back.acquire()
        self._current = None

    def pause(self) -> None:
        """A place where another may go first: before each call."""
        if self._current is not None:
            self._hand_over(self._current)

    def sleep(self, seconds: float) -> None:
        """Let time pass for the one that runs."""
        agent = self._current
        if agent is None:
            self.now += seconds
            return
        agent.wakes = self.now + seconds
        self._hand_over(agent)

    def _hand_over(self, agent: Agent) -> None:
        self._back.release()
        agent.waiting.acquire()

    def _thread(self, agent: Agent) -> None:
        agent.waiting.acquire()
        try:
            agent.result = agent.body()
        except BaseException as error:
            agent.error = error
        agent.over = True
        self._back.release()
