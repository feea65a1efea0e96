"""Judging a canary: the bake with its checks, and what an inconclusive verdict says. Canary and judge share it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ecs_pipeline.checks.alarm import refuse_alarms
from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.checks.verdict import overall
from ecs_pipeline.checks.watch import CheckFailed, Watch
from ecs_pipeline.engine.converge import planned
from ecs_pipeline.engine.record import ENDED_EARLY, CheckRecord
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Inconclusive, InvalidInput, TakenAway
from ecs_pipeline.model.release import INCONCLUSIVE, PASS
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps import removal
from ecs_pipeline.steps.bake import Bake
from ecs_pipeline.steps.renewal import unjudged
from ecs_pipeline.steps.traffic import Seen
from ecs_pipeline.task_definitions import definition
from ecs_pipeline.timing.wait import StepBroken, duration


def refuse_checks(run: Run, *, alive: bool, watched: bool) -> None:
    """Before anything is written: what is wrong with the checks. Raises InvalidInput, Refused (an alarm in ALARM).

    `alive`: the release's own canary lives. `watched`: the checks will be run; else no alarm is asked for.
    """
    checks = run.settings.canary.checks
    for number, check in enumerate(checks):
        mistake = run.cloudwatch.mistake(check.metric.query) if check.metric else ""
        if mistake:
            raise InvalidInput(
                f"canary.checks.{number}.metric.query ({check.title}): {mistake}",
                cure="write it as GetMetricData's MetricDataQueries",
            )
    if watched:
        refuse_alarms(run, checks, alive=alive)


def bake(subject: Subject, seconds: float, write: removal.Write, seen: Seen | None = None) -> str:
    """Watch for so many seconds, and judge; the verdict, PASS or INCONCLUSIVE. Raises StepBroken, CheckFailed.

    `seen`: the canary and its baseline as they were seen last.
    """
    run = subject.run
    if run.dry_run:
        with run.recorder.step("bake") as step:
            summary = planned(run, [_watching(run, seconds)])
            step.message = "; then ".join(filter(None, (step.message, summary)))
        return PASS

    def watch(checks: Watch) -> str:
        Bake(subject, checks, write, seen).watch(seconds)
        return f"watched for {duration(seconds)}"

    return _judged(subject, "bake", watch)


def _watching(run: Run, seconds: float) -> str:
    if not seconds:
        return "record the verdict without a bake"
    names = [check.title for check in run.settings.canary.checks]
    return f"watch for {duration(seconds)}{', checks: ' if names else ''}{', '.join(names)}"


def judged_once(subject: Subject) -> str:
    """The checks alone, of each as many samples as a verdict takes; the verdict.

    Raises StepBroken, CheckFailed, Inconclusive when AWS takes the canary away meanwhile.
    """

    def watch(checks: Watch) -> str:
        Bake(subject, checks).judge_once()
        return f"{len(checks.checks)} checks" if checks.checks else "no checks are configured"

    try:
        return _judged(subject, "checks", watch)
    except TakenAway as taken:
        raise unjudged(taken.message) from taken


def _judged(subject: Subject, name: str, watch: Callable[[Watch], str]) -> str:
    """The verdict after the step of that name, in which `watch` looks and tells what it did.

    A check that fails ends the step, which is no failure of the step itself: the check's case is the failure.
    """
    run, failure = subject.run, None
    with run.recorder.step(name) as step:
        try:
            step.message = watch(Watch(subject, run.settings.canary.checks, Kinds(run.cloudwatch)))
        except CheckFailed as failed:
            failure, step.message = failed, f"{ENDED_EARLY}: check {failed.name} failed"
    if failure:
        raise failure
    return overall(run.recorder.record.checks)


def subject_of(run: Run, seen: Snapshot) -> Subject:
    """The canary that lives, as `judge` finds it: watched since its last bake began, else since its tasks run."""
    live = seen.canaries
    revision = run.definitions.get(live[0].revision)
    container = definition.chosen_container(revision.definition, seen.service, run.settings.container)
    baked = [task.bake_began for task in live if task.bake_began]
    since = max(baked or [task.started or task.created for task in live])
    alike = tuple(task for task in seen.baselines if task.revision == seen.service.revision)
    return Subject(run, seen.service, live, revision, container, since, alike, judged_alone=True)


def inconclusive(release: str, checks: Sequence[CheckRecord] = ()) -> Inconclusive:
    """What ends a stage whose canary was not judged one way or the other."""
    unclear = [check for check in checks if check.required and check.verdict == INCONCLUSIVE]
    why = "; ".join(f"check {check.name}: {check.message}" for check in unclear)
    return Inconclusive(
        f"the checks of release {release} were inconclusive, its canary lives{f': {why}' if why else ''}",
        cure="a person decides: `promote` or `rollback`",
    )


def record_verdict(subject: Subject, fence: Fence, release: str, number: int, verdict: str, *, last: bool) -> None:
    """The verdict of a size is a tag of the first task and dies with it. Raises Inconclusive, StepBroken.

    `last`: there is no larger size to come.
    """
    run, first, ended = subject.run, subject.canary[0], last or verdict != PASS
    tags = {
        release_tags.JUDGED_STEPS: str(number),
        release_tags.JUDGED_TASKS: str(len(subject.canary)),
        release_tags.BAKE_BEGAN: str(int(subject.since.timestamp())),
        **({release_tags.VERDICT: verdict} if ended else {}),
    }
    if not fence.write(lambda: run.ecs.tag_task(first.arn, tags)):
        with run.recorder.step("bake"):
            Bake(subject).look()
            raise StepBroken(f"the canary task {first.id} stopped before its verdict was written")
    if verdict == INCONCLUSIVE:
        raise inconclusive(release, run.recorder.record.checks)
