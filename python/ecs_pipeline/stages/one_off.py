"""A one-off task of a release's revision: a migration, a seed, a smoke test. With a name it runs once a release.

preflight   look: which release, which revision; whether it ran before under this name
task        RunTask as the service's own tasks are run, with another command
command     its log, until it has ended; its exit code is the stage's
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import CommandFailed, InvalidInput, Refused
from ecs_pipeline.hooks.following import exit_code_of, follow
from ecs_pipeline.hooks.one_off_task import OneOff
from ecs_pipeline.model import tag_values
from ecs_pipeline.model.release import Revision, TaskDefinition
from ecs_pipeline.plans.named_target import FromFile, resolve
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.task_definitions import definition

STEPS = ("preflight", "task", "command")


@dataclass(frozen=True)
class Options:
    """What the command line asks for; `timeout` in seconds."""

    words: Sequence[str]
    name: str = ""
    release: str = ""
    timeout: float = 3600.0


@dataclass(frozen=True)
class Plan:
    """What is run, of which release."""

    seen: Snapshot
    release: str
    revision: TaskDefinition
    container: str


def run_command(run: Run, options: Options) -> None:
    """Run it, or tell how it ended before. Raises CommandFailed with the command's own exit code."""
    with run.recorder.step("preflight") as step:
        plan = _plan(run, options)
        before = release_tags.ran(plan.seen.service.raw.get("tags") or {}, options.name, plan.release)
        step.message = f"{plan.revision.revision.name} of release {plan.release}, container {plan.container}"
    if before is not None:
        _repeat(run, options, before)
        return
    with run.recorder.step("task") as step:
        if run.dry_run:
            step.message = f"would run a task of {plan.revision.revision.name}"
            run.recorder.plan(f"run a task of {plan.revision.revision.name}")
            return
        service, epoch = plan.seen.service, plan.seen.marks.epoch
        one_off = OneOff(service, plan.revision, plan.container, options.words, plan.release, epoch)
        first = one_off.started(run, _token(plan, options), run.ecs.run_task)
        step.message = first.id
    with run.recorder.step("command") as step:
        task = follow(run, first, plan.revision, plan.container, within=options.timeout)
        code = exit_code_of(task, plan.container)
        if options.name:
            run.ecs.tag(plan.seen.service.arn, release_tags.ran_tag(options.name, plan.release, code, task.id))
        if code:
            raise CommandFailed(f"{options.name or 'the command'} ended with exit code {code}", code)
        step.message = "exit code 0"


def _plan(run: Run, options: Options) -> Plan:
    seen = run.observer.snapshot()
    if options.name and tag_values.RUN_NAME.fullmatch(options.name) is None:
        raise InvalidInput(f"--name {options.name!r} is not a name", cure="take up to 40 letters, digits, `-` and `_`")
    release, arn = _release(run, seen, options.release)
    revision = run.definitions.get(arn)
    if not run.definitions.revision(arn).active:
        raise Refused(
            f"{revision.revision.name} was deregistered: no task of it can be run", cure="name another release"
        )
    container = definition.chosen_container(revision.definition, seen.service, run.settings.container)
    record = run.recorder.record.release
    record.id, record.task_definition = release, arn
    return Plan(seen, release, revision, container)


def _release(run: Run, seen: Snapshot, asked: str) -> tuple[str, str]:
    """The release that lives as a canary, else what the service runs; or the one that is named."""
    live = decide.holder(seen)
    if live is not None and asked in ("", live.release):
        return live.release, live.revision
    if asked and asked != seen.marks.release:
        target = resolve(run, seen, asked)
        if isinstance(target, FromFile):
            raise InvalidInput("--release takes the id of a release", cure="leave it out for what the service runs")
        return asked, target
    return seen.marks.release or Revision(seen.service.revision).name, seen.service.revision


def _repeat(run: Run, options: Options, code: int) -> None:
    """It ran for this release: nothing is run, and it ends as it did."""
    with run.recorder.step("command") as step:
        step.message = f"{options.name} ran for this release before: exit code {code}"
        if code:
            raise CommandFailed(step.message, code, cure="another --name runs it again")


def _token(plan: Plan, options: Options) -> str:
    """RunTask's clientToken: that of a name is the release's."""
    source = "\0".join((plan.seen.service.arn, plan.release, plan.revision.revision.arn, options.name))
    return hashlib.sha256(source.encode()).hexdigest() if options.name else uuid.uuid4().hex
