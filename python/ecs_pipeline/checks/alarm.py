"""The kind `alarm`: CloudWatch alarms that have to be OK; all alarms of all checks are read with the same calls."""

from __future__ import annotations

from collections.abc import Sequence

from ecs_pipeline.checks.judges.judge import Undecided
from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, Conclusion, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.checks import AlarmCheck, CheckSettings
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, Refused, Trouble
from ecs_pipeline.model.telemetry import Alarm
from ecs_pipeline.ports import CloudWatchPort

IN_ALARM, OK = "ALARM", "OK"


class Alarms:
    """Reads the states of alarms: what all checks that are due ask for, at once, when the first one needs it."""

    def __init__(self, cloudwatch: CloudWatchPort) -> None:
        self._cloudwatch = cloudwatch
        self._wanted: list[AlarmCheck] = []
        self._read: list[Alarm] = []
        self._trouble: Trouble | None = None

    def want(self, settings: AlarmCheck) -> None:
        """Ask for the alarms of a check."""
        self._wanted.append(settings)

    def of(self, settings: AlarmCheck) -> list[Alarm]:
        """The alarms of a check, as they are now. Raises Trouble."""
        if self._wanted:
            names = dict.fromkeys(name for settings in self._wanted for name in settings.names)
            prefixes = dict.fromkeys(settings.prefix for settings in self._wanted if settings.prefix)
            self._wanted, self._trouble = [], None
            try:
                self._read = self._cloudwatch.alarms(list(names), list(prefixes))
            except Trouble as error:
                self._trouble = error
        if self._trouble:
            raise self._trouble
        return [read for read in self._read if read.name in settings.names or _begins(read, settings)]


class AlarmStates(Undecided):
    """One check: a sample is bad when any of its alarms is in ALARM, without data when one has too little."""

    limit: str | float | None = OK
    unit = ""

    def __init__(self, settings: AlarmCheck, subject: Subject, alarms: Alarms) -> None:
        self._settings = settings
        self._subject = subject
        self._alarms = alarms
        self._ignored: set[str] | None = None
        self._states: list[Alarm] = []
        self.value: str | float | None = None

    def begin(self) -> None:
        """Ask for the alarms."""
        self._alarms.want(self._settings)

    def collect(self) -> Sequence[Sample] | None:
        """One sample of all alarms."""
        try:
            self._states = self._alarms.of(self._settings)
        except Trouble as error:
            return [Sample(MISSING, error.message)]
        judged = self._judged()
        bad = [state for state in judged if state.state == IN_ALARM]
        unknown = [state for state in judged if state.state not in (IN_ALARM, OK)]
        gone = [name for name in self._settings.names if name not in {state.name for state in self._states}]
        if bad:
            self.value = IN_ALARM
            return [Sample(BAD, "; ".join(f"{state.name} is in ALARM: {state.reason}".rstrip(": ") for state in bad))]
        if unknown or gone or not judged:
            self.value = unknown[0].state if unknown else None
            why = [f"{state.name} has {state.state}" for state in unknown] + [
                f"there is no alarm {name}" for name in gone
            ]
            return [Sample(MISSING, "; ".join(why) or "all are ignored: in ALARM since before the release")]
        self.value = OK
        return [Sample(GOOD, f"OK: {', '.join(state.name for state in judged)}")]

    def conclude(self) -> Conclusion | None:
        """Its samples say it all."""
        return None

    def summary(self) -> str:
        """The alarms that were OK at last."""
        return f"OK: {', '.join(alarm.name for alarm in self._states if alarm.state == OK) or 'none'}"

    def details(self) -> Sequence[str]:
        """Each alarm's state."""
        ignored = self._ignored or set()
        return [f"{state.name}: {state.state}{' (ignored)' if state.name in ignored else ''}" for state in self._states]

    def close(self) -> None:
        """Nothing is left under way."""

    def _judged(self) -> list[Alarm]:
        """Without those that were in ALARM before the release, until they were OK once."""
        if self._ignored is None:
            ignoring = self._settings.in_alarm_at_start == "ignore"
            self._ignored = {state.name for state in self._states if ignoring and self._was_before(state)}
        self._ignored -= {state.name for state in self._states if state.state == OK}
        return [state for state in self._states if state.name not in self._ignored]

    def _was_before(self, alarm: Alarm) -> bool:
        begun = min((task.created for task in self._subject.canary), default=self._subject.since)
        return alarm.state == IN_ALARM and (alarm.since is None or alarm.since < begun)


def refuse_alarms(run: Run, checks: Sequence[CheckSettings], *, alive: bool) -> None:
    """Before anything is written: all alarms exist, none is in ALARM. Raises InvalidInput, Refused.

    `alive`: the release's canary lives already; then an alarm may be its own doing, and is judged in the bake.
    """
    chosen = [check.alarm for check in checks if check.alarm]
    if not chosen:
        return
    names = list(dict.fromkeys(name for settings in chosen for name in settings.names))
    found = run.cloudwatch.alarms(names, list(dict.fromkeys(settings.prefix for settings in chosen if settings.prefix)))
    there = {alarm.name for alarm in found}
    missing = [f"no alarm {name}" for name in names if name not in there]
    missing += [
        f"no alarm begins with {settings.prefix}"
        for settings in chosen
        if settings.prefix and not _any_begins(found, settings)
    ]
    if missing:
        raise InvalidInput(
            f"{missing[0]} in CloudWatch", cure="correct canary.checks, or create the alarm", evidence=missing[1:]
        )
    refusing = [
        check.alarm for check in checks if check.alarm and check.required and check.alarm.in_alarm_at_start == "refuse"
    ]
    ringing = [
        alarm
        for alarm in found
        if alarm.state == IN_ALARM and any(alarm.name in check.names or _begins(alarm, check) for check in refusing)
    ]
    if ringing and not alive:
        raise Refused(
            f"alarm {ringing[0].name} is in ALARM before the release: {ringing[0].reason}".rstrip(": "),
            cure="wait until it is OK, or set `in_alarm_at_start: ignore`",
            evidence=[f"{alarm.name}: {alarm.reason}" for alarm in ringing[1:]],
        )


def _begins(alarm: Alarm, settings: AlarmCheck) -> bool:
    return bool(settings.prefix) and alarm.name.startswith(settings.prefix)


def _any_begins(found: Sequence[Alarm], settings: AlarmCheck) -> bool:
    return any(_begins(alarm, settings) for alarm in found)
