"""Hooks: commands before a canary, after a promotion and after a rollback, each a step `KIND: NAME`, once each.

A hook's task takes no traffic. It is never stopped by us: half a migration is worse than a whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecs_pipeline.config.hooks import HookSettings
from ecs_pipeline.engine.converge import planned
from ecs_pipeline.engine.record import StepRecord
from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import HookFailed, Interrupted, InvalidInput, PipelineError, ReleaseFailed
from ecs_pipeline.hooks.hook_run import AGAIN, HookRun, Occasion, Write, container_of, name_of
from ecs_pipeline.hooks.overtaken import refuse_overtaken
from ecs_pipeline.model.release import Epoch, Revision, Service, TaskDefinition
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.fence import EpochChanged, Fence
from ecs_pipeline.protocol.snapshot import Snapshot

BEFORE_CANARY, AFTER_PROMOTE, AFTER_ROLLBACK = KINDS = "before_canary", "after_promote", "after_rollback"
PLACES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "canary": ((BEFORE_CANARY, "task-definition"), (AFTER_ROLLBACK, "restore")),
    "promote": ((AFTER_PROMOTE, "cleanup"), (AFTER_ROLLBACK, "restore")),
    "rollback": ((AFTER_ROLLBACK, "deregister"),),
}
"""After which step of a stage the hooks have theirs."""


@dataclass(frozen=True)
class Hooks:
    """The hooks of one occasion, one after the other."""

    run: Run
    occasion: Occasion
    write: Write
    watch: Callable[[], object] = lambda: None
    over: Callable[[Service, HookSettings], str] = lambda _service, _hook: ""
    """Why a hook that did not run does not run any more; '' when it does."""

    def carry_out(self, whole: Callable[[], TaskDefinition], stands: str = "") -> None:
        """Run what did not run yet, of that revision; of a failure `stands` says what it does not change.

        Raises what a hook raises; with `stands` HookFailed.
        """
        for hook in _of_kind(self.run, self.occasion.kind):
            with self.run.recorder.step(_step(self.occasion.kind, hook)) as step:
                try:
                    step.message = self._once(hook, whole)
                except (EpochChanged, Interrupted):
                    raise
                except PipelineError as error:
                    if not stands:
                        raise
                    cure = error.cure or AGAIN
                    raise HookFailed(f"{stands}: {error.message}", cure=cure, evidence=error.evidence) from error

    def _once(self, hook: HookSettings, whole: Callable[[], TaskDefinition]) -> str:
        service, words = self.run.ecs.service(), _words(self.occasion.kind, hook)
        if self.occasion.last_run(service, hook)[0] == 0:
            return "unchanged: it ran before"
        if why := self.over(service, hook):
            return f"unchanged: {why}"
        if self.run.dry_run:
            return planned(self.run, [words])
        hook_run = HookRun(self.run, hook, self.occasion, whole(), self.write, self.watch)
        return hook_run.carry_out(service, words, lambda: self.over(service, hook))


def announce(run: Run) -> None:
    """Put the hooks' steps among the stage's, so that its cases are the same in every run."""
    steps = run.recorder.record.steps
    for kind, before in PLACES[run.recorder.record.stage]:
        names = [step.name for step in steps]
        place = names.index(before) + 1
        steps[place:place] = [StepRecord(_step(kind, hook)) for hook in _of_kind(run, kind)]


def before_canary(run: Run, fence: Fence, release: str, revision: TaskDefinition) -> None:
    """Of the new revision, before a canary task takes traffic. Raises ReleaseFailed, EpochChanged, Lost, Superseded.

    That a canary lives says nothing: anybody may have started its task, and a killed process may have had no hook.
    """
    parts = (fence.epoch.digest, revision.revision.arn, run.settings.container)
    occasion = Occasion(BEFORE_CANARY, release, fence.epoch, parts)

    def over(_service: Service, hook: HookSettings) -> str:
        now = run.observer.snapshot()
        if not run.dry_run:
            refuse_overtaken(run, now, release)
        canaries = {task.arn for task in now.canaries}
        if not any(registration.owner in canaries for registration in now.registrations):
            return ""
        note(run.recorder, f"hook {hook.name} does not run for release {release}: its canary took traffic before")
        return "it comes too late, the canary took traffic before"

    Hooks(run, occasion, fence.write, fence.require, over).carry_out(lambda: revision)


def after_promote(run: Run, fence: Fence, release: str, revision: str) -> None:
    """Of the promoted revision. Raises HookFailed, EpochChanged: the release stays promoted."""
    whole = run.definitions.get(revision)
    promoted = whole.revision
    occasion = Occasion(AFTER_PROMOTE, release, fence.epoch, (promoted.restores or revision,), by_command=False)

    def over(service: Service, hook: HookSettings) -> str:
        """The tag has place for one release: behind a rollback it may name the one that was rolled back."""
        of_another = occasion.is_recorded(service, hook) and occasion.last_run(service, hook)[0] is None
        return "another release was rolled back since" if promoted.epoch != fence.epoch and of_another else ""

    stands = f"release {release} is promoted, but its after_promote hooks are not done"
    Hooks(run, occasion, fence.write, fence.require, over).carry_out(lambda: whole, stands)


def after_rollback(run: Run, seen: Snapshot) -> None:
    """Of what the service runs now, as long as nothing began since the last rollback. Raises HookFailed."""
    if not _due(seen):
        return
    runs = seen.service.revision
    stands = f"the service is back on {Revision(runs).name}, but the after_rollback hooks are not done"

    def over(service: Service, hook: HookSettings) -> str:
        if why := _never_runs(run, runs, hook, service):
            note(run.recorder, f"warning: after_rollback hook {hook.name} cannot run: {why}")
        return why

    hooks = Hooks(run, _rolled_back(run, seen.marks.epoch), lambda act: act(), over=over)
    hooks.carry_out(lambda: run.definitions.get(runs), stands)


def after_restore(run: Run, seen: Snapshot, failure: ReleaseFailed) -> None:
    """The same after a stage restored the service by itself: a hook that fails is told beside what failed before it."""
    try:
        after_rollback(run, seen)
    except HookFailed as failed:
        failed.cure = "`rollback` runs it again"
        note(run.recorder, str(failed))
        failure.evidence = (*failure.evidence, str(failed), *failed.evidence)


def planned_after_rollback(run: Run, seen: Snapshot, *, changing: bool) -> list[str]:
    """What a rollback that changes something runs then, else what is missing of the last one."""
    hooks = _of_kind(run, AFTER_ROLLBACK)
    if not changing:
        occasion = _rolled_back(run, seen.marks.epoch)
        missing = [hook for hook in hooks if _due(seen) and occasion.last_run(seen.service, hook)[0] != 0]
        hooks = [hook for hook in missing if not _never_runs(run, seen.service.revision, hook, seen.service)]
    return [_words(AFTER_ROLLBACK, hook) for hook in hooks]


def refuse_unfit(run: Run, whole: Mapping[str, Any], service: Service) -> None:
    """Raises InvalidInput for a hook whose container a task definition does not have, or whose task would not end."""
    for kind in KINDS:
        for number, hook in enumerate(_of_kind(run, kind)):
            try:
                container_of(run, hook, whole, service)
            except InvalidInput as error:
                raise InvalidInput(f"hooks.{kind}.{number}: {error.message}", cure=error.cure) from error


def new_tags(run: Run, service: Service) -> int:
    """How many tags the hooks are going to write that the service does not have yet."""
    names = [name_of(kind, hook) for kind in KINDS for hook in _of_kind(run, kind)]
    known = service.raw.get("tags") or {}
    return len([name for name in names if f"{release_tags.RAN}{name}" not in known])


def descriptions(run: Run) -> Iterator[str]:
    """Each hook in a line."""
    for kind in KINDS:
        for hook in _of_kind(run, kind):
            yield _step(kind, hook)


def _of_kind(run: Run, kind: str) -> list[HookSettings]:
    return list(getattr(run.settings.hooks, kind))


def _due(seen: Snapshot) -> bool:
    """Whether nothing began since the last rollback: a canary marks itself as under way."""
    return seen.marks.epoch != Epoch() and not seen.marks.under_way


def _never_runs(run: Run, revision: str, hook: HookSettings, service: Service) -> str:
    """Why no task of a revision can be started for a hook, however often it is tried; '' when one can."""
    name = Revision(revision).name
    way_out = "`rollback --to REVISION` leads to one that can"
    if not run.definitions.revision(revision).active:
        return f"{name} was deregistered, so no new task of it can be started; {way_out}"
    try:
        container_of(run, hook, run.definitions.get(revision).definition, service)
    except InvalidInput as error:
        return f"{error.message} in {name}; {way_out}"
    return ""


def _rolled_back(run: Run, epoch: Epoch) -> Occasion:
    return Occasion(AFTER_ROLLBACK, epoch.cancelled, epoch, (epoch.digest, run.settings.container))


def _step(kind: str, hook: HookSettings) -> str:
    return f"{kind}: {hook.name}"


def _words(kind: str, hook: HookSettings) -> str:
    return f"run {kind} hook {hook.name}"
