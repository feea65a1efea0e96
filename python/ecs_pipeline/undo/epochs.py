"""Beginning a new epoch: what was under way is fenced off, and the service is told where it is to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import TooManyTags
from ecs_pipeline.model.release import Revision, Task
from ecs_pipeline.plans.named_target import Target, usable
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.copies import registered_anew
from ecs_pipeline.steps.removal import plainly
from ecs_pipeline.steps.retire import RetireStep, Steps, targets_of
from ecs_pipeline.steps.trust import refuse_disbelieved
from ecs_pipeline.undo.overtaken import EpochTakenBack, Overtaken
from ecs_pipeline.undo.sweep import Sweeper


def begin_epoch(
    run: Run,
    seen: Snapshot,
    release: str,
    steps: Steps,
    back: str | None = None,
    *,
    await_late_tasks: bool = False,
    before: str = "",
    bound: bool = True,
) -> Snapshot:
    """(7) One TagResource fences the release off and says where the service is to be; then finish; the last look.

    Not `bound`: a service that runs something else, set by hand, stays there. Raises TooManyTags, when the canary is
    taken away and nothing else is done.
    """
    marked = seen.marks
    epoch = decide.next_epoch(marked.epoch, release)
    wanted = back or decide.rollback_target(seen, release) or before or None
    lost = None if back else decide.lost_rollback_target(seen, release)
    if lost:
        wanted = registered_anew(run, lost)
    if wanted is None:
        refuse_disbelieved(seen, ("wanted", "previous"))
    release_mark, previous = marked.release, marked.previous or ""
    if wanted not in (marked.wanted, None) or back:
        known = seen.revisions.get(str(wanted)) or run.definitions.revision(str(wanted))
        release_mark, previous = known.release, ""
    why = f"cancelling release {release}: " if release else ""
    run.recorder.progress(f"{why}the service is to run {_name(wanted)}")
    tags = {
        release_tags.EPOCH: release_tags.epoch_value(epoch),
        release_tags.WANTED: wanted or "",
        release_tags.UNDER_WAY: "",
        release_tags.SOURCE: "",
        release_tags.RELEASE: release_mark,
        release_tags.PREVIOUS: previous,
        release_tags.APPROVAL: "",
    }
    with run.recorder.noting(
        f"cancel release {release}" if release else f"mark {_name(wanted)} as the wanted revision"
    ):
        full = _write(run, seen, tags)
    if full:
        raise _without_marks(run, seen, release, steps) from full
    finish = partial(
        Sweeper,
        run,
        epoch,
        steps,
        replaced=marked.epoch,
        target=back or "",
        await_late_tasks=await_late_tasks,
        began=seen,
    )
    try:
        return finish(bound=bound).until_clean(_begun(seen, tags))
    except Overtaken as other:
        other.release = release
        raise
    except EpochTakenBack as lost:
        lost.message += _taken_away(run, seen, release, steps)
        _write_again(run, tags, lost)
        return _finished_again(finish(bound=bound), release, lost)


def _begun(seen: Snapshot, tags: Mapping[str, str]) -> Snapshot | None:
    """The look before an epoch, as the service is marked once it has begun; None when it did not see what is wanted."""
    known = seen.service.raw.get("tags") or {}
    marks = release_tags.parse_service({**known, **tags}, seen.service.name)
    if marks.wanted is not None and marks.wanted not in seen.revisions:
        return None
    return replace(seen, service=replace(seen.service, marks=marks))


def _write(run: Run, seen: Snapshot, tags: Mapping[str, str]) -> TooManyTags | None:
    """The marks. Where the service has no room for a new key, those that say nothing any more make some, once."""
    arn = seen.service.arn
    try:
        run.ecs.tag(arn, tags)
    except TooManyTags as full:
        known = run.ecs.service().raw.get("tags") or {}
        spare = [key for key in release_tags.SPARE if key in known]
        if not spare:
            return full
        run.ecs.untag(arn, spare)
        kept = {key: value for key, value in tags.items() if value or (key in known and key not in spare)}
        try:
            run.ecs.tag(arn, kept)
        except TooManyTags as again:
            return again
    return None


def _write_again(run: Run, tags: Mapping[str, str], lost: EpochTakenBack) -> None:
    """The same marks once more, after somebody wrote the epoch over; not when a release began meanwhile: it is another
    that this rollback has not looked at. Raises `lost` then.
    """
    service = run.ecs.service()
    told = release_tags.parse_service(tags)
    if replace(service.marks, epoch=told.epoch, targets=(), unreadable=(), scaling="") != told:
        raise lost
    run.recorder.progress(f"warning: {lost.message}; it is written once more")
    run.ecs.tag(service.arn, tags)


def _finished_again(finish: Sweeper, release: str, lost: EpochTakenBack) -> Snapshot:
    """The last look after the marks were written once more. Raises `lost` when they are written over again."""
    try:
        return finish.until_clean()
    except Overtaken as other:
        other.release = release
        raise
    except EpochTakenBack:
        raise lost from None


def _without_marks(run: Run, seen: Snapshot, release: str, steps: Steps) -> TooManyTags:
    """No new epoch can begin: the canary's tasks go nevertheless, as they take traffic. Service and revisions stay."""
    gone = _taken_away(run, seen, release, steps)
    return TooManyTags(
        f"service {seen.service.label} has the {release_tags.MOST_TAGS} tags that ECS allows: "
        f"what a rollback needs is not written{gone}",
        cure="remove one that is not needed, find out who wrote it (CloudTrail: TagResource), and run `rollback` again",
    )


def _taken_away(run: Run, seen: Snapshot, release: str, steps: Steps) -> str:
    """The canary's tasks go although no epoch can begin; what was done, in words."""
    tasks = {task.arn for task in (*seen.baselines, *seen.seconds, *seen.canaries) if task.release == release}
    if not tasks:
        return ""
    # Some may have stopped since, and their addresses may be others' by now.
    living = [task for task in run.observer.tasks() if task.arn in tasks]
    take_away(run, living, steps, f"release {release} was to be cancelled")
    return f"; the canary of release {release} is out of the traffic and stopped, nothing else was done"


def take_away(run: Run, left: Sequence[Task], steps: Steps, why: str) -> None:
    """Tasks that go while the service and the revisions stay."""
    retire = RetireStep(run, plainly, f"ecs-pipeline: {why}")
    retire.carry_out(left, targets_of(run, left, run.ecs.service()), steps=steps, why=why)


def go_to(run: Run, target: Target, steps: Steps) -> Snapshot:
    """`--to`: the service to any revision; the promoted release is cancelled for it. The last look."""
    seen = run.observer.snapshot(scan=True)
    wanted = usable(run, target)
    there = seen.service.revision == wanted and seen.marks.wanted in (None, wanted)
    if there and not _astray(seen) and not decide.coming_back(seen):
        run.recorder.progress(f"the service runs {_name(wanted)} already")
        return seen
    if decide.cancelled_for(seen, wanted) and not decide.disbelieved(seen):
        # By this command before: a new epoch would forget which release is being taken off.
        return Sweeper(run, seen.marks.epoch, steps, target=wanted).until_clean()
    leaving = seen.marks.release if seen.marks.release != run.definitions.revision(wanted).release else ""
    return begin_epoch(run, seen, leaving, steps, back=wanted)


def _astray(seen: Snapshot) -> bool:
    """Whether there is something that a rollback by name has to write anew or to finish."""
    return decide.astray(seen) or bool(decide.disbelieved(seen) or decide.leftover(seen, bound=False))


def _name(arn: str | None) -> str:
    return Revision(arn).name if arn else "what it runs"
