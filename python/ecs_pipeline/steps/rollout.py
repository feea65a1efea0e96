"""The service's rollout, followed by its deployment: done, not yet, or failed (and why), noticed at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ecs_pipeline import evidence
from ecs_pipeline.converge import Step
from ecs_pipeline.definition import chosen_container
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model import Deployment, Event, Revision, Service, Task, TaskDefinition
from ecs_pipeline.run import Run
from ecs_pipeline.wait import Broken, Judgement, Settled, Waiting

LEAST_FAILED, MOST_FAILED, FAILED_PART = 3, 200, 0.5
"""The circuit breaker's default threshold, kept here too, for services without a breaker."""

APPEARS_WITHIN = 30.0
"""Seconds that DescribeServices may lag behind UpdateService."""

NOT_PLACED = "unable to place a task"
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

    `patient`: on the way back there is nothing better to do than to let ECS try, so only its own verdict counts, and
    tasks that failed are looked at once it is there.
    """

    run: Run
    revision: str
    patient: bool = False
    name = "stable"
    writes = False
    _known: dict[str, Task] = field(default_factory=dict)
    _ours: Deployment | None = None
    _begun: float | None = None

    def observe(self) -> Seen:
        """The service; while it rolls also the tasks that failed (their reasons are the evidence)."""
        service = self.run.ecs.service()
        self._ours = next((one for one in service.deployments if one.revision == self.revision), self._ours)
        if self._ours is None or self._ours.rollout == "COMPLETED":
            return Seen(service)
        goes_on = self._ours == service.primary and self._ours.rollout != "FAILED"
        return Seen(service, [] if self.patient and goes_on else self._failed_tasks(self._ours))

    def judge(self, seen: Seen) -> Judgement[Service]:
        """Settled when the deployment of the revision is COMPLETED and no other one has tasks."""
        service, primary = seen.service, seen.service.primary
        if primary is None:
            return Waiting("the service has no primary deployment")
        if primary.revision != self.revision:
            return self._not_ours(seen, primary)
        broken = self._broken(seen, primary)
        if broken:
            return Broken(broken, self._evidence(seen, primary))
        others = sum(one.running + one.pending for one in service.deployments if one is not primary)
        done = primary.rollout == "COMPLETED" or (not primary.rollout and primary.running >= service.desired)
        if done and not others and service.pending == 0:
            return Settled(service)
        name = Revision(self.revision).name
        if primary.running >= service.desired and not others:
            return Waiting(f"{primary.running} of {service.desired} tasks run {name}; the deployment is not complete")
        old = f", {others} of another revision" if others else ""
        return Waiting(f"{primary.running} of {service.desired} tasks run {name}{old}")

    def told(self, result: Service) -> str:
        """What runs."""
        return f"{result.running} of {result.desired} tasks run {Revision(self.revision).name}"

    def evidence(self) -> list[str]:
        """The service's events, and why its tasks failed."""
        service = self.run.ecs.service()
        primary = service.primary
        return self._evidence(Seen(service, self._failed_tasks(primary)), primary) if primary else []

    def planned(self, seen: Seen) -> Service:
        """As it is."""
        return seen.service

    def _broken(self, seen: Seen, primary: Deployment) -> str:
        if primary.rollout == "FAILED":
            return f"the deployment failed: {primary.reason or 'no reason given'}"
        if primary.rollout == "COMPLETED":
            return ""
        stuck = next((event.message for event in self._said_since(seen, primary) if STUCK in event.message), "")
        if self.patient or stuck:
            return stuck
        failed = max(primary.failed, len(seen.failed))
        if failed >= failures_allowed(seen.service):
            cause = f": {self._cause(seen)}" if seen.failed else ""
            return f"{failed} tasks of the new revision failed{cause}"
        return next((event.message for event in self._said_since(seen, primary) if NOT_PLACED in event.message), "")

    def _said_since(self, seen: Seen, primary: Deployment) -> list[Event]:
        """The service's events since the deployment began, newest first."""
        since = primary.created
        return [event for event in seen.service.events if not since or event.at >= since]

    def _not_ours(self, seen: Seen, primary: Deployment) -> Judgement[Service]:
        now = Revision(primary.revision).name
        if self._ours is None and not self._overdue():
            return Waiting(f"ECS does not show the deployment of {Revision(self.revision).name} yet")
        since = self._ours.created if self._ours else primary.created
        if self._was_rolled_back(seen.service, since):
            cause = self._cause(seen)
            why = (
                f"ECS rolled the deployment back to {now}: {cause or (self._ours and self._ours.reason) or 'it failed'}"
            )
        else:
            why = f"the service was set to {now} while {Revision(self.revision).name} rolled out"
        return Broken(why, self._evidence(seen, self._ours or primary))

    def _was_rolled_back(self, service: Service, since: datetime | None) -> bool:
        """ECS says so in its events; a failed deployment itself soon leaves the list."""
        said = [one for one in service.events if ROLLED_BACK in one.message and (since is None or one.at >= since)]
        return bool(said) or rolled_back(service, self.revision)

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
        for task in seen.failed[-1:]:
            whole = self.run.definitions.get(task.revision)
            released = self._released(whole, seen.service)
            lines += evidence.how_it_ended(self.run, task, whole, released)
        return lines + evidence.of_service(seen.service, deployment.created)

    def _failed_tasks(self, primary: Deployment) -> list[Task]:
        """Stopped tasks of this deployment; each is described once."""
        stopped = [one for one in self.run.ecs.arns_of_service("STOPPED") if one not in self._known]
        self._known.update({one.arn: one for one in self.run.ecs.tasks(stopped)} if stopped else {})
        return sorted(
            (
                one
                for one in self._known.values()
                if one.revision == self.revision
                and (primary.created is None or one.created >= primary.created)
                and _failed(one)
            ),
            key=lambda one: one.age_key,
        )


def rolled_back(service: Service, revision: str) -> bool:
    """Whether ECS has failed the deployment of a revision and gone back by itself."""
    return any(one.revision == revision and one.rollout == "FAILED" for one in service.deployments)


def failures_allowed(service: Service) -> int:
    """How many failed tasks fail a rollout: the breaker's threshold when it is on, else its default."""
    breaker: Mapping[str, Any] = (service.raw.get("deploymentConfiguration") or {}).get(
        "deploymentCircuitBreaker"
    ) or {}
    threshold: Mapping[str, Any] = breaker.get("thresholdConfiguration") or {}
    if breaker.get("enable") and threshold.get("value"):
        if threshold.get("type") == "COUNT":
            return max(1, int(threshold["value"]))
        allowed = math.ceil(float(threshold["value"]) / 100 * service.desired)
        unbounded = threshold.get("type") == "UNBOUNDED_PERCENT"
        return max(1, allowed) if unbounded else min(MOST_FAILED, max(LEAST_FAILED, allowed))
    return min(MOST_FAILED, max(LEAST_FAILED, math.ceil(FAILED_PART * service.desired)))


def _failed(task: Task) -> bool:
    """Ended by itself, or by ECS for its health; not scaled in."""
    if task.stop_code in ("EssentialContainerExited", "TaskFailedToStart"):
        return True
    return task.stop_code == "ServiceSchedulerInitiated" and "health" in task.stopped_reason
