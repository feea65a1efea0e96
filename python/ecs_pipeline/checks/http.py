"""The kind `http`: a request to every canary task at its own address, or one through the load balancer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.pool import AsyncResult, ThreadPool

from ecs_pipeline.check_settings import HttpCheck
from ecs_pipeline.checks.probe import Answer, Request, probe
from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, Conclusion, Sample
from ecs_pipeline.checks.statistics import percentile
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.errors import Trouble
from ecs_pipeline.load_balancing import LoadBalancing, Target
from ecs_pipeline.model import FAIL, Service, TaskDefinition

MOST_AT_ONCE = 8
"""Requests under way at the same time, of all checks together."""
GRACE = 1.0
"""Seconds that an answer may be later than its time-out before it is not waited for any more."""


@dataclass(frozen=True)
class Asked:
    """A request under way; after `late` (of the run's clock) nobody waits for its answer."""

    request: Request
    result: AsyncResult[Answer]
    late: float

    def answer(self, now: float) -> Answer | None:
        """What came of it; None while it is waited for. The looking-up of a name cannot be cut short: its time can."""
        if self.result.ready():
            return self.result.get()
        timeout = self.request.timeout
        return Answer(0, timeout, trouble=f"no answer within {timeout:g}s") if now > self.late else None


class Requests:
    """A few daemon threads for the requests of all checks, started with the first one.

    multiprocessing's ThreadPool, for its threads do not keep a process alive that was told to end.
    """

    def __init__(self) -> None:
        self._pool: ThreadPool | None = None
        self._waiting: list[Asked] = []

    def send(self, request: Request, now: float) -> Asked:
        """Ask; the answer comes later, after those that were asked before."""
        if self._pool is None:
            self._pool = ThreadPool(MOST_AT_ONCE)
        self._waiting = [asked for asked in self._waiting if not asked.result.ready()]
        before = sum(asked.request.timeout + GRACE for asked in self._waiting) / MOST_AT_ONCE
        asked = Asked(request, self._pool.apply_async(probe, (request,)), now + before + request.timeout + GRACE)
        self._waiting.append(asked)
        return asked

    def close(self) -> None:
        """Let the threads end, without waiting for answers."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None


class Http:
    """Status, body and latency of answers; no answer fails."""

    def __init__(self, settings: HttpCheck, subject: Subject, requests: Requests) -> None:
        self._settings = settings
        self._subject = subject
        self._requests = requests
        self._asked: list[Asked] = []
        self._trouble = ""
        self._seconds: list[float] = []
        self.value: str | float | None = None
        self._worst = min(settings.percentiles, key=lambda part: settings.percentiles[part], default=0)
        self.unit = "ms" if settings.percentiles else ""
        self.limit: str | float | None = self._limit

    def begin(self) -> None:
        """Send the requests of one sample."""
        self._trouble = ""
        try:
            urls = [self._settings.url.rstrip("/") + self._settings.path] if self._settings.url else self._addresses()
        except Trouble as error:
            self._trouble, urls = error.message, []
        headers = {key: value or "" for key, value in self._settings.headers.items()}
        verified = self._settings.via != "canary"
        requests = [Request(url, headers, self._settings.timeout, verified) for url in urls]
        now = self._subject.run.clock.now()
        self._asked = [self._requests.send(request, now) for request in requests]

    def collect(self) -> Sequence[Sample] | None:
        """One sample of all answers: it fails with the worst of them."""
        now = self._subject.run.clock.now()
        found = [(asked.request, asked.answer(now)) for asked in self._asked]
        answers = [(request, answer) for request, answer in found if answer is not None]
        if len(answers) < len(found):
            return None
        self._asked = []
        if self._trouble or not answers:
            return [Sample(MISSING, self._trouble or "no canary task")]
        wrong = [f"{why} ({request.url})" for request, answer in answers if (why := self._wrong(answer))]
        answered = [answer.seconds for _, answer in answers if answer.status]
        self._seconds += answered
        if not self._settings.percentiles:
            self.value = " ".join(str(answer.status or "no answer") for _, answer in answers)
        if wrong:
            return [Sample(BAD, wrong[0])]
        slow = self._over()
        if slow and max(answered) > min(self._settings.percentiles.values()):
            return [Sample(BAD, slow)]
        return [Sample(GOOD, f"{answers[0][1].status} in {latency(max(answered))}")]

    def conclude(self) -> Conclusion | None:
        """The percentiles cover all requests of the bake: over the limit at its end, the check has failed."""
        slow = self._over()
        return Conclusion(FAIL, slow) if slow else None

    def summary(self) -> str:
        """The percentile that is nearest to its limit, or beyond; without one, the status."""
        if not self._seconds:
            return ""
        if not self._settings.percentiles:
            return f"status {self.value}, p95 {latency(percentile(self._seconds, 95))}"
        worst = f"p{self._worst} {latency(percentile(self._seconds, self._worst))}"
        return f"{worst}, limit {latency(self._settings.percentiles[self._worst])}"

    def details(self) -> Sequence[str]:
        """How long the answers took."""
        if not self._seconds:
            return []
        chosen = sorted({50, 95, *self._settings.percentiles})
        spread = [f"p{part} {latency(percentile(self._seconds, part))}" for part in chosen]
        return [f"{len(self._seconds)} answers: {', '.join(spread)}, slowest {latency(max(self._seconds))}"]

    def close(self) -> None:
        """Answers that are still awaited are of no interest any more."""
        self._asked = []

    def _wrong(self, answer: Answer) -> str:
        """What is wrong with an answer, but for its latency."""
        if not answer.status:
            return answer.trouble
        expected = self._settings.status
        if not any(one in (str(answer.status), f"{answer.status // 100}xx") for one in expected):
            return f"status {answer.status} instead of {' or '.join(expected)}"
        if self._settings.body is not None and self._settings.body not in answer.body:
            return f"the body has no {self._settings.body[:60]!r}: {' '.join(answer.body.split())[:80]!r}"
        return ""

    def _over(self) -> str:
        """The percentile that is furthest over its limit; '' when none is."""
        if not self._seconds or not self._settings.percentiles:
            return ""
        found = {part: percentile(self._seconds, part) for part in self._settings.percentiles}
        worst = max(found, key=lambda part: found[part] / max(self._settings.percentiles[part], math.ulp(1)))
        value, limit, self._worst = found[worst], self._settings.percentiles[worst], worst
        self.value, self.limit = round(1000 * value, 1), self._limit
        if value <= limit:
            return ""
        taken = f"of {len(self._seconds)} answers" if len(self._seconds) > 1 else "of the one answer"
        return f"p{worst} {taken} is {latency(value)}, more than {latency(limit)}"

    @property
    def _limit(self) -> str | float:
        """Of the percentile that matters most by now, in milliseconds; else the status that is expected."""
        limits = self._settings.percentiles
        return round(1000 * limits[self._worst], 1) if limits else " or ".join(self._settings.status)

    def _addresses(self) -> list[str]:
        """The URL of each canary task: its own address, and the port that its target has."""
        subject, found = self._subject, []
        chosen = _target_of(subject.service, subject.container)
        group = subject.run.elb.target_group(chosen.target_group) if chosen else None
        scheme = "https" if group and group.protocol == "HTTPS" else "http"
        ip_type = group.ip_type if group else ""
        port = port_of(self._settings, subject.service, subject.revision, subject.container)
        for task in subject.canary:
            address = (task.address_in(ip_type) if ip_type else "") or task.any_address
            if not address or not port:
                what = "port" if address else "address of its own"
                self._trouble = f"task {task.id} has no {what}; use `via: load-balancer`"
                return []
            found.append(f"{scheme}://{Target('', address, port)}{self._settings.path or '/'}")
        return found


def latency(seconds: float) -> str:
    """Seconds as latencies are written: 15 ms, 1.25 s."""
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.3g} s"


def port_of(settings: HttpCheck, service: Service, revision: TaskDefinition, container: str) -> int:
    """The port that is asked at a task's own address: the check's, the target's, the container's first, else 0."""
    chosen = _target_of(service, container)
    given = settings.port or (chosen.port if chosen else 0)
    mappings = (revision.container(container) or {}).get("portMappings", [])
    return given or next((int(each["containerPort"]) for each in mappings if "containerPort" in each), 0)


def _target_of(service: Service, container: str) -> LoadBalancing | None:
    """The load balancer's entry of the container, else its first."""
    entries = service.load_balancing
    return next((entry for entry in entries if entry.container == container), next(iter(entries), None))
