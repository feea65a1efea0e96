"""The service's rollout, followed by its deployment: done, not yet, or failed (and why), noticed at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ecs_pipeline.engine import evidence
from ecs_pipeline.engine.converge import Step
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.model import placement, rollout_time, stops
from ecs_pipeline.model.breaker import breaker_is_on, failures_allowed, rolled_back
from ecs_pipeline.model.release import Deployment, Event, Revision, Service, Task, TaskDefinition
from ecs_pipeline.steps.rollout_deadline import groups_of
from ecs_pipeline.steps.rollout_progress import Progress
from ecs_pipeline.task_definitions.definition import chosen_container
from ecs_pipeline.timing.wait import Broken, Judgement, Settled, Waiting, duration

APPEARS_WITHIN, ANOTHER_FOR = 30.0, 5.0
"""Seconds: DescribeServices may lag so far behind UpdateService; a replica that is behind may answer for so long."""
HOPELESS_FOR = 15.0
"""Seconds without a move after which a reason that cannot pass is believed: another container instance may do."""

PROTECTED = "under protection"
NOT_PLACED = ("unable to place a task", "failed to launch a task")
STUCK = "because of the service deployment configuration"
"""In ECS' event when neither a task can be stopped nor one be started: no waiting changes that."""
ROLLED_BACK = "rolling back to deployment"


@dataclass
class Seen:
    """The service, and the tasks of the wanted revision that stopped since its deployment began."""

    service: Service
    failed: list[Task] = field(default_factory=list)


@dataclass
class StableStep(Step[Seen, Service]):
    """The service runs one revision and nothing else, as its deployment says.

    Where its circuit breaker is on, ECS judges the tasks that fail; else they are counted here. What ECS itself goes on
    trying is told and waited for, until nothing has moved for `promote.stalled_after`.

    `only_ecs_verdict`: on the way back there is nothing better to do than to let ECS try, so failed tasks are not
    counted, and looked at once its verdict is there.
    """

    run: Run
    revision: str
    only_ecs_verdict: bool = False
    name = "stable"
    writes = False
    _known: dict[str, Task] = field(default_factory=dict)
    _ours: Deployment | None = None
    _begun: float | None = None
    _another_since: float | None = None
    _progress: Progress = field(default_factory=Progress)
    _forgiven: set[str] = field(default_factory=set)
    _failed_before: int = 0
    _told: set[str] = field(default_factory=set)
    _excuse: str = ""

    def observe(self) -> Seen:
        """The service; also the tasks that failed, where they decide or the rollout has failed."""
        service = self.run.ecs.service()
        self._ours = next(
            (deployment for deployment in service.deployments if deployment.revision == self.revision), self._ours
        )
        if self._ours is None or self._ours.rollout == "COMPLETED":
            return Seen(service)
        goes_on = self._ours == service.primary and self._ours.rollout != "FAILED"
        others_judge = self.only_ecs_verdict or breaker_is_on(service)
        return Seen(service, [] if others_judge and goes_on else self._failed_tasks(self._ours))

    def judge(self, seen: Seen) -> Judgement[Service]:
        """Settled when the deployment of the revision is COMPLETED and no other one has tasks."""
        service, primary = seen.service, seen.service.primary
        if primary is None:
            return Waiting("the service has no primary deployment")
        if primary.revision != self.revision:
            return self._not_ours(seen, primary)
        self._another_since = None
        self._look_in(seen, primary)
        ended = self._ended(seen, primary)
        if ended:
            return ended
        others = service.tasks_beside(primary)
        done = primary.rollout == "COMPLETED" or (not primary.rollout and primary.running >= service.desired)
        if done and not others and service.pending == 0:
            return Settled(service)
        missing = "the deployment is not complete" if self._all_run(service, primary) else ""
        return Waiting("; ".join(filter(None, (self._counts(service, primary), missing, self._excuse))))

    def _all_run(self, service: Service, primary: Deployment) -> bool:
        return primary.running >= service.desired and not service.tasks_beside(primary)

    def _is_back(self, service: Service) -> bool:
        """Whether all tasks run the revision, be it for an earlier deployment of it."""
        mine = [deployment for deployment in service.deployments if deployment.revision == self.revision]
        others = [deployment for deployment in service.deployments if deployment.revision != self.revision]
        return sum(deployment.running for deployment in mine) >= service.desired and not any(
            deployment.running for deployment in others
        )

    def _counts(self, service: Service, primary: Deployment) -> str:
        others = [deployment for deployment in service.deployments if deployment is not primary]
        again = sum(
            deployment.running + deployment.pending for deployment in others if deployment.revision == self.revision
        )
        old = sum(deployment.running + deployment.pending for deployment in others) - again
        told = [f"{primary.running} of {service.desired} tasks run {Revision(self.revision).name}"]
        told += [f"{again} for an earlier deployment of it"] if again else []
        return ", ".join([*told, f"{old} of another revision"] if old else told)

    def told(self, result: Service) -> str:
        """What runs."""
        return f"{result.running} of {result.desired} tasks run {Revision(self.revision).name}"

    def evidence(self) -> list[str]:
        """The service's events, and why its tasks failed."""
        service = self.run.ecs.service()
        primary = service.primary
        return self._evidence(Seen(service), primary) if primary else []

    def awaited(self, seen: Seen) -> str:
        """That the service runs the revision and nothing else."""
        return f"wait until {seen.service.label} runs {Revision(self.revision).name} and nothing else"

    def planned(self, seen: Seen) -> Service:
        """As it is."""
        return seen.service

    def _ended(self, seen: Seen, primary: Deployment) -> Settled[Service] | Broken | None:
        """That it failed, or stands still; on the way back a service that runs the revision already is back."""
        broken = self._broken(seen, primary)
        stalled = "" if broken or primary.rollout == "COMPLETED" else self._stalled(seen.service, primary)
        if stalled and self.only_ecs_verdict and self._is_back(seen.service):
            name = Revision(self.revision).name
            self.run.recorder.progress(f"all tasks run {name}; ECS finds no place to renew them")
            return Settled(seen.service)
        why = broken or stalled
        return Broken(why, self._evidence(seen, primary)) if why else None

    def _broken(self, seen: Seen, primary: Deployment) -> str:
        if primary.rollout == "FAILED":
            return f"the deployment failed: {primary.reason or 'no reason given'}"
        if primary.rollout == "COMPLETED":
            return ""
        stuck = next((event.message for event in _saying(seen.service, primary, [STUCK])), "")
        if stuck or self.only_ecs_verdict or breaker_is_on(seen.service):
            return stuck
        failed = [task for task in seen.failed if task.arn not in self._forgiven]
        if len(failed) < failures_allowed(seen.service):
            return ""
        return f"{len(failed)} tasks of the new revision failed: {self._cause(seen)}"

    def _look_in(self, seen: Seen, primary: Deployment) -> None:
        """Notice whether the rollout moves; say once what ECS cannot place.

        Failures before a task became healthy are forgiven, as the circuit breaker does it (resetOnHealthyTask): ECS
        then counts anew, or takes an old task away.
        """
        replaced = self._progress.see(seen.service, primary, self.run.clock.now())
        if primary.failed < self._failed_before or replaced:
            self._forgiven |= {task.arn for task in seen.failed}
        self._failed_before = primary.failed
        for event in reversed(_saying(seen.service, primary, (*NOT_PLACED, PROTECTED))):
            self._tell_once(event.message)

    def _stalled(self, service: Service, primary: Deployment) -> str:
        """Why waiting longer is of no use; '' while something moves, drains or has its time to become healthy."""
        still, patience = self._progress.still_for(self.run.clock.now()), self.run.settings.promote.stalled_after
        unplaced = self._unplaced(service, primary)
        if unplaced and not placement.may_pass(unplaced.message) and still >= HOPELESS_FOR:
            return unplaced.message
        too_long = still >= patience + (self._until_healthy(service) if primary.running else 0)
        self._excuse = self._excused(service, primary) if too_long or self._excuse else ""
        if self._excuse:
            self._progress.excuse(self.run.clock.now())
        if self._excuse or not too_long:
            return ""
        why = f": {unplaced.message}" if unplaced else ""
        return f"nothing has moved for {duration(still)}, {self._counts(service, primary)}{why}"

    def _unplaced(self, service: Service, primary: Deployment) -> Event | None:
        """The newest event of this deployment that says that a task has no place."""
        return next(iter(_saying(service, primary, NOT_PLACED)), None)

    def _until_healthy(self, service: Service) -> float:
        definition = self.run.definitions.get(self.revision).definition
        return rollout_time.until_healthy(service, groups_of(self.run, service), definition)

    def _excused(self, service: Service, primary: Deployment) -> str:
        """What goes on that the counts do not show; '' for nothing."""
        if self._tasks_leave():
            return "old tasks drain or stop"
        if self._all_run(service, primary):
            return "ECS watches its alarms" if rollout_time.watches_alarms(service) else ""
        until = self._protected_until() if service.tasks_beside(primary) else []
        tasks = "1 task is" if len(until) == 1 else f"{len(until)} tasks are"
        return f"{tasks} protected from scale-in until {max(until):%H:%M} UTC" if until else ""

    def _protected_until(self) -> list[datetime]:
        """Nothing, and told once, where the role may not ask: no rollout ends for that."""
        running = self.run.ecs.arns_of_service()
        try:
            return self.run.ecs.protected_until(running)
        except Trouble as denied:
            self._tell_once(f"whether tasks are protected cannot be told: {denied.message}")
        return []

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self.run.recorder.progress(line)

    def _tasks_leave(self) -> bool:
        """Whether tasks of the service drain or stop, which its counts do not show."""
        ended = {arn for arn, task in self._known.items() if task.status == "STOPPED"}
        told_to_stop = [arn for arn in self.run.ecs.arns_of_service("STOPPED") if arn not in ended]
        self._known.update({task.arn: task for task in self.run.ecs.tasks(told_to_stop)} if told_to_stop else {})
        return any(self._known[arn].status != "STOPPED" for arn in told_to_stop if arn in self._known)

    def _not_ours(self, seen: Seen, primary: Deployment) -> Judgement[Service]:
        now = Revision(primary.revision).name
        if self._ours is None and not self._overdue():
            return Waiting(f"ECS does not show the deployment of {Revision(self.revision).name} yet")
        if self._was_rolled_back(seen.service, self._ours or primary):
            cause = self._cause(seen)
            why = (
                f"ECS rolled the deployment back to {now}: {cause or (self._ours and self._ours.reason) or 'it failed'}"
            )
        elif self._ours is not None and not self._shown_for_long():
            return Waiting(f"ECS shows {now} again")
        else:
            why = f"the service was set to {now} while {Revision(self.revision).name} rolled out"
        return Broken(why, self._evidence(seen, self._ours or primary))

    def _was_rolled_back(self, service: Service, deployment: Deployment) -> bool:
        """ECS says so in its events; a failed deployment itself soon leaves the list."""
        return bool(_saying(service, deployment, [ROLLED_BACK])) or rolled_back(service, self.revision)

    def _shown_for_long(self) -> bool:
        """Whether another revision was shown for longer than a replica is behind."""
        now = self.run.clock.now()
        self._another_since = now if self._another_since is None else self._another_since
        return now - self._another_since > ANOTHER_FOR

    def _overdue(self) -> bool:
        if self._begun is None:
            self._begun = self.run.clock.now()
        return self.run.clock.now() - self._begun > APPEARS_WITHIN

    def _cause(self, seen: Seen) -> str:
        """Why the task failed that failed last; '' when none has."""
        for task in seen.failed[-1:]:
            whole = self.run.definitions.get(task.revision)
            return evidence.first_cause(task, whole, self._released(whole, seen.service))
        return ""

    def _released(self, whole: TaskDefinition, service: Service) -> str:
        """The container that gets releases; the first one when that cannot be told."""
        try:
            return chosen_container(whole.definition, service, self.run.settings.container)
        except InvalidInput:
            return str(whole.definition["containerDefinitions"][0]["name"])

    def _evidence(self, seen: Seen, deployment: Deployment) -> list[str]:
        lines = []
        for task in (seen.failed or self._failed_tasks(deployment))[-1:]:
            whole = self.run.definitions.get(task.revision)
            released = self._released(whole, seen.service)
            lines += evidence.how_it_ended(self.run, task, whole, released)
        return lines + evidence.of_service(seen.service, deployment.created)

    def _failed_tasks(self, primary: Deployment) -> list[Task]:
        """Stopped tasks of this deployment; each is described once."""
        stopped = [arn for arn in self.run.ecs.arns_of_service("STOPPED") if arn not in self._known]
        self._known.update({task.arn: task for task in self.run.ecs.tasks(stopped)} if stopped else {})
        return sorted(
            (
                task
                for task in self._known.values()
                if task.revision == self.revision
                and (primary.created is None or task.created >= primary.created)
                and stops.failed(task)
            ),
            key=lambda task: task.age_key,
        )


def _saying(service: Service, deployment: Deployment, texts: Sequence[str]) -> list[Event]:
    """The service's events since the deployment began that say one of the texts, newest first."""
    since = deployment.created
    said = [event for event in service.events if any(text in event.message for text in texts)]
    return [event for event in said if not since or event.at >= since]
