"""What one look at AWS saw, and which of its tasks are whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecs_pipeline.model.load_balancing import Address, Registration, TargetHealth
from ecs_pipeline.model.release import BASELINE, CANARY, Marks, Revision, Service, Task


@dataclass(frozen=True)
class Snapshot:
    """What one look at AWS saw: our tasks, then the service with its marks, then the revisions that matter.

    `at`: when the look began, on the clock. `families` are named by the config. `elsewhere` are living tasks that
    were started as this service's and are tagged as another's. `health` is that of all targets of the service's groups,
    by group and address, where one of them may be ours; else empty.
    """

    tasks: tuple[Task, ...]
    service: Service
    revisions: Mapping[str, Revision]
    registrations: tuple[Registration, ...] = ()
    families: frozenset[str] = frozenset()
    elsewhere: tuple[Task, ...] = ()
    health: Mapping[Address, TargetHealth] = field(default_factory=dict)
    at: float = 0.0

    @property
    def marks(self) -> Marks:
        """The marks of the service."""
        return self.service.marks

    @property
    def canaries(self) -> tuple[Task, ...]:
        """The living canary tasks of this epoch, in order of their index."""
        living = [task for task in self._firsts.values() if task.role == CANARY]
        return tuple(sorted(living, key=lambda task: (task.index, task.age_key)))

    @property
    def first(self) -> Task | None:
        """The canary task of number 0: its tags alone tell how the bake ended, whatever those of the others say."""
        return next((task for task in self.canaries if task.index == 0), None)

    @property
    def verdict(self) -> str:
        """The verdict of the canary; '' when it has none."""
        return self.first.verdict if self.first else ""

    @property
    def baselines(self) -> tuple[Task, ...]:
        """The living baseline task of this epoch, to compare the canary with; there is one at most."""
        return tuple(task for task in self._firsts.values() if task.role == BASELINE)

    @property
    def foreign(self) -> tuple[Task, ...]:
        """Living tasks with our tags of this epoch that no release of the service made: `mismatch` says why."""
        return tuple(task for task in self._of_this_epoch if self.mismatch(task))

    @property
    def seconds(self) -> tuple[Task, ...]:
        """Living tasks that would be ours if their number had no older task: no stage starts two of one number."""
        return tuple(task for task in self._fitting if self._firsts[_place(task)] is not task)

    @property
    def stale_tasks(self) -> tuple[Task, ...]:
        """Living tasks of ours whose epoch is over."""
        return tuple(task for task in self.tasks if task.alive and task.epoch != self.marks.epoch)

    @property
    def _fitting(self) -> list[Task]:
        """The oldest first."""
        fitting = [task for task in self._of_this_epoch if not self.mismatch(task)]
        return sorted(fitting, key=lambda task: task.age_key)

    @property
    def _firsts(self) -> dict[tuple[str, str, int], Task]:
        """By release, role and number the oldest: the token of RunTask lets a stage start one."""
        return {_place(task): task for task in reversed(self._fitting)}

    @property
    def _of_this_epoch(self) -> tuple[Task, ...]:
        return tuple(task for task in self.tasks if task.alive and task.epoch == self.marks.epoch)

    def believes(self, arn: str) -> bool:
        """Whether a revision is of a family that the service runs or the config names: a tag may name no other."""
        return arn.rpartition(":")[0] in self.service.families(self.families)

    def mismatch(self, task: Task) -> str:
        """Why a task with our tags is none of ours; '' when it is."""
        revision = self.revisions.get(task.revision, Revision(task.revision))
        return mismatch(task, revision, known=self.believes(task.revision), service=self.service)

    def refusal(self, task: Task) -> str:
        """Why a task with our tags does not count: its `mismatch`, or that it is a second one; '' when it does."""
        first = self._firsts.get(_place(task), task)
        second = "" if first.arn == task.arn else f"task {first.id} is older and has the same number {task.index}"
        return self.mismatch(task) or second


def _place(task: Task) -> tuple[str, str, int]:
    return task.release, task.role, task.index


def mismatch(task: Task, revision: Revision, *, known: bool, service: Service | None = None) -> str:
    """(1) Why a task with our tags is none of ours; '' when it is.

    Whoever may start or tag tasks can give one our tags. So what counts is what it runs: unchanged, a revision that the
    same release registered in the same epoch, that no promotion replaced, and newer than what the last one replaced.
    `known`: its family is the service's or the config's. `service`: that whose promotions and ECS Exec count, if any.
    """
    reasons = {
        "which is of another family": not known,
        "with overrides": task.overridden,
        "with ECS Exec, which the service does not have": task.exec_enabled and not _has_exec(service),
        "in a role that there is not": task.role not in (CANARY, BASELINE),
    }
    if task.role == CANARY:
        reasons |= {
            f"which release {task.release or 'none'} did not register": revision.release != task.release
            or not task.release,
            "which was registered in another epoch": revision.epoch != task.epoch,
            "which an earlier promotion replaced": service is not None and _is_older(revision, service),
            "which was promoted and then replaced": service is not None and _was_promoted(revision, service),
        }
    return next((f"it runs {revision.name}, {why}" for why, so in reasons.items() if so), "")


def _has_exec(service: Service | None) -> bool:
    """Whether tasks of ours are started with ECS Exec, as the service's own; of an unknown service nobody can say."""
    return service is None or bool(service.raw.get("enableExecuteCommand"))


def _is_older(revision: Revision, service: Service) -> bool:
    """Whether a revision of the service's family is the one before the last promotion, or older.

    One that is merely older than what runs may be of a release that another one overtook. A `previous` that is not
    older than what runs or is to run says nothing: somebody set the service by hand, or wrote the tag.
    """
    before, family = service.marks.previous, service.revision.rpartition(":")[0]
    named = [arn for arn in (service.revision, service.marks.wanted) if arn and arn.rpartition(":")[0] == family]
    ours = before is not None and {before.rpartition(":")[0], revision.arn.rpartition(":")[0]} == {family}
    replaced = Revision(str(before)).number if ours else 0
    return revision.number <= replaced < max(Revision(arn).number for arn in named)


def _was_promoted(revision: Revision, service: Service) -> bool:
    """Whether a promotion of the revision began, and the service is to run another one since.

    A look may read what is wanted just before such a promotion: then the revision is the newer, and its release is
    under way.
    """
    wanted = service.marks.wanted or ""
    same_family = wanted.rpartition(":")[0] == revision.arn.rpartition(":")[0]
    overtaken = same_family and revision.number < Revision(wanted).number
    return revision.promoted and revision.arn != wanted and (overtaken or revision.release != service.marks.under_way)
