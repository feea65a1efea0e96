"""The task of a one-off command: with a token the same one for whoever resumes it, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Trouble
from ecs_pipeline.hooks.following import first_seen
from ecs_pipeline.model.release import Epoch, Revision, Service, Task, TaskDefinition
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.steps.tasks import MOST_TOKENS
from ecs_pipeline.task_definitions.run_parameters import run_parameters

RUN, HOOK = "run", "hook"
"""The roles of a one-off task: of `run`, and of a hook of the config."""

Place = Callable[[Mapping[str, Any]], str]
"""Carries RunTask out with these parameters; the ARN of the task that it names."""


@dataclass(frozen=True)
class OneOff:
    """What is run: these words in this container of a revision, for a release in an epoch."""

    service: Service
    revision: TaskDefinition
    container: str
    words: Sequence[str]
    release: str
    epoch: Epoch
    role: str = RUN

    def started(self, run: Run, token: str, place: Place, watch: Callable[[], object] = lambda: None) -> Task:
        """The task as it was seen first: of this token, or of the next one when the token names somebody else's task.

        Raises Gone, what `place` and `watch` raise, and Trouble when somebody used too many tokens up.
        """
        parameters = self._parameters()
        for _ in range(MOST_TOKENS):
            arn = place({**parameters, "clientToken": token})
            run.recorder.progress(f"task {arn.rpartition('/')[2]}")
            task = first_seen(run, arn, watch)
            why = self.mismatch(task)
            if not why:
                return task
            run.recorder.progress(f"task {task.id} has the token, but {why}: it is passed by")
            token = decide.next_token(token, arn)
        raise Trouble(
            f"{MOST_TOKENS} tasks that somebody else started have the RunTask tokens of this command",
            cure="find out who (CloudTrail: RunTask), then run it again",
        )

    def mismatch(self, task: Task) -> str:
        """Why a task is not this one; '' when it is. A tag would tell nothing: it can be written over."""
        if task.revision != self.revision.revision.arn:
            return f"it runs {Revision(task.revision).name}, not {self.revision.revision.name}"
        if task.started_by != one_off_started_by(self.service):
            return "it was not started as this service's"
        if task.commands != ((self.container, tuple(self.words)),):
            return "it was given another command"
        return ""

    def _parameters(self) -> dict[str, Any]:
        """RunTask's parameters but cluster and clientToken: those of the service's tasks, with the command."""
        given = run_parameters(
            self.service,
            revision=self.revision.revision.arn,
            revision_tags=self.revision.tags,
            release=self.release,
            epoch=self.epoch,
            role=self.role,
            index=0,
        )
        overrides = {"containerOverrides": [{"name": self.container, "command": list(self.words)}]}
        return {**given, "startedBy": one_off_started_by(self.service), "overrides": overrides}


def one_off_started_by(service: Service) -> str:
    """RunTask's startedBy of one-off tasks of a service."""
    return release_tags.started_by(service.name).replace(release_tags.STARTED_BY, release_tags.ONE_OFF, 1)
