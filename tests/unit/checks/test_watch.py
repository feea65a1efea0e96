"""The watch: all checks side by side, the first sample at once, intervals kept, a failure ends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.sample import BAD, GOOD, Sample, Shown
from ecs_pipeline.checks.watch import CheckFailed, Watch
from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.errors import Interrupted
from ecs_pipeline.model.release import PASS
from ecs_pipeline.model.telemetry import LogLine
from ecs_pipeline.steps.bake import Bake
from ecs_pipeline.timing.wait import StepBroken
from tests.fakes.world import World
from tests.unit.checks.world import ScriptedKinds, check_of, good, logs, subject_of, watched


def check(name: str, **keys: Any) -> Any:
    return check_of(name=name, http={"path": "/"}, **keys)


def bad_from(second: float) -> Any:
    """Well until then, bad from then on."""

    def at(now: float) -> list[Sample]:
        return [Sample(BAD, "broken")] if now >= second else [Sample(GOOD, "well")]

    return at


def test_the_first_sample_comes_at_once_and_the_others_at_their_intervals_to_the_very_end() -> None:
    subject = subject_of(World())
    kinds = ScriptedKinds({"slow": good, "quick": good, "later": good})
    checks = [
        check("slow", interval="4s"),
        check("quick", interval="1s"),
        check("later", initial_delay="3s", interval="5s"),
    ]
    watched(subject, checks, kinds, 8)
    assert kinds.made["slow"].begun == [0, 4, 8]
    assert kinds.made["quick"].begun == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert kinds.made["later"].begun == [3, 8]
    assert subject.run.recorder.record.checks[1].samples == 9


def test_checks_begin_after_the_initial_delay() -> None:
    subject = subject_of(World(), settings={"canary": {"initial_delay": "20s"}})
    begun = subject.run.clock.now()
    kinds = ScriptedKinds({"c": good})
    watched(subject, [check("c")], kinds, 2)
    assert subject.run.clock.now() - begun == pytest.approx(22)
    assert kinds.made["c"].begun == [0, 1, 2]


def test_a_required_check_that_fails_ends_the_bake_at_once() -> None:
    subject = subject_of(World())
    begun = subject.run.clock.now()
    kinds = ScriptedKinds({"c": bad_from(5), "other": good})
    with pytest.raises(CheckFailed, match=r"^check c: 2 of the last 3 samples failed: broken$") as caught:
        watched(subject, [check("other"), check("c")], kinds, 1000)
    assert subject.run.clock.now() - begun == pytest.approx(6)
    assert caught.value.exit_code == 1
    assert "  the last line" in caught.value.evidence
    other, failed = subject.run.recorder.record.checks
    assert (failed.verdict, failed.samples, failed.failures, failed.value, failed.limit) == ("fail", 7, 2, 1, 2)
    assert other.verdict == ""
    assert all(made.closed for made in kinds.made.values())


def test_an_informative_check_that_fails_is_shown_and_never_decides() -> None:
    subject = subject_of(World())
    kinds = ScriptedKinds({"c": bad_from(0), "other": good})
    watched(subject, [check("c", required=False), check("other")], kinds, 6)
    failed, other = subject.run.recorder.record.checks
    assert (failed.verdict, failed.required, other.verdict) == ("fail", False, "pass")
    assert kinds.made["c"].begun == [0, 1]


def test_one_that_takes_its_time_holds_up_nobody_and_is_waited_for_at_the_end() -> None:
    subject = subject_of(World())

    def slow(now: float) -> Sequence[Sample] | None:
        return [Sample(GOOD)] if now >= 12 else None

    begun = subject.run.clock.now()
    kinds = ScriptedKinds({"slow": slow, "quick": good})
    watched(subject, [check("slow"), check("quick")], kinds, 10)
    assert kinds.made["quick"].begun == pytest.approx(range(11), abs=0.01)
    assert kinds.made["slow"].begun == [0]
    assert subject.run.clock.now() - begun == pytest.approx(12, abs=0.2)
    assert subject.run.recorder.record.checks[0].verdict == "inconclusive"


def test_what_breaks_the_canary_goes_before_its_checks() -> None:
    world = World()
    subject = subject_of(world)
    (task,) = world.tasks.values()
    kinds = ScriptedKinds({"c": good})
    world.hook = lambda when, call, write: (
        world.stop_task(task.arn, "gone", "EssentialContainerExited") if subject.run.clock.now() >= begun + 7 else None
    )
    begun = subject.run.clock.now()
    with pytest.raises(StepBroken, match="the canary task stopped"):
        watched(subject, [check("c")], kinds, 1000)
    assert kinds.made["c"].closed


def test_a_signal_ends_what_is_under_way() -> None:
    subject = subject_of(World())
    kinds = ScriptedKinds({"c": lambda _now: None})
    watch = Watch(subject, [check("c")], kinds)

    def signalled(seconds: float) -> None:
        raise Interrupted(15)

    subject.run.clock.sleep = signalled  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        Bake(subject, watch).watch(60)
    assert kinds.made["c"].closed


def test_a_bake_of_no_time_runs_no_check() -> None:
    subject = subject_of(World())
    kinds = ScriptedKinds({"c": bad_from(0)})
    watched(subject, [check("c")], kinds, 0)
    assert kinds.made == {}


def test_what_changes_is_told_once() -> None:
    said: list[str] = []
    subject = subject_of(World())
    subject.run.recorder.progress = said.append  # type: ignore[method-assign,assignment]
    kinds = ScriptedKinds({"c": lambda now: [Sample(BAD if now == 2 else GOOD, "seen")]})
    watched(subject, [check("c")], kinds, 6)
    assert said == [
        "check c: a sample failed: seen",
        "check c: well again: seen",
        "check c passed: 7 samples, p95 1 ms, limit 2 ms",
    ]


class AwsClock:
    """A session whose clock is some minutes ahead of the agent's."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock

    def now(self) -> datetime:
        wall: datetime = self.clock.wall()
        return wall + AHEAD


AHEAD = timedelta(minutes=5)


def test_what_came_since_the_bake_began_is_told_by_aws_clock() -> None:
    """A line of a minute before the bake was counted, and one of its beginning was not, by an agent's wrong clock."""
    subject = subject_of(World())
    subject.run = replace(subject.run, session=AwsClock(subject.run.clock))
    stream = subject.run.logs.streams(subject.canary[0], subject.revision)[0].name
    begun = subject.run.clock.wall() + AHEAD
    logs(subject).lines = [
        LogLine("before", begun - timedelta(minutes=1), stream, "ERROR before"),
        LogLine("since", begun + timedelta(seconds=1), stream, "ERROR since"),
    ]
    counted = check_of(logs={"filter": "ERROR", "at_most": 1, "per": "bake"})
    watch = watched(subject, [counted], Kinds(subject.run.cloudwatch), seconds=3)
    assert subject.since == begun
    assert (watch.checks[0].record.verdict, watch.checks[0].record.value) == (PASS, 1)
    assert watch.checks[0].record.details == (f"{begun + timedelta(seconds=1):%H:%M:%S} {stream}: ERROR since",)


def test_keys_that_a_comparison_has_no_use_for_are_said_once() -> None:
    subject = subject_of(World())
    settings = check_of(name="like", http={"compare": "stable"})
    for _ in range(2):
        watched(subject, [settings], ScriptedKinds({"like": good}), 1)
    told = "check like: failures and of do not apply to a comparison: its confidence decides"
    assert subject.run.recorder.record.notes == [told]


def test_what_was_seen_is_kept_with_its_time() -> None:
    subject = subject_of(World())
    settings = check_of(name="like", interval="1s", http={"compare": "stable"})
    watched(subject, [settings], ScriptedKinds({"like": bad_from(2)}), 1)
    (record,) = subject.run.recorder.record.checks
    assert [(point.at, point.outcome) for point in record.series.until_now()] == [(0, "good"), (1, "good")]
    assert (record.line, record.series.unit) == (20, "ms")
    assert record.rules == {"http": {"compare": "stable"}, "failures": 2, "of": 3, "min_samples": 2}


def test_a_failure_that_is_shown_ends_the_bake_though_no_sample_failed() -> None:
    subject = subject_of(World())
    begun = subject.run.clock.now()
    kinds = ScriptedKinds({"like": good}, shown_at=4)
    with pytest.raises(CheckFailed, match=r"^check like: shown$"):
        watched(subject, [check_of(name="like", http={"compare": "stable"})], kinds, 1000)
    assert subject.run.clock.now() - begun == pytest.approx(4)
    (record,) = subject.run.recorder.record.checks
    assert (record.verdict, record.message, record.failures) == ("fail", "shown", 0)


def test_evidence_that_is_half_of_what_fails_is_told_once() -> None:
    said: list[str] = []
    subject = subject_of(World())
    subject.run.recorder.progress = said.append  # type: ignore[method-assign,assignment]
    grown = {0: 1.0, 1: 9.0, 2: 11.0, 3: 15.0}
    kinds = ScriptedKinds(
        {"like": lambda now: [Sample(GOOD, f"evidence {grown[int(now)]}", Shown(evidence=grown[int(now)]))]}
    )
    settings = CheckSettings.model_validate({"name": "like", "interval": "1s", "http": {"compare": "stable"}})
    watched(subject, [settings], kinds, 3)
    assert said[:-1] == ["check like: evidence 11.0"]
