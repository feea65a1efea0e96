"""The canary's tasks: started once whatever happens, by RunTask's clientToken, which is the lock as well."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

from ecs_pipeline.engine.converge import Step
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, NotPlaced, Refused, TokenTaken, Trouble
from ecs_pipeline.model import placement
from ecs_pipeline.model.release import BASELINE, CANARY, Revision, Service, Task, TaskDefinition
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.protocol.observe import TASKS_LAG
from ecs_pipeline.protocol.snapshot import mismatch
from ecs_pipeline.steps.ended import ended
from ecs_pipeline.steps.trust import foreign, other_image
from ecs_pipeline.task_definitions import definition
from ecs_pipeline.task_definitions.run_parameters import run_parameters
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Broken, Deadline, Judgement, Settled, Waiting

SEEN_WITHIN, POLL = 60.0, 1.0
"""Seconds that AWS may take to show a task that it says it started (eventual consistency), and between two looks."""
MOST_TOKENS = 50


class Lost(Refused):
    """Another release's canary holds the service; `winner` is its task."""

    def __init__(self, winner: Task) -> None:
        super().__init__(f"release {winner.release} was faster: its canary task {winner.id} holds the service")
        self.winner = winner


@dataclass
class Created:
    """What this process made or may have made, so that it can undo it when its release is cancelled.

    `tasks` are numbers by ARN: those that RunTask named. `planned` are those that a dry run would have started by now.
    """

    tasks: dict[str, int] = field(default_factory=dict)
    revisions: list[str] = field(default_factory=list)
    planned: set[int] = field(default_factory=set)


@dataclass
class TasksStep(Step[Mapping[int, Task], "list[Task]"]):
    """So many living tasks of the revision, numbered from 0; all of them running.

    `deadline`: until then RunTask is tried again when AWS finds no place; None: once.
    """

    run: Run
    fence: Fence
    service: Service
    revision: TaskDefinition
    container: str
    count: int
    made: Created
    role: str = CANARY
    release: str = ""
    deadline: Deadline | None = None
    _chosen: dict[str, int] = field(default_factory=dict)
    _seen_at_start: dict[str, Task] = field(default_factory=dict)
    name = "tasks"

    def __post_init__(self) -> None:
        """A baseline's tasks are of the canary's release, but not of its revision."""
        self.release = self.release or self.revision.revision.release

    def observe(self) -> dict[int, Task]:
        """Our tasks by number: the living one (the older of two), else the last that this process started.

        Once each number has its task, only those are looked at; right after a start, what the look after it saw counts.
        Raises Foreign, IdInUse when a task has our tags and the place of one of ours, and is none.
        """
        if len(self._chosen) == self.count:
            return {self._chosen[task.arn]: task for task in self.run.ecs.tasks(self._chosen)}
        known = self._seen_at_start or {task.arn: task for task in self.run.observer.tasks()}
        self._seen_at_start = {}
        missing = [arn for arn in self.made.tasks if arn not in known]
        known.update({task.arn: task for task in self.run.ecs.tasks(missing)} if missing else {})
        found: dict[int, Task] = {}
        for task in sorted(self._ours(known), key=lambda each: (not each.alive, each.age_key)):
            found.setdefault(self._number(task), task)
        for task in self._of_this_epoch(known):
            if self._number(task) not in found and self._number(task) < self.count:
                self._refuse(task)
        for task in found.values():
            self._adopt(task)
        self._chosen = {task.arn: index for index, task in found.items() if index < self.count}
        return found

    def decide(self, seen: Mapping[int, Task]) -> str:
        """Start those that are missing."""
        missing = self._missing(seen)
        return f"run {_counted(len(missing))} of {self.revision.revision.name}" if missing else ""

    def act(self, seen: Mapping[int, Task]) -> None:
        """(4) RunTask for each number; whose task the token names decides who holds the service."""
        for index in self._missing(seen):
            self._start(index)

    def judge(self, seen: Mapping[int, Task]) -> Judgement[list[Task]]:
        """All are RUNNING."""
        tasks = [seen[index] for index in range(self.count) if index in seen]
        for task in tasks:
            if not task.alive:
                return ended(self.run, task, self.revision, self.container, self.role)
        running = [task for task in tasks if task.status == "RUNNING"]
        if len(running) == self.count:
            return Settled(running)
        states = ", ".join(sorted({task.status for task in tasks if task.status != "RUNNING"})) or "not listed yet"
        return Waiting(f"{len(running)} of {_counted(self.count)} running ({states})")

    def told(self, result: list[Task]) -> str:
        """The tasks."""
        return f"running: {', '.join(task.id for task in result)}"

    def _missing(self, seen: Mapping[int, Task]) -> list[int]:
        return [index for index in range(self.count) if index not in seen]

    def _ours(self, known: Mapping[str, Task]) -> list[Task]:
        stopped = [task for task in known.values() if not task.alive and task.arn in self.made.tasks]
        living = self._of_this_epoch(known)
        return stopped + [task for task in living if task.release == self.release and not self._mismatch(task)]

    def _of_this_epoch(self, known: Mapping[str, Task]) -> list[Task]:
        """Living tasks with the tags of this epoch and role."""
        wanted = (self.fence.epoch, self.role)
        return [task for task in known.values() if task.alive and (task.epoch, task.role) == wanted]

    def _mismatch(self, task: Task) -> str:
        """(1) Why a task with our tags is none of ours; '' when it is, or another release's canary."""
        found = self._made_by_another(task)
        if found or task.revision == self.revision.revision.arn or (self.role, task.release) != (CANARY, self.release):
            return found
        whole = self.run.definitions.get(task.revision)
        if definition.changes(self.revision, whole, self.run.definitions.read_only_members):
            return f"it runs {whole.revision.name}, which is not what this run registered"
        return ""

    def _made_by_another(self, task: Task) -> str:
        """The same by the tags of the task's revision; a baseline runs what the service runs."""
        mine = self.revision.revision
        try:
            theirs = self.run.definitions.get(task.revision).revision
        except InvalidInput:
            theirs = Revision(task.revision, active=False)
        if self.role == BASELINE and not task.overridden and theirs.arn != mine.arn:
            return f"it runs {theirs.name}, and the service {mine.name}"
        known = theirs.arn.rpartition(":")[0] == mine.arn.rpartition(":")[0]
        service = self.fence.look_again() if theirs.promoted and theirs.arn != mine.arn else self.service
        return mismatch(task, theirs, known=known, service=service)

    def _refuse(self, task: Task) -> None:
        """Raises Foreign, or IdInUse, for a task that is none of ours."""
        why = self._mismatch(task)
        if not why:
            return
        if not self._made_by_another(task):
            there = definition.image_of(self.run.definitions.get(task.revision), self.container)
            ours = definition.image_of(self.revision, self.container)
            if there != ours:
                raise other_image(self.release, self.service.label, there, ours)
        named = f"release {task.release}'s {self.role}" if task.release else f"a {self.role}"
        raise foreign(self.service.cluster, task, f"task {task.id} has the tags of {named}, but {why}")

    def _number(self, task: Task) -> int:
        """A stopped task has lost its tags: go by what this process knows of it."""
        return self.made.tasks.get(task.arn, task.index)

    def _start(self, index: int) -> None:
        stopped_before = set(self.run.ecs.arns_started_by(self.run.observer.started_by, "STOPPED"))
        token = decide.first_token(self.service.label, self.fence.epoch, self.role, index)
        for _ in range(MOST_TOKENS):
            named = self._placed(token, index)
            seen = self._seen_with(named)
            task = seen.get(named)
            gone = task is None or (not task.alive and (named in stopped_before or not self._runs_mine(task)))
            if task is None or gone or self._is_elsewhere(task):
                self.made.tasks.pop(named, None)
                token = decide.next_token(token, named)
                continue
            self._settle(task, index, seen)
            self._seen_at_start = seen
            return
        raise Trouble(
            f"after {MOST_TOKENS} stopped canary tasks of {self.service.label} there is no unused RunTask token",
            cure="run it again in an hour",
        )

    def _placed(self, token: str, index: int) -> str:
        """The task that the token stands for, as soon as AWS finds a place for it.

        A RunTask that placed nothing leaves its token free: the same one is used again. Raises StepBroken, TimedOut.
        """

        def attempt() -> Judgement[str]:
            try:
                return Settled(self.fence.write(partial(self._run_task, token, index)))
            except TokenTaken:
                holder = self._oldest(index, {task.arn: task for task in self.run.observer.tasks()})
                if holder is None:
                    raise
                return Settled(holder.arn)
            except NotPlaced as failure:
                reasons = ", ".join(placement.explained(reason, self.revision.definition) for reason in failure.reasons)
                passes = all(placement.may_pass(reason) for reason in failure.reasons)
                return Waiting(f"no place: {reasons}") if passes else Broken(f"no place: {reasons}")

        deadline = self.deadline or Deadline(self.run.clock.now(), 0)
        return wait.until(attempt, self.run.clock, deadline, self.run.recorder.progress)

    def _run_task(self, token: str, index: int) -> str:
        release, epoch = self.release, self.fence.epoch
        parameters = run_parameters(
            self.service,
            revision=self.revision.revision.arn,
            revision_tags=self.revision.tags,
            release=release,
            epoch=epoch,
            role=self.role,
            index=index,
        )
        named = self.run.ecs.run_task({**parameters, "clientToken": token})
        self.made.tasks[named] = index
        return named

    def _adopt(self, task: Task) -> None:
        """A living task of this release that runs another revision is another process': that revision it is."""
        if task.alive and not self._runs_mine(task):
            self.revision = self.run.definitions.get(task.revision)

    def _runs_mine(self, task: Task) -> bool:
        return task.revision == self.revision.revision.arn

    def _seen_with(self, arn: str) -> dict[str, Task]:
        """(4) The look after RunTask: our living tasks, and the one that it named as soon as AWS shows that.

        With its tags when it may be ours; without it when it is long gone.
        """
        clock, seen = self.run.clock, dict[str, Task]()
        tagged_by = clock.now() + TASKS_LAG
        for _ in wait.looks(clock, POLL, Deadline.after(clock, SEEN_WITHIN)):
            seen = self.run.observer.tasks_and(arn)
            found = seen.get(arn)
            untagged = found is not None and found.alive and not found.of and self._runs_mine(found)
            if found and (not untagged or clock.now() >= tagged_by):
                break
        return seen

    def _is_elsewhere(self, task: Task) -> bool:
        """A living task without our tags has the token: somebody else knew it, and it is no canary of this service."""
        ours = (self.service.name, self.run.observer.started_by, self.fence.epoch, self.role)
        if not task.alive or (task.of, task.started_by, task.epoch, task.role) == ours:
            return False
        self.run.recorder.progress(f"task {task.id}, which is no canary of this service, has the token: the next one")
        return True

    def _settle(self, task: Task, index: int, seen: Mapping[str, Task]) -> None:
        """Of two living tasks the older stays; another release's means that this one lost; nobody's is refused."""
        if task.alive and self._mismatch(task):
            self.made.tasks.pop(task.arn)
            self._refuse(task)
        mine = not task.alive or task.release == self.release
        oldest = self._oldest(index, seen) or task
        if mine and task.alive and oldest.arn != task.arn:
            self.fence.write(lambda: self.run.ecs.stop_task(task.arn, "ecs-pipeline: a second task for the same token"))
            self.made.tasks.pop(task.arn)
        if oldest.alive and oldest.release != self.release:
            raise Lost(oldest)
        self._adopt(oldest)

    def _oldest(self, index: int, seen: Mapping[str, Task]) -> Task | None:
        """Of the living tasks of this epoch, role and number the oldest, whoever started it."""
        rivals = [task for task in self._of_this_epoch(seen) if task.index == index and not self._mismatch(task)]
        return min(rivals, key=lambda task: task.age_key, default=None)


def shown(run: Run, arns: Collection[str]) -> tuple[Task, ...]:
    """The tasks that RunTask named, once DescribeTasks shows them all or TASKS_LAG is over."""

    def look() -> tuple[tuple[Task, ...], str]:
        found = run.ecs.tasks(arns)
        missing = len(found) < len(arns)
        return found, f"{len(found)} of {_counted(len(arns))} that were started are shown" if missing else ""

    return wait.last_seen(look, run.clock, Deadline.after(run.clock, TASKS_LAG), run.recorder.progress)


def _counted(number: int) -> str:
    return f"{number} task" if number == 1 else f"{number} tasks"
