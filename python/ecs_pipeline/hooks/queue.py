"""Hooks of one service run one after the other, also those of another release, another epoch or a dead process."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ecs_pipeline.config.hooks import HookSettings
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Trouble
from ecs_pipeline.hooks.following import POLL
from ecs_pipeline.hooks.one_off_task import HOOK, OneOff, one_off_started_by
from ecs_pipeline.model.release import Task
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline, duration


def wait_for_others(run: Run, own: OneOff, hook: HookSettings, watch: Callable[[], object]) -> bool:
    """Wait until no task of another hook of the service runs, each for as long as its `within` allows, from now on.

    A task of a hook that the config does not have any more gets the time of `hook`. ListTasks may show a task some
    seconds late. True when there was one. Raises Trouble when the time is over, and what `watch` raises.
    """
    begun = run.clock.now()
    others = [task for task in run.ecs.tasks_started_by(one_off_started_by(own.service)) if _is_another(task, own)]
    if not others:
        return False
    ids = ", ".join(task.id for task in others)
    run.recorder.progress(f"hook {hook.name} waits for another hook of the service to end: task {ids}")
    within = {task.arn: _within(run.settings.hooks.all, task, hook) for task in others}
    longest = max(within.values())
    for again in wait.looks(run.clock, POLL, Deadline(begun + longest, longest)):
        if again:
            watch()
            others = [task for task in run.ecs.tasks([task.arn for task in others]) if task.status != "STOPPED"]
        late = [task for task in others if run.clock.now() >= begun + within[task.arn]]
        if late or not others:
            break
    if others:
        task = (late or others)[0]
        raise Trouble(
            f"task {task.id} of another hook (release {task.release or 'none'}) still runs after "
            f"{duration(within[task.arn])}; hook {hook.name} does not start beside it",
            cure="let it end, or stop it; the same command goes on",
        )
    return True


def _is_another(task: Task, own: OneOff) -> bool:
    """Whether a task is of a hook of the service, and is not what the token of this one stands for."""
    if task.status == "STOPPED" or (task.of, task.role) != (own.service.name, HOOK):
        return False
    return bool(own.mismatch(task)) or (task.release, task.epoch) != (own.release, own.epoch)


def _within(hooks: Collection[HookSettings], task: Task, otherwise: HookSettings) -> float:
    words = [command for _, command in task.commands or ()]
    return next((hook.within for hook in hooks if hook.command in words), otherwise.within)
