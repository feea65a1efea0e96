"""What a look means: pure functions from what is seen to what follows.

The numbers in brackets are the rules of docs/protocol.md; tests/protocol_model holds the functions of the rules in the
checked specification, and a test compares the two on random worlds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from ecs_pipeline.model.load_balancing import Registration, Target
from ecs_pipeline.model.release import CANARY, Epoch, Revision, Service, Task
from ecs_pipeline.protocol.snapshot import Snapshot


def digest(*parts: str) -> str:
    """SHA-256 of the parts, hexadecimal: 64 characters, what a clientToken may have."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def next_epoch(epoch: Epoch, release: str) -> Epoch:
    """(7) The epoch that begins when `release` is cancelled."""
    return Epoch(digest(epoch.digest, release)[:32], release)


def first_token(service: str, epoch: Epoch, role: str, index: int) -> str:
    """(4) RunTask's clientToken: the same for every release, so that it is the lock.

    `service` is CLUSTER/SERVICE and not the ARN, which changes when a service of before 2021 gets a long one.
    """
    parts = () if (role, index) == (CANARY, 0) else (role, str(index))
    return digest(service, epoch.digest, *parts)


def next_token(token: str, stopped: str) -> str:
    """(4) The token after the one whose task is stopped."""
    return digest(token, stopped)


def holder(seen: Snapshot) -> Task | None:
    """(1) The living canary task of this epoch holds the service; (4) of two, the older."""
    return min(seen.canaries, key=lambda task: task.age_key, default=None)


def cancelled(seen: Snapshot, revision: str) -> bool:
    """(8) INACTIVE, or of an older epoch and the release that `turn` names."""
    known = seen.revisions[revision]
    return not known.active or fenced(seen, known)


def fenced(seen: Snapshot, revision: Revision) -> bool:
    """Of an older epoch and the release that `turn` names."""
    epoch = seen.marks.epoch
    ours = bool(revision.release) and seen.believes(revision.arn)
    return ours and revision.release == epoch.cancelled and revision.epoch != epoch


def disbelieved(seen: Snapshot) -> dict[str, str]:
    """(9) Marks that name a revision of another family, by their names: nothing is done on their word."""
    named = {"wanted": seen.marks.wanted, "previous": seen.marks.previous}
    return {name: arn for name, arn in named.items() if arn is not None and not seen.believes(arn)}


def _good(seen: Snapshot, revision: str | None) -> bool:
    """Whether the service may be sent there because a mark says so."""
    return revision is not None and seen.believes(revision) and not cancelled(seen, revision)


def promoted(seen: Snapshot, release: str) -> bool:
    """The service is to run `release`: promote has begun for it or is through."""
    wanted = seen.marks.wanted
    return (
        bool(release)
        and seen.marks.release == release
        and wanted is not None
        and _good(seen, wanted)
        and seen.revisions[wanted].release == release
    )


def runs_promoted(seen: Snapshot, release: str) -> bool:
    """The service was told to run the promoted release."""
    return promoted(seen, release) and seen.service.revision == seen.marks.wanted


def left_by_promote(seen: Snapshot) -> tuple[Task, ...]:
    """Living tasks of a release whose rollout is over; the canary's last, as promote takes them away."""
    live = holder(seen) or next(iter(seen.baselines), None)
    if live is None or not (rolled_out(seen.service) and runs_promoted(seen, live.release)):
        return ()
    return (*seen.baselines, *seen.seconds, *seen.canaries)


def rolled_out(service: Service) -> bool:
    """Whether the rollout that brought the service to its revision is over.

    A deployment of the same revision may be under way nevertheless (forceNewDeployment): then one before it was
    COMPLETED, or all that is left of it is that no deployment of another revision is there.
    """
    primary = service.primary
    if primary is None:
        return False
    ours = [deployment for deployment in service.deployments if deployment.revision == primary.revision]
    alone = primary.rollout == "IN_PROGRESS" and len(ours) == len(service.deployments)
    return primary.rollout == "" or alone or any(deployment.rollout == "COMPLETED" for deployment in ours)


def cancelled_for(seen: Snapshot, revision: str) -> bool:
    """(8) Whether the last cancel, after which no release began, sent the service to this revision."""
    return seen.marks.wanted == revision and not seen.marks.under_way and not cancelled(seen, revision)


def coming_back(seen: Snapshot) -> bool:
    """(8) After a cancel the service is to run `wanted`, and its rollout to that is not over."""
    primary = seen.service.primary
    if seen.marks.under_way or primary is None or primary.revision != seen.marks.wanted:
        return False
    return primary.rollout not in ("", "COMPLETED") or seen.service.tasks_beside(primary) > 0


def lone_baselines(seen: Snapshot) -> tuple[Task, ...]:
    """Baselines beside which neither a canary lives nor a release is under way: nobody has them to compare with."""
    return () if holder(seen) or seen.marks.begun else seen.baselines


def may_start_tasks(seen: Snapshot) -> bool:
    """A release is under way whose RunTask may be the last that its process did: neither judged nor promoted."""
    begun = seen.marks.under_way
    return bool(begun) and not runs_promoted(seen, begun) and not seen.verdict


def rollback_target(seen: Snapshot, release: str) -> str | None:
    """(7) Where to return when `release` is cancelled: before its promotion, else what the service runs anyway.

    Never to a cancelled revision, nor to one of another family.
    """
    marks, runs = seen.marks, seen.service.revision
    promotion = marks.release == release
    for revision in (marks.previous, marks.wanted, runs) if promotion else (runs, marks.wanted, marks.previous):
        if revision is None or not _good(seen, revision):
            continue
        undone = promotion and revision == marks.previous
        if undone or not release or seen.revisions[revision].release != release:
            return revision
    return None


def set_by_hand(seen: Snapshot, release: str) -> bool:
    """Whether somebody gave the service another revision while `release` was promoted."""
    marks, runs = seen.marks, seen.service.revision
    if marks.release != release or runs in (marks.wanted, marks.previous) or not _good(seen, runs):
        return False
    return seen.revisions[runs].release != release


def lost_rollback_target(seen: Snapshot, release: str) -> str | None:
    """The recorded revision to return to, when somebody else deregistered it: it is registered anew."""
    undone = seen.marks.previous if seen.marks.release == release else None
    if undone is None or not seen.believes(undone):
        return None
    return None if seen.revisions[undone].active or fenced(seen, seen.revisions[undone]) else undone


def reusable(revisions: Collection[Revision], release: str, epoch: Epoch, wanted: str | None = None) -> Revision | None:
    """(4) A revision is reused only within its release and epoch, and not after a promotion replaced it.

    The oldest, as everybody would choose it.
    """
    same = [
        revision
        for revision in revisions
        if revision.active
        and (revision.release, revision.epoch) == (release, epoch)
        and (revision.arn == wanted or not revision.promoted)
    ]
    return min(same, key=lambda revision: revision.number, default=None)


def to_cancel(seen: Snapshot, asked: str) -> str:
    """(7) The release that a rollback cancels; '' for none."""
    marks, live = seen.marks, holder(seen)
    promotion = marks.release if marks.previous is not None else ""
    if live and not _left_beside_another(seen, live):
        return live.release if asked in ("", live.release) else ""
    if asked:
        return asked if asked in (marks.under_way, promotion) else ""
    if marks.under_way != marks.release:
        return marks.under_way
    return promotion


def _left_beside_another(seen: Snapshot, live: Task) -> bool:
    """Whether all that lives, while another release is under way, is a task of a promoted release: that one stays."""
    return seen.revisions[live.revision].promoted and seen.marks.under_way not in ("", live.release)


MOST_SWEEPS = 5
"""So often tasks of other epochs that came meanwhile are stopped: a fenced-off stage starts one more at most."""


@dataclass(frozen=True)
class Leftover:
    """(8) What the last cancel left, the first kind that is there; the other fields are empty."""

    drain: tuple[Registration, ...] = ()
    stop: tuple[Task, ...] = ()
    update: str = ""
    rewrite: str = ""
    deregister: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.drain or self.stop or self.update or self.rewrite or self.deregister)


def leftover_tasks(seen: Snapshot, drained: Collection[Target] = ()) -> Leftover:
    """(4, 8) Out of the traffic, then stopped: tasks of other epochs; recorded targets without a running task.

    `drained` are targets whose draining was waited for as long as it is to be.
    """
    stale_tasks = {task.arn for task in (*seen.stale_tasks, *seen.elsewhere)}
    drain = tuple(
        registration
        for registration in seen.registrations
        if (registration.owner in stale_tasks and not (registration.draining and registration.target in drained))
        or (not registration.owner and not registration.draining)
    )
    return Leftover(drain=drain) if drain else Leftover(stop=seen.stale_tasks)


def leftover(
    seen: Snapshot,
    made: Collection[str] = (),
    kept: Collection[str] = (),
    drained: Collection[Target] = (),
    *,
    bound: bool = True,
    passing: bool = False,
) -> Leftover:
    """(8) The next that removes something the last cancel left.

    `made` are revisions of stopped tasks that never ran in the service, `kept` turned out to be in use. Any other goes
    only as the cancelled release's: anybody may start a task of a good one, with the tags of its release. `bound`:
    after a cancel the service is to run `wanted`, whatever it runs; else one that somebody set by hand stays.
    `passing`: tasks that are out of the traffic are passed by, for new ones keep coming.
    """
    marks, last = seen.marks, seen.marks.epoch.cancelled
    tasks = leftover_tasks(seen, drained)
    if passing and tasks.stop:
        tasks = Leftover()
    wanted = marks.wanted if _good(seen, marks.wanted) else None
    back = wanted or rollback_target(seen, last if marks.release == last != marks.under_way else "")
    if tasks or back is None:
        return tasks
    if cancelled(seen, seen.service.revision) or (bound and wanted and astray(seen)):
        return Leftover(update=back)
    if marks.wanted is not None and seen.believes(marks.wanted) and cancelled(seen, marks.wanted):
        return Leftover(rewrite=back)
    used = {seen.service.revision, back, marks.wanted, marks.previous}
    used |= {task.revision for task in seen.tasks if task.alive}
    unused = [
        revision.arn
        for revision in seen.revisions.values()
        if revision.active and revision.arn not in used.union(kept) and (revision.arn in made or fenced(seen, revision))
    ]
    return Leftover(deregister=tuple(sorted(unused)))


def never_ran(seen: Snapshot, revision: str) -> bool:
    """(8) Newer than what the service runs and is to run: in the epoch of this look nothing newer was promoted."""
    named = (seen.service.revision, seen.marks.wanted, seen.marks.previous)
    numbers = [Revision(arn).number for arn in named if arn and _family(arn) == _family(revision)]
    return bool(numbers) and Revision(revision).number > max(numbers)


def _family(arn: str) -> str:
    return arn.rpartition(":")[0]


def astray(seen: Snapshot) -> bool:
    """(8) After a cancel, and before another release begins, the service runs something else than `wanted`, or what was
    cancelled: no rollback ends well then. A cancel leaves nothing under way; somebody may have written its epoch over.
    """
    marks, runs = seen.marks, seen.service.revision
    if marks.under_way:
        return False
    return marks.wanted not in (None, runs) or fenced(seen, seen.revisions[runs])
