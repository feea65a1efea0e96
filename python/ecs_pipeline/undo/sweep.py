"""(8) Finishing a cancel: whatever it left is removed, until two looks are clean.

The order is the safety order: out of the traffic, drained, stopped; the service back; then the revisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ecs_pipeline.engine.converge import settle
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Refused, ReleaseFailed, Trouble
from ecs_pipeline.model.load_balancing import Target
from ecs_pipeline.model.release import CANARY, Epoch, Revision, Service, Task
from ecs_pipeline.model.service_kinds import Use
from ecs_pipeline.plans.fitness import refuse_unfit
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.protocol.decide import Leftover
from ecs_pipeline.protocol.observe import TASKS_LAG
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.deregister import deregister
from ecs_pipeline.steps.late_update import undo_update
from ecs_pipeline.steps.removal import plainly
from ecs_pipeline.steps.retire import RetireStep, Steps, targets_of
from ecs_pipeline.steps.rollout import APPEARS_WITHIN, StableStep
from ecs_pipeline.steps.rollout_deadline import deadline as rollout_deadline
from ecs_pipeline.steps.service_update import ServiceUpdate
from ecs_pipeline.steps.trust import refuse_astray, refuse_disbelieved
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline
from ecs_pipeline.undo.overtaken import EpochTakenBack, Overtaken

PAUSE = 0.5
"""Seconds between two looks: reads may lag."""
FRESH = 2.0
"""The look made before the epoch may be used for so many seconds."""
STALE_WITHIN = 60.0
"""Seconds in which the epoch that was replaced is a stale read; ECS shows a write within a few."""
MOST_LOOKS = 200
REASON = "ecs-pipeline: rolled back"


def finished(run: Run, sweep: Sweeper) -> Snapshot:
    """The last look of a sweep that no rollback of its own begins. Raises Refused when another rollback begins."""
    try:
        return sweep.until_clean()
    except Overtaken as other:
        place = f"{run.settings.cluster}/{run.settings.service}"
        raise Refused(
            f"a rollback of {other.epoch.cancelled or 'no release'} began at {place} meanwhile", cure="run it again"
        ) from other


@dataclass
class Sweeper:
    """Removes what is left over in an epoch; one for each rollback. `target`: `--to` sends the service there.

    `await_late_tasks`: a dead process may have started a task that is not listed yet. `bound`: the service is to run
    `wanted` then, whatever it runs. `began`: what the rollback saw before it began the epoch.
    """

    run: Run
    epoch: Epoch
    steps: Steps
    replaced: Epoch | None = None
    target: str = ""
    await_late_tasks: bool = False
    bound: bool = True
    began: Snapshot | None = None
    _stopped: dict[str, Task] = field(default_factory=dict)
    _sweeps: int = 0
    _made: set[str] = field(default_factory=set)
    _moved: str = ""
    _moved_from: str = ""
    _shown_by: float = 0.0
    _kept: set[str] = field(default_factory=set)
    _drained: set[Target] = field(default_factory=set)
    _listed_by: float = field(init=False)
    _stale_until: float = field(init=False)
    _retire: RetireStep = field(init=False)

    def __post_init__(self) -> None:
        """What was started before now is listed by then."""
        self._listed_by = self.run.clock.now() + TASKS_LAG
        self._stale_until = self.run.clock.now() + STALE_WITHIN
        self._retire = RetireStep(self.run, plainly, REASON)

    def until_clean(self, first: Snapshot | None = None) -> Snapshot:
        """Look and remove, until two looks in a row find nothing. Raises Overtaken when the epoch changes.

        `first`: the look before the epoch, with the marks of now.
        """
        clean, left = 0, Leftover()
        if first and self.run.clock.now() - first.at <= FRESH:
            self._begin(first)
        for _ in range(MOST_LOOKS):
            seen = self.run.observer.snapshot(scan=True, also=self._undone())
            if seen.marks.epoch == self.epoch and self.target in ("", seen.marks.wanted):
                left = self._left(seen)
                clean = 0 if left else clean + 1
                if left:
                    self._remove(left, seen)
                elif self._moving(seen):
                    clean = 0
                if clean == 2 and self._waited():
                    clean = 0
                if clean == 2:
                    return self._ended(seen)
            else:
                self._refuse_epoch(seen)
                clean, left = 0, Leftover()
            if not left:
                wait.pause(self.run.clock, PAUSE)
        raise Trouble(
            f"{self.run.settings.cluster}/{self.run.settings.service}: there is always something left to remove",
            cure="run it again; if it stays so, please report it with the JSON report",
        )

    def _begin(self, first: Snapshot) -> None:
        """Use the look from before the epoch: take its targets out. If it has none, send the service back, unless that
        changed. Stop no task that it did not see in the traffic: it may have been registered since.
        """
        left = self._left(first)
        if left.drain:
            self._remove(left, first)
        elif left.update:
            now = self.run.ecs.service()
            seen = (first.marks.epoch, first.marks.wanted, first.service.revision)
            if seen == (now.marks.epoch, now.marks.wanted, now.revision):
                self._change(left, replace(first, service=now))

    def _undone(self) -> set[str]:
        """What the service ran or was to run before, whatever its number: a rollback takes it away. `--to` does not."""
        if self.began is None or self.target:
            return set()
        return {arn for arn in (self.began.service.revision, self.began.marks.wanted) if arn}

    def _refuse_epoch(self, seen: Snapshot) -> None:
        """Another rollback began: raise Overtaken. Only the old epoch is seen, which is a late read: after STALE_WITHIN
        raise EpochTakenBack.
        """
        if seen.marks.epoch != self.replaced:
            if self._moved:
                undo_update(self.run, self._moved)
            raise Overtaken(seen.marks.epoch)
        if self.run.clock.now() > self._stale_until:
            raise EpochTakenBack(
                f"service {seen.service.label} has the `{release_tags.EPOCH}` of before this rollback, "
                "somebody writes it back",
                cure="find out who (CloudTrail: TagResource), take the permission away, and run it again",
            )

    def _ended(self, seen: Snapshot) -> Snapshot:
        self._await_stopping()
        if self.bound:
            refuse_astray(seen)
        return replace(seen, service=self._stable(seen))

    def _left(self, seen: Snapshot) -> Leftover:
        passing = self._sweeps >= decide.MOST_SWEEPS
        left = decide.leftover(seen, self._made, self._kept, self._drained, bound=self.bound, passing=passing)
        to_move = self.target and seen.service.revision != self.target != self._moved
        if to_move and not (left.drain or left.stop):
            return Leftover(update=self.target)
        return Leftover() if left.update == self._moved and self._moving(seen) else left

    def _moving(self, seen: Snapshot) -> bool:
        """Whether DescribeServices does not show yet what UpdateService was told: the old deployment is still there."""
        if not self._moved or seen.service.revision == self._moved or self.run.clock.now() >= self._shown_by:
            return False
        return seen.service.primary is not None and seen.service.primary.id == self._moved_from

    def _remove(self, left: Leftover, seen: Snapshot) -> None:
        if left.drain:
            if self._drain(left, seen) and (tasks := self._left(replace(seen, registrations=())).stop):
                self._stop(tasks, seen)
        elif left.stop:
            self._stop(left.stop, seen)
        else:
            self._change(left, seen)

    def _change(self, left: Leftover, seen: Snapshot) -> None:
        """The service and revisions: never on the word of tags that cannot be right. Raises Refused."""
        if not self.target:
            refuse_disbelieved(seen)
        if left.update:
            self._update(left.update, seen)
        elif left.rewrite:
            self._rewrite(left.rewrite, seen)
        elif not self._waited():
            self._deregister(left, seen)

    def _drain(self, left: Leftover, seen: Snapshot) -> bool:
        """Whether the tasks that go were all seen to be out of the traffic at the end.

        Their addresses leave every target group: another process may have registered them since the look.
        """
        with self.steps("drain") as step:
            targets = [registration.target for registration in left.drain if registration.owner]
            tasks, groups = seen.stale_tasks, len(seen.service.load_balancing)
            own = targets_of(self.run, tasks, seen.service)
            leaving = {target.address: target for target in (*own, *targets)}
            draining = {found.target.address for found in seen.registrations if found.draining}
            going = [target for address, target in leaving.items() if address not in draining]
            departure = self._retire.leave(list(leaving.values()), going=going, registrations=left.drain)
            self._drained.update(targets)
            removed = {str(target) for target in (*targets, *departure.unowned)}
            if removed:
                step.message = f"out of the traffic: {', '.join(sorted(removed))}"
        return departure.drained and len(own) == len(tasks) * groups

    def _stop(self, tasks: Sequence[Task], seen: Snapshot) -> None:
        self._sweeps += 1
        with self.steps("cleanup") as step:
            self._stopped.update({task.arn: task for task in tasks})
            self._made |= {task.revision for task in tasks if self._never_ran(task, seen)}
            self._kept -= {task.revision for task in tasks}
            self._retire.stop(tasks)
            step.message = f"stopped: {', '.join(task.id for task in self._stopped.values())}"

    def _never_ran(self, task: Task, seen: Snapshot) -> bool:
        """Of a canary that started in the epoch before, between the rollback's look and its write."""
        ours = task.role == CANARY and task.epoch == self.replaced and not seen.mismatch(task)
        return ours and self.began is not None and decide.never_ran(self.began, task.revision)

    def _update(self, revision: str, seen: Snapshot) -> None:
        refuse_unfit(self.run, seen.service, Use.UPDATE)
        with self.steps("service-update") as step:
            self._moved, self._shown_by = revision, self.run.clock.now() + APPEARS_WITHIN
            self._moved_from = seen.service.primary.id if seen.service.primary else ""
            ServiceUpdate(self.run).carry_out(seen.service, revision)
            step.message = f"back to {Revision(revision).name}"

    def _rewrite(self, revision: str, seen: Snapshot) -> None:
        with self.steps("service-update"):
            release = seen.revisions[revision].release
            with self.run.recorder.noting(f"mark {Revision(revision).name} as the one that {seen.service.label} runs"):
                self.run.ecs.tag(
                    seen.service.arn,
                    {release_tags.WANTED: revision, release_tags.RELEASE: release, release_tags.PREVIOUS: ""},
                )

    def _deregister(self, left: Leftover, seen: Snapshot) -> None:
        """Only what is proven unused; the service has to be stable on the revision that it returned to."""
        service = self._stable(seen)
        with self.steps("deregister") as step:
            gone = []
            for arn in left.deregister:
                if deregister(self.run, service, arn):
                    gone.append(Revision(arn).name)
                else:
                    self._kept.add(arn)
            step.message = "; ".join(filter(None, (step.message, f"deregistered {', '.join(gone)}" if gone else "")))

    def _waited(self) -> bool:
        """Wait for a task that is listed late, for RunTask may be the last that a dead process did.

        Whether there was a wait: what was seen before it has to be looked at again.
        """
        deadline = Deadline(self._listed_by, TASKS_LAG)
        if not self.await_late_tasks or self.run.clock.now() >= deadline.at:
            return False

        def look() -> tuple[None, str]:
            listed = any(task.epoch != self.epoch for task in self.run.observer.tasks())
            why = "no task is left; but one started a moment ago may not be listed yet: looking again"
            return None, "" if listed else why

        wait.last_seen(look, self.run.clock, deadline, self.run.recorder.progress)
        return True

    def _stable(self, seen: Snapshot) -> Service:
        """The service once the rollout that brings it back, when there is one, is over."""
        wanted = seen.marks.wanted
        primary = seen.service.primary
        if wanted is None or primary is None or seen.service.revision != wanted:
            return seen.service
        if primary.rollout == "COMPLETED" and not seen.service.tasks_beside(primary):
            return seen.service
        with self.steps("stable") as step:
            try:
                rollout = StableStep(self.run, wanted, only_ecs_verdict=True)
                deadline = rollout_deadline(self.run, seen.service, wanted)
                stable = settle(rollout, self.run, deadline, at_once=False)
            except ReleaseFailed as error:
                raise Trouble(
                    f"the service does not come back to {Revision(wanted).name}: {error.message}",
                    cure="see the evidence; `rollback --to` takes any other revision",
                    evidence=error.evidence,
                ) from error
            step.message = rollout.told(stable)
        return stable

    def _await_stopping(self) -> None:
        """A process before this one may have been killed after StopTask."""
        going = [task for task in self.run.observer.stopping() if task.status != "STOPPED"]
        if going:
            with self.steps("cleanup"):
                self._retire.stop((), going)
