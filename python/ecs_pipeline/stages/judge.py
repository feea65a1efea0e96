"""Judge: the checks alone, once, on the canary that lives. Nothing is changed, no verdict is recorded.

preflight   look: which canary lives
checks      of each check as many samples as a verdict takes; one `check: NAME` each
"""

from __future__ import annotations

from ecs_pipeline.checks.watch import records_for
from ecs_pipeline.engine.origin import checked_release_id
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Held, Refused, ReleaseFailed
from ecs_pipeline.model.release import INCONCLUSIVE, Revision
from ecs_pipeline.plans.describe import describe
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.holder import holder_of
from ecs_pipeline.steps.judging import inconclusive, judged_once, refuse_checks, subject_of
from ecs_pipeline.steps.traffic import healthy_others, record_share, targets_seen
from ecs_pipeline.steps.trust import refuse_foreign

STEPS = ("preflight", "checks")


def judge(run: Run, release: str) -> None:
    """The command; `release` '' takes the canary that lives. Raises Refused, ReleaseFailed, Inconclusive."""
    record = run.recorder.record
    record.checks = records_for(run.settings.canary.checks)
    with run.recorder.step("preflight") as step:
        asked = record.release.id = checked_release_id(release) if release else ""
        seen = run.observer.snapshot()
        revision = _living(run, seen, asked)
        describe(run, seen)
        record.release.previous_task_definition = seen.service.revision
        targets = targets_seen(run, [*seen.canaries, *seen.baselines], seen.service)
        others = healthy_others(run, targets, seen.service.running)
        record_share(run, [*seen.canaries, *seen.baselines], others, targets)
        refuse_checks(run, alive=True, watched=True)
        step.message = f"release {record.release.id}: {Revision(revision).name}"
    try:
        verdict = judged_once(subject_of(run, seen))
    except ReleaseFailed as failure:
        failure.cure = "nothing was changed, its canary lives: `rollback` removes it"
        raise
    if verdict == INCONCLUSIVE:
        raise inconclusive(record.release.id, record.checks)


def _living(run: Run, seen: Snapshot, release: str) -> str:
    """The revision of the canary that lives. Raises Refused without one, or when it is another release's."""
    refuse_foreign(seen)
    live = decide.holder(seen)
    if live is None:
        raise Refused(f"no canary lives at {seen.service.label}", cure="run `canary` first")
    if release and live.release != release:
        raise Held(
            f"the canary of {seen.service.label} is release {live.release}, not {release}",
            holder_of(run, live),
            cure=f"`judge --release {live.release}`",
        )
    return live.revision
