"""One size of the canary in service: its tasks running, healthy and in the traffic, and those of its baseline beside.

A baseline that does not come up is left out from then on: it can make comparisons inconclusive, never fail a canary.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from ecs_pipeline.engine.converge import Step, converge, planned
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import ReleaseFailed
from ecs_pipeline.model.load_balancing import group_name
from ecs_pipeline.model.release import BASELINE, Task, TaskDefinition, share
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.baseline import WithBaseline, leave_traffic, own_baselines
from ecs_pipeline.steps.container_health import NO_CHECK, HealthyStep
from ecs_pipeline.steps.deregister import discard
from ecs_pipeline.steps.grace import warn_of_a_slow_start
from ecs_pipeline.steps.renewal import until_up
from ecs_pipeline.steps.tasks import Created, TasksStep
from ecs_pipeline.steps.traffic import Seen as Targets
from ecs_pipeline.steps.traffic import TrafficStep, healthy_others, record_share, record_tasks, targets_seen
from ecs_pipeline.task_definitions.definition import image_of
from ecs_pipeline.timing.wait import Deadline, Settled

Seen = TypeVar("Seen")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Started:
    """The tasks in the traffic, `baselines` those to compare with, if any; `seen`: how all of it was then."""

    tasks: list[Task]
    baselines: list[Task]
    revision: TaskDefinition
    seen: Targets | None = None


@dataclass
class Start:
    """Bring `count` tasks of a revision into service; `made` and `beside` get what was started of each role.

    `before`: as many as the size before this one has.
    """

    run: Run
    fence: Fence
    seen: Snapshot
    current: TaskDefinition
    container: str
    revision: TaskDefinition
    count: int
    before: int
    made: Created
    beside: Created

    def carry_out(self) -> Started:
        """`healthy_within` covers all of it. Raises what its steps raise."""
        run = self.run
        if run.dry_run:
            self._plan()
            return Started([], [], self.revision)
        deadline = Deadline.after(run.clock, run.settings.canary.healthy_within)
        return until_up(run, self.made, self.fence.write, deadline, lambda: self._attempt(deadline))

    def _attempt(self, deadline: Deadline) -> Started:
        run, service, container = self.run, self.seen.service, self.container
        tasks, baselines = self._start_tasks(deadline)
        record_tasks(run, [*tasks, *baselines])
        stable = self.current
        healthy = HealthyStep(run, tasks, self.revision, container)
        beside = HealthyStep(run, baselines, stable, container, BASELINE)
        well = self._both(healthy, beside, baselines, deadline)
        tasks, baselines = sorted(well[0], key=lambda task: task.index), list(well[1] or ())
        new = self.before == 0 and {task.arn for task in tasks} <= set(self.made.tasks)
        traffic = TrafficStep(run, self.fence, service, tasks, self.revision, container, uncounted=baselines, new=new)
        traffic_beside = TrafficStep(run, self.fence, service, baselines, stable, container, BASELINE)
        seen, others = self._both(traffic, traffic_beside, baselines, deadline)
        if baselines and others is None:
            leave_traffic(run, self.fence.write)
            baselines = []
        warn_of_a_slow_start(run, service, tasks, self.made.tasks)
        together = seen.with_those_of(others) if others else seen
        record_share(run, [*tasks, *baselines], traffic.others(seen), together)
        return Started(tasks, baselines, self.revision, together)

    def _start_tasks(self, deadline: Deadline) -> tuple[list[Task], list[Task]]:
        """The canary's tasks, and with `baseline: true` one of the stable revision, started at the same moment."""
        run, service, container = self.run, self.seen.service, self.container
        starting = TasksStep(
            run, self.fence, service, self.revision, container, self.count, self.made, deadline=deadline
        )
        try:
            if not run.settings.canary.baseline:
                tasks, baselines = converge(starting, run, deadline), None
            else:
                release = self.revision.revision.release
                stable = TasksStep(run, self.fence, service, self.current, container, 1, self.beside, BASELINE, release)
                tasks, baselines = converge(WithBaseline(run, starting, stable, deadline), run, deadline)
        except ReleaseFailed:
            record_tasks(run, run.ecs.tasks(self.made.tasks))
            raise
        self._adopt(starting.revision)
        return tasks, baselines or []

    def _both(
        self, canary: Step[Seen, Result], baseline: Step[Seen, Result], baselines: list[Task], deadline: Deadline
    ) -> tuple[Result, Result | None]:
        """Carry a step out, for the baseline as well when there is one; None when that did not come to its end."""
        if not baselines:
            return converge(canary, self.run, deadline), None
        return converge(WithBaseline(self.run, canary, baseline, deadline), self.run, deadline)

    def _adopt(self, revision: TaskDefinition) -> None:
        """(4) The revision that the tasks run; a duplicate that this process registered goes."""
        for arn in [registered for registered in self.made.revisions if registered != revision.revision.arn]:
            discard(self.run, arn)
            self.made.revisions.remove(arn)
        release = self.run.recorder.record.release
        release.task_definition = revision.revision.arn
        release.refer_to(image_of(revision, self.container))
        self.revision = revision

    def _plan(self) -> None:
        """What a dry run says."""
        coming, beside = self._missing()
        found = {"tasks": self._tasks_to_run(coming, beside), "healthy": list[str](), "traffic": list[str]()}
        instead = {}
        healthy = HealthyStep(self.run, list(self.seen.canaries), self.revision, self.container)
        if not healthy.checked:
            instead["healthy"] = NO_CHECK
        elif coming or not isinstance(healthy.judge(self.seen.canaries), Settled):
            found["healthy"] = ["wait for their health checks"]
        if self.seen.service.load_balancing:
            found["traffic"] = self._targets_to_register(coming + beside)
        else:
            instead["traffic"] = "the service has no load balancer: no traffic"
        for name, changes in found.items():
            with self.run.recorder.step(name) as step:
                summary = planned(self.run, changes, writes=name != "healthy")
                step.message = "; then ".join(filter(None, (step.message, instead.get(name, summary))))

    def _missing(self) -> tuple[int, int]:
        """How many tasks of the canary, and of its baseline, are to be started; a size before may have planned some."""
        missing = {*range(self.count)} - {task.index for task in self.seen.canaries} - self.made.planned
        beside = {0} if self.run.settings.canary.baseline and not self._baselines else set()
        beside -= self.beside.planned
        self.made.planned |= missing
        self.beside.planned |= beside
        return len(missing), len(beside)

    @property
    def _baselines(self) -> list[Task]:
        """Those that stay: any other one has gone by then."""
        return own_baselines(self.seen, self.revision.revision.release, self.current.revision.arn)

    def _tasks_to_run(self, coming: int, beside: int) -> list[str]:
        tasks = f"{coming} task{'s' if coming > 1 else ''}"
        return ([f"run {tasks} of {self.revision.revision.name}"] if coming else []) + (
            [f"run 1 task of {self.current.revision.name} as the baseline"] if beside else []
        )

    def _targets_to_register(self, coming: int) -> list[str]:
        """The new tasks, and those that live and are not in the traffic (their process died before).

        What is registered of ours is the canary's, its baseline's, or has gone by then: it is none of the others.
        """
        run, service = self.run, self.seen.service
        groups = [entry.target_group for entry in service.load_balancing]
        tasks = [task for task in self.seen.canaries if task.index < self.count] + self._baselines
        seen = targets_seen(run, tasks, service)
        if not coming and len([target for target in seen.targets if seen.of(target)]) == len(tasks) * len(groups):
            return []
        ours = (*seen.targets, *(registration.target for registration in self.seen.registrations))
        others = healthy_others(run, replace(seen, targets=ours), service.running, groups)
        named = ", ".join(map(group_name, groups))
        return [f"register them in {named}: {share(self.count, others):.0f} % of the traffic"]
