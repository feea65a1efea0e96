"""Hooks of one service run one after the other, also those of another release, another epoch or a dead process."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ecs_pipeline.config.hooks import HookSettings
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Trouble
from ecs_pipeline.hooks.following import POLL
from ecs_pipeline.hooks.one_off_task import HOOK, OneOff, one_off_started_by
from ecs_pipeline.model.release import Task
from ecs_pipeline.timing.wait import duration


def wait_for_others(run: Run, own: OneOff, hook: HookSettings, watch: Callable[[], object]) -> bool:
    """Wait until no task of another hook of the service runs, each for as long as its `within` allows, from now on.

    A task of a hook that the config does not have any more gets the time of `hook`. ListTasks may show a task some
    seconds late. Whether there was one. Raises Trouble when the time is over, and what `watch` raises.
    """
    begun, told = run.clock.now(), False
    others = [task for task in run.ecs.tasks_started_by(one_off_started_by(own.service)) if _is_another(task, own)]
    while others:
        waited = run.clock.now() - begun
        for task in others:
            within = _within(run.settings.hooks.all, task, hook)
            if waited > within:
                raise Trouble(
                    f"task {task.id} of another hook (release {task.release or 'none'}) still runs after "
                    f"{duration(within)}; hook {hook.name} does not start beside it",
                    cure="let it end, or stop it; the same command goes on",
                )
        if not told:
            ids = ", ".join(task.id for task in others)
            run.recorder.progress(f"hook {hook.name} waits for another hook of the service to end: task {ids}")
            told = True
        run.clock.sleep(POLL)
        watch()
        others = [task for task in run.ecs.tasks([task.arn for task in others]) if task.status != "STOPPED"]
    return told


def _is_another(task: Task, own: OneOff) -> bool:
    """Whether a task is of a hook of the service, and is not what the token of this one stands for."""
    if task.status == "STOPPED" or (task.of, task.role) != (own.service.name, HOOK):
        return False
    return bool(own.mismatch(task)) or (task.release, task.epoch) != (own.release, own.epoch)


def _within(hooks: Collection[HookSettings], task: Task, otherwise: HookSettings) -> float:
    words = [command for _, command in task.commands or ()]
    return next((hook.within for hook in hooks if hook.command in words), otherwise.within)
