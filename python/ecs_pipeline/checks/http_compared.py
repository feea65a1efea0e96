"""The kind `http` with `compare`: canary and others are asked in the same moment, in random order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from ecs_pipeline.checks.addresses import url_of
from ecs_pipeline.checks.comparisons.moment import Moment
from ecs_pipeline.checks.http import Asked, Requests, request_of, wrong
from ecs_pipeline.checks.judges.against_others import AgainstOthers
from ecs_pipeline.checks.judges.compared import Compared
from ecs_pipeline.checks.sample import MISSING, UNCLEAR, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.checks import CheckSettings, HttpCheck
from ecs_pipeline.errors import PipelineError
from ecs_pipeline.model.release import CANARY, Task

MOST_ASKED = 6
"""Tasks of each side that are asked in one moment; of more, others each time."""


class HttpCompared(AgainstOthers):
    """Latencies of right answers, and how many are none or wrong."""

    def __init__(self, settings: CheckSettings, subject: Subject, requests: Requests) -> None:
        assert settings.http  # noqa: S101 - the kinds choose by it
        self._compared = Compared(settings)
        super().__init__(self._compared)
        self._settings: HttpCheck = settings.http
        self._group = str(self._settings.compare)
        self._subject = subject
        self._requests = requests
        self._random = Random()  # noqa: S311 - no secret
        self._asked: list[tuple[str, Task, Asked]] = []
        self._trouble: Sample | None = None
        self._at = 0.0
        self._wrong: Counter[str] = Counter()

    def begin(self) -> None:
        """Ask all at once."""
        self._trouble, self._asked = None, []
        self._at = (self._subject.run.aws_time() - self._subject.since).total_seconds()
        try:
            others = self._some(self._subject.compared_with(self._group))
            if not others:
                self._trouble = Sample(UNCLEAR, self._no_others)
                return
            asked = [(CANARY, task) for task in self._some(self._subject.canary)]
            asked += [(self._group, task) for task in others]
            requests = {
                task.arn: request_of(self._settings, url_of(self._subject, task, self._settings)) for _, task in asked
            }
        except PipelineError as error:
            self._trouble = Sample(MISSING, error.message)
            return
        self._random.shuffle(asked)
        now = self._subject.run.clock.now()
        self._asked = [(group, task, self._requests.send(requests[task.arn], now)) for group, task in asked]

    def collect(self) -> Sequence[Sample] | None:
        """One sample of all answers of the moment."""
        if self._trouble:
            return [self._trouble]
        now = self._subject.run.clock.now()
        answers = [(group, task, request.answer(now)) for group, task, request in self._asked]
        answered = [(group, task, answer) for group, task, answer in answers if answer is not None]
        if len(answered) < len(answers):
            return None
        self._asked = []
        living = {task.arn for task in self._subject.tasks(self._group)}
        times: dict[str, dict[str, list[float]]] = {CANARY: {}, self._group: {}}
        errors: dict[str, dict[str, int]] = {CANARY: {}, self._group: {}}
        for group, task, answer in sorted(answered, key=lambda given: given[1].id):
            why = wrong(self._settings, answer)
            if group != CANARY and not answer.status and task.arn not in living:
                continue  # it was stopped while it was asked: scaling is no error
            errors[group][task.id] = int(bool(why))
            times[group][task.id] = [] if why else [1000 * answer.seconds]
            if group == CANARY and why:
                self._wrong[why] += 1
        sample = self._compared.add(
            Moment(self._at, times[CANARY], times[self._group], errors[CANARY], errors[self._group])
        )
        return [sample]

    def details(self) -> Sequence[str]:
        """What was wrong with the canary's answers."""
        return [f"{count} of the canary's answers: {why}" for why, count in self._wrong.most_common(3)]

    def close(self) -> None:
        """Answers that are still awaited are of no interest any more."""
        self._asked = []

    def _some(self, tasks: Sequence[Task]) -> list[Task]:
        return self._random.sample(tasks, MOST_ASKED) if len(tasks) > MOST_ASKED else list(tasks)
