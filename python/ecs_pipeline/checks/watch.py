"""All checks of a canary side by side, in one loop: begin what is due, collect what is there, count, tell changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.recorded_bakes import rules_of, unit_of
from ecs_pipeline.checks.sample import BAD, GOOD, Check, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.checks.verdict import Tally
from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.engine import evidence
from ecs_pipeline.engine.check_series import Point
from ecs_pipeline.engine.record import CheckRecord
from ecs_pipeline.errors import ReleaseFailed
from ecs_pipeline.model.release import FAIL, INCONCLUSIVE, PASS

POLL = 0.1
"""Seconds between two looks at answers and programs that are awaited."""
SHORTEST = 0.001
"""Seconds: a pause of less would not let time pass on every clock."""


class CheckFailed(ReleaseFailed):
    """A required check of the canary failed: the one of that name."""

    def __init__(self, name: str, why: str, evidence: Sequence[str]) -> None:
        super().__init__(f"check {name}: {why}", evidence=evidence)
        self.name = name


@dataclass
class Watched:
    """One check with its account and its place in the record; `due` is when its next sample begins."""

    settings: CheckSettings
    check: Check
    record: CheckRecord
    tally: Tally
    due: float
    begun: bool = False
    attempts: int = 0
    said: str = field(default=GOOD)
    warned: bool = False
    most: float = math.inf

    @property
    def over(self) -> bool:
        """It has failed, or has all the samples that are asked of it: nothing that comes changes that."""
        return bool(self.record.verdict) or max(self.attempts, self.tally.samples) >= self.most


class Watch:
    """Takes samples from its start on; in `judge`, of each check only as many as a verdict takes."""

    def __init__(self, subject: Subject, settings: Sequence[CheckSettings], kinds: Kinds) -> None:
        self._subject = subject
        self._run = subject.run
        self._kinds = kinds
        self._settings = settings
        self._started: datetime = subject.since
        self.checks: list[Watched] = []

    def start(self) -> None:
        """From now on samples are due: the first at once, unless the check has a delay of its own."""
        now, self._started = self._run.clock.now(), self._run.clock.wall()
        alone = self._subject.judged_alone
        if not alone:
            self._subject.since = self._run.aws_time()
        records = records_for(self._settings)
        self._run.recorder.record.checks = records
        for settings, record in zip(self._settings, records, strict=True):
            record.started = self._started
            check = self._kinds.make(settings, self._subject)
            record.limit, record.unit = check.limit, check.unit
            record.rules, record.series.unit = rules_of(settings), unit_of(settings)
            record.series.counts = settings.logs is not None
            if settings.compared:
                self._tell_passed_over(settings)
                record.line = settings.compared.line
            self.checks.append(Watched(settings, check, record, Tally(settings), now))
            if alone:
                self.checks[-1].most = settings.asked_alone
            else:
                self.checks[-1].due += settings.initial_delay

    def _tell_passed_over(self, settings: CheckSettings) -> None:
        """Keys that a comparison has no use for are said, once."""
        notes = self._run.recorder.record.notes
        told = f"check {settings.title}: {settings.passed_over} do not apply to a comparison: its confidence decides"
        if settings.passed_over and told not in notes:
            notes.append(told)
            self._run.recorder.progress(told)

    @property
    def busy(self) -> bool:
        """Samples are under way."""
        return any(watched.begun for watched in self.checks)

    @property
    def done(self) -> bool:
        """No check wants another sample."""
        return not self.busy and all(watched.over for watched in self.checks)

    def pause(self, most: float, end: float = math.inf) -> float:
        """Seconds until there is something to do here before `end`, no more than `most`."""
        now = self._run.clock.now()
        waited = [
            watched.due - now
            for watched in self.checks
            if not watched.over and not watched.begun and watched.due <= end
        ]
        return max(min([most, *waited, *([POLL] if self.busy else [])]), SHORTEST)

    def poll(self, end: float = math.inf) -> None:
        """Begin what is due, until `end`; collect what is there. Raises CheckFailed for a required check at once."""
        now = self._run.clock.now()
        due = [
            watched
            for watched in self.checks
            if not watched.over and not watched.begun and watched.due <= min(now, end) + 1e-6
        ]
        for watched in due:
            watched.begun = True
            watched.attempts += 1
            late = max(now - watched.due, 0.0)
            watched.due += watched.settings.pace * (1 + late // watched.settings.pace)
            watched.check.begin()
        for watched in [watched for watched in self.checks if watched.begun]:
            self._collect(watched)
        for watched in self.checks:
            if watched.record.verdict == FAIL and watched.settings.required:
                raise self._failed(watched)

    def conclude(self) -> None:
        """The time is over: a verdict for each check. Raises CheckFailed when a required one failed."""
        for watched in self.checks:
            if not watched.record.verdict:
                self._judge(watched)
        for watched in self.checks:
            if watched.record.verdict == FAIL and watched.settings.required:
                raise self._failed(watched)

    def close(self) -> None:
        """End what is under way."""
        for watched in self.checks:
            watched.check.close()
        self._kinds.close()

    def _collect(self, watched: Watched) -> None:
        samples = watched.check.collect()
        if samples is None:
            return
        watched.begun = False
        for sample in samples:
            watched.tally.add(sample)
            self._keep(watched, sample)
            self._tell(watched, sample)
        self._note(watched)
        if watched.tally.failed or watched.check.decided():
            self._judge(watched)

    def _keep(self, watched: Watched, sample: Sample) -> None:
        """Keep the numbers of a sample."""
        shown, passed = sample.shown, (self._run.clock.wall() - self._started).total_seconds()
        at = passed if shown.at is None else shown.at
        watched.record.series.add(Point(at, sample.outcome, shown.canary, shown.others, shown.evidence))

    def _tell(self, watched: Watched, sample: Sample) -> None:
        """Say a sample when it is of another kind than the one before, and evidence once it is half of what fails."""
        if not watched.warned and watched.record.line and (sample.shown.evidence or 0.0) >= watched.record.line / 2:
            watched.warned = True
            self._run.recorder.progress(f"check {watched.record.name}: {sample.message}")
        if sample.outcome == watched.said:
            return
        watched.said = sample.outcome
        what = {BAD: "a sample failed", GOOD: "well again"}.get(sample.outcome, "no data")
        self._run.recorder.progress(f"check {watched.record.name}: {what}: {sample.message}".rstrip(": "))

    def _judge(self, watched: Watched) -> None:
        conclusion = watched.check.decided() or watched.check.conclude()
        watched.record.verdict, watched.record.message = watched.tally.verdict(conclusion, watched.check.summary())
        self._note(watched)
        self._tell_verdict(watched)

    def _tell_verdict(self, watched: Watched) -> None:
        """Say a verdict, but for the failure that ends the bake: that is said last."""
        words = {PASS: "passed", INCONCLUSIVE: "is inconclusive", FAIL: "failed, but is informative"}
        if watched.record.verdict != FAIL or not watched.settings.required:
            self._run.recorder.progress(
                f"check {watched.record.name} {words[watched.record.verdict]}: {watched.record.message}"
            )

    def _note(self, watched: Watched) -> None:
        record, tally = watched.record, watched.tally
        record.samples, record.failures = tally.samples, tally.failures
        record.value, record.limit, record.unit = watched.check.value, watched.check.limit, watched.check.unit
        record.evidence = watched.check.evidence
        record.details = tuple(watched.check.details())
        record.seconds = (self._run.clock.wall() - self._started).total_seconds()
        if not record.verdict:
            record.message = tally.last
        self._run.recorder.update()

    def _failed(self, watched: Watched) -> CheckFailed:
        subject = self._subject
        lines = list(watched.record.details)
        for task in subject.canary[:1]:
            now = next(iter(subject.run.ecs.tasks([task.arn])), task)
            lines += evidence.of_task(subject.run, now, subject.revision, subject.container)
        return CheckFailed(watched.record.name, watched.record.message, lines)


def records_for(settings: Sequence[CheckSettings]) -> list[CheckRecord]:
    """A record for each check, nothing known of it yet."""
    return [CheckRecord(name=check.title, kind=check.kind, required=check.required) for check in settings]
