"""What ends a canary early, and what of it is taken back then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, Refused, ReleaseFailed
from ecs_pipeline.hooks.overtaken import Superseded, another_under_way
from ecs_pipeline.model.release import CANARY, Revision, Task
from ecs_pipeline.plans.canary import Plan
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.protocol.fence import EpochChanged, Fence, refusal
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.deregister import discard
from ecs_pipeline.steps.holder import held_by
from ecs_pipeline.steps.image import OtherImage
from ecs_pipeline.steps.removal import plainly
from ecs_pipeline.steps.retire import RetireStep, targets_of
from ecs_pipeline.steps.tasks import Created, Lost, shown
from ecs_pipeline.steps.trust import IdInUse
from ecs_pipeline.undo.cancel import restore


@dataclass
class Canary:
    """One run of the stage: its plan, its fence, and what it made."""

    run: Run
    plan: Plan
    fence: Fence
    made: Created
    beside: Created

    @property
    def release(self) -> str:
        """The release's id."""
        return self.plan.release


@contextmanager
def undoing(stage: Canary) -> Iterator[None]:
    """What ends the stage early, and what of it is taken back then."""
    try:
        yield
    except EpochChanged as changed:
        _undo(stage)
        raise refusal(changed.service, stage.release) from changed
    except Lost as lost:
        _give_way(stage, lost.winner)
        raise held_by(stage.run, stage.plan.seen.service, lost.winner) from lost
    except (IdInUse, Superseded):
        _discard_own(stage)
        raise
    except ReleaseFailed as failure:
        _restore(stage, failure)
        raise
    except (InvalidInput, OtherImage):
        _withdraw(stage)
        raise


def _withdraw(stage: Canary) -> None:
    """What only AWS could tell (a task definition that it does not take, another's image): the mark goes as well."""
    run, before = stage.run, stage.plan.seen.marks
    if stage.made.revisions or before.under_way == stage.release:
        return
    with suppress(EpochChanged):
        now = stage.fence.look_again()
        if now.marks.under_way == stage.release:
            run.ecs.tag(now.arn, {release_tags.UNDER_WAY: before.under_way, release_tags.SOURCE: before.source})


def _undo(stage: Canary) -> None:
    """(3) The epoch changed: all that this process made goes, target first."""
    run = stage.run
    with run.recorder.step("restore") as step:
        made = shown(run, [*stage.made.tasks, *stage.beside.tasks])
        seen = run.observer.snapshot()
        known = {task.arn: task for task in (*made, *seen.tasks)}
        wanted = (stage.fence.epoch, stage.release)
        living = [task for task in known.values() if task.alive and (task.epoch, task.release) == wanted]
        mine = [task for task in living if not run.observer.mismatch(task, seen.service)]
        retire = RetireStep(run, plainly, "ecs-pipeline: cancelled by a rollback")
        # Registrations: the rollback may have stopped the task before RegisterTargets arrived.
        retire.carry_out(mine, targets_of(run, mine, seen.service), registrations=seen.registrations)
        for revision in dict.fromkeys(
            (*stage.made.revisions, *(task.revision for task in mine if task.role == CANARY))
        ):
            discard(run, revision)
        step.message = "cancelled by a rollback: what this process had made is undone"


def _give_way(stage: Canary, winner: Task) -> None:
    """(4) Another release won: this one's revision goes, and the mark names the winner."""
    run = stage.run
    _discard_own(stage)
    now = run.ecs.service()
    if now.marks.epoch == stage.fence.epoch and now.marks.under_way == stage.release:
        run.ecs.tag(now.arn, {release_tags.UNDER_WAY: winner.release, release_tags.SOURCE: ""})


def _discard_own(stage: Canary) -> None:
    for revision in stage.made.revisions:
        discard(stage.run, revision)


def _restore(stage: Canary, failure: ReleaseFailed) -> None:
    """(7) After a look: as if nothing had been; unless another run of the release has promoted it meanwhile."""
    run = stage.run
    try:
        service = stage.fence.look_again()
    except EpochChanged as changed:
        _undo(stage)
        raise refusal(changed.service, stage.release) from failure
    seen = run.observer.snapshot()
    if decide.runs_promoted(seen, stage.release):
        targets = targets_of(run, (*seen.canaries, *seen.baselines), service)
        RetireStep(run, stage.fence.write).deregister(targets)
        raise Refused(
            f"release {stage.release} was promoted while its canary failed here: {failure.message}",
            cure="`rollback` undoes the promotion",
        ) from failure
    if other := _other_under_way(stage, seen):
        _leave(stage, seen, other, failure)
        return
    restore(run, stage.release, failure, await_late_tasks=_starting(stage, seen))


def _other_under_way(stage: Canary, seen: Snapshot) -> str:
    """The release that began since and has the service by now; '' for none, or when a task of ours is there."""
    if stage.made.tasks or stage.beside.tasks:
        return ""
    if live := decide.holder(seen):
        return live.release if live.release != stage.release else ""
    return another_under_way(stage.run, seen.service, stage.release)


def _leave(stage: Canary, seen: Snapshot, other: str, failure: ReleaseFailed) -> None:
    """Another release's canary lives, or comes: all that is taken back is the revision."""
    with stage.run.recorder.step("restore") as step:
        _discard_own(stage)
        serving = Revision(seen.service.revision).name
        step.message = f"the service runs {serving}; release {other} is under way, and stays"
        failure.cure = f"correct the release and start it again; the service runs {serving}, beside release {other}"


def _starting(stage: Canary, seen: Snapshot) -> bool:
    """Whether a task that RunTask named is not listed yet."""
    made = {*stage.made.tasks, *stage.beside.tasks} - {task.arn for task in seen.tasks}
    return any(task.alive for task in shown(stage.run, made))
