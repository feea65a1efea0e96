"""The kind `http`: a request to every canary task at its own address, or one through the load balancer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.pool import AsyncResult, ThreadPool

from ecs_pipeline.checks.addresses import url_of
from ecs_pipeline.checks.judges.judged import Judged
from ecs_pipeline.checks.judges.limits import AnswersLimit
from ecs_pipeline.checks.probe import Answer, Request, probe
from ecs_pipeline.checks.sample import MISSING, Sample, Shown
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.checks import HttpCheck
from ecs_pipeline.errors import PipelineError

MOST_AT_ONCE = 12
"""Requests under way at the same time, of all checks together: a comparison asks up to six tasks of each side."""
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


class Http(Judged):
    """Status, body and latency of answers; no answer fails."""

    def __init__(self, settings: HttpCheck, subject: Subject, requests: Requests) -> None:
        limits = {part: 1000 * seconds for part, seconds in settings.percentiles.items()}
        self._held_to = AnswersLimit(limits, settings.confidence, " or ".join(settings.status))
        super().__init__(self._held_to)
        self._settings = settings
        self._subject = subject
        self._requests = requests
        self._asked: list[Asked] = []
        self._trouble = ""

    def begin(self) -> None:
        """Send the requests of one sample."""
        self._trouble, urls = "", []
        try:
            urls = self._urls()
        except PipelineError as error:
            self._trouble = error.message
        requests = [request_of(self._settings, url) for url in urls]
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
        problems = [(request, wrong(self._settings, answer)) for request, answer in answers]
        first = next((f"{why} ({request.url})" for request, why in problems if why), "")
        statuses = " ".join(str(answer.status or "no answer") for _, answer in answers)
        times = [1000 * answer.seconds for _, answer in answers if answer.status]
        sample = self._held_to.add(times, first, statuses)
        right = [
            None if why else round(1000 * answer.seconds, 3)
            for (_, answer), (_, why) in zip(answers, problems, strict=True)
        ]
        return [replace(sample, shown=Shown(canary=right))]

    def details(self) -> Sequence[str]:
        """How long the answers took."""
        return self._held_to.details()

    def close(self) -> None:
        """Answers that are still awaited are of no interest any more."""
        self._asked = []

    def _urls(self) -> list[str]:
        if self._settings.url:
            return [self._settings.url.rstrip("/") + self._settings.path]
        return [url_of(self._subject, task, self._settings) for task in self._subject.canary]


def request_of(settings: HttpCheck, url: str) -> Request:
    """What is asked of a URL; the certificate of a task is not verified: it is not of the address it is asked by."""
    headers = {key: value or "" for key, value in settings.headers.items()}
    return Request(url, headers, settings.timeout, settings.via != "canary")


def wrong(settings: HttpCheck, answer: Answer) -> str:
    """What is wrong with an answer, but for its latency; '' for nothing."""
    if not answer.status:
        return answer.trouble
    if not any(status in (str(answer.status), f"{answer.status // 100}xx") for status in settings.status):
        return f"status {answer.status} instead of {' or '.join(settings.status)}"
    if settings.body is not None and settings.body not in answer.body:
        return f"the body has no {settings.body[:60]!r}: {' '.join(answer.body.split())[:80]!r}"
    return ""
