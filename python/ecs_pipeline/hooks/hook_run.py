"""One hook, once for its occasion: a named one-off task, started by a token that is the same for whoever resumes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from ecs_pipeline.config.hooks import HookSettings
from ecs_pipeline.engine import evidence
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, NotPlaced, ReleaseFailed, Trouble
from ecs_pipeline.hooks.following import Gone, follow
from ecs_pipeline.hooks.one_off_task import HOOK, OneOff
from ecs_pipeline.hooks.queue import wait_for_others
from ecs_pipeline.model import placement, stops
from ecs_pipeline.model.release import Epoch, Service, Task, TaskDefinition
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.task_definitions import definition
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Broken, Deadline, Judgement, Settled, Waiting

T = TypeVar("T")
AGAIN = "the same command runs it again"


class Write(Protocol):
    """Carries a write out, fenced or not."""

    def __call__(self, act: Callable[[], T], /) -> T:
        """What the write returns."""


@dataclass(frozen=True)
class Occasion:
    """What hooks are run for, once each: `kind` is their list in the config, `release` the one that it is about.

    `parts` are what makes it another occasion of the same release; `by_command`: another command does so, too.
    """

    kind: str
    release: str
    epoch: Epoch
    parts: tuple[str, ...]
    by_command: bool = True

    def last_run(self, service: Service, hook: HookSettings) -> tuple[int | None, str]:
        """The exit code that the hook ended with and its task's id; None and '' when it did not run."""
        return release_tags.last_run(service.raw.get("tags") or {}, self._name(hook), self._key(hook))

    def is_recorded(self, service: Service, hook: HookSettings) -> bool:
        """Whether the service has a record of the hook, of whatever occasion."""
        return bool((service.raw.get("tags") or {}).get(f"{release_tags.RAN}{self._name(hook)}"))

    def ran_tag(self, hook: HookSettings, code: int, task: str) -> dict[str, str]:
        """The tag of the service that says how the hook ended."""
        return release_tags.ran_tag(self._name(hook), self._key(hook), code, task)

    def token(self, service: Service, hook: HookSettings, revision: str, failed: str) -> str:
        """RunTask's clientToken: another of another revision or command.

        `failed` is the task of the attempt before, '' for none.
        """
        words = (hook.container, *hook.command)
        return _digest(service.arn, self._name(hook), self._key(hook), revision, failed, *words)

    def _name(self, hook: HookSettings) -> str:
        return name_of(self.kind, hook)

    def _key(self, hook: HookSettings) -> str:
        """Short enough for a tag beside the exit code and the task."""
        words = (hook.container, *hook.command) if self.by_command else ()
        return f"{self.release}@{_digest(*self.parts, *words)[:32]}"


@dataclass(frozen=True)
class HookRun:
    """A hook on its occasion, of a revision; `watch` is called while it is waited for."""

    run: Run
    hook: HookSettings
    occasion: Occasion
    revision: TaskDefinition
    write: Write
    watch: Callable[[], object]

    def carry_out(self, service: Service, words: str, look_again: Callable[[], object]) -> str:
        """Its step's line. Raises ReleaseFailed when it failed, Trouble when it was taken away or still runs.

        One that failed runs again when it is asked for again. When another hook was waited for, `look_again` raises
        what is against this one by now.
        """
        failed = self.occasion.last_run(service, self.hook)[1]
        container = container_of(self.run, self.hook, self.revision.definition, service)
        one_off = self._one_off(service, container)
        if wait_for_others(self.run, one_off, self.hook, self.watch):
            look_again()
        token = self.occasion.token(service, self.hook, self.revision.revision.arn, failed)
        try:
            with self.run.recorder.writing(words):
                first = one_off.started(self.run, token, self._placed, self.watch)
            task = follow(self.run, first, self.revision, container, within=self.hook.within, watch=self.watch)
        except Gone as gone:
            self._record(service, release_tags.HIGHEST_CODE, gone.task)
            gone.cure = f"look into its log; {AGAIN}"
            raise
        code = next((each.exit_code for each in task.containers if each.name == container), None)
        self._record(service, release_tags.HIGHEST_CODE if code is None else code, task.id)
        if code != 0:
            raise self._failure(task, container, code)
        return "exit code 0"

    def _failure(self, task: Task, container: str, code: int | None) -> Trouble | ReleaseFailed:
        taken = stops.taken_away(task)
        if taken:
            return Trouble(f"AWS took task {task.id} of hook {self.hook.name} away ({taken})", cure=AGAIN)
        why = f"exit code {code}" if code is not None else evidence.first_cause(task, self.revision, container)
        lines = evidence.how_it_ended(self.run, task, self.revision, container)
        return ReleaseFailed(f"hook {self.hook.name} failed: {why}", evidence=lines)

    def _record(self, service: Service, code: int, task: str) -> None:
        tags = self.occasion.ran_tag(self.hook, code, task)
        self.write(lambda: self.run.ecs.tag(service.arn, tags))

    def _one_off(self, service: Service, container: str) -> OneOff:
        of_release = self.revision.revision.release or self.revision.revision.name
        return OneOff(service, self.revision, container, self.hook.command, of_release, self.occasion.epoch, HOOK)

    def _placed(self, parameters: Mapping[str, Any]) -> str:
        """The task, as soon as AWS finds a place for it within `canary.healthy_within`. Raises StepBroken, TimedOut."""

        def attempt() -> Judgement[str]:
            try:
                return Settled(self.write(partial(self.run.ecs.run_task, parameters)))
            except NotPlaced as failure:
                reasons = ", ".join(placement.explained(reason, self.revision.definition) for reason in failure.reasons)
                passes = all(placement.may_pass(reason) for reason in failure.reasons)
                return Waiting(f"no place: {reasons}") if passes else Broken(f"no place: {reasons}")

        deadline = Deadline.after(self.run.clock, self.run.settings.canary.healthy_within)
        return wait.until(attempt, self.run.clock, deadline, self.run.recorder.progress)


def _digest(*parts: str) -> str:
    """As JSON, for a word may hold any character."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def name_of(kind: str, hook: HookSettings) -> str:
    """What tells a hook from all others of the config, as its tag has it."""
    return f"{kind}:{hook.name}"


def container_of(run: Run, hook: HookSettings, whole: Mapping[str, Any], service: Service) -> str:
    """The container that gets the command. Raises InvalidInput when there is none, or its end is not the task's."""
    container = definition.chosen_container(whole, service, hook.container or run.settings.container)
    entry = next(entry for entry in whole["containerDefinitions"] if entry["name"] == container)
    if not entry.get("essential", True):
        raise InvalidInput(
            f"hook {hook.name}: container {container} is not essential, so its task would never end",
            cure="name an essential one: `container:` of the hook",
        )
    return container
