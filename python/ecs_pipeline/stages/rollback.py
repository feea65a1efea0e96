"""Rollback: whatever is under way, or was released last, is undone. Given again it finishes that or does nothing.

preflight        look, and decide which release is cancelled (plans/rollback.py) and which revision the service
                 returns to (rollback_target in protocol/decide.py)
                 finish what the last cancel left, begin a new epoch (undo/cancel.py)
drain, cleanup   the canary out of the traffic, then stopped
service-update   the service back to the revision before the promotion
stable           it runs that and nothing else
deregister       the bad revision, when nothing uses it; then the config's after_rollback hooks
"""

from __future__ import annotations

from ecs_pipeline.engine.converge import announced
from ecs_pipeline.engine.origin import checked_release_id
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import NoService
from ecs_pipeline.hooks import hooks
from ecs_pipeline.plans.describe import describe
from ecs_pipeline.plans.rollback import UNCHANGED, RollbackPlan, observed, plan
from ecs_pipeline.plans.rollback_scope import Options
from ecs_pipeline.steps import scaling_hold
from ecs_pipeline.steps.trust import still_coming
from ecs_pipeline.undo import deleted_service
from ecs_pipeline.undo.cancel import Outcome, cancel, send_to

STEPS = ("preflight", "drain", "cleanup", "service-update", "stable", "deregister")


def rollback(run: Run, options: Options) -> None:
    """The stage. Raises Refused when there is nothing to go back to or another release's canary lives."""
    hooks.announce(run)
    found: RollbackPlan | deleted_service.Abandoned
    with run.recorder.step("preflight") as step:
        if options.release:
            run.recorder.record.release.id = checked_release_id(options.release)
        try:
            seen = observed(run, options)
        except NoService:
            left = None if options.to else deleted_service.look(run, options.release)
            if left is None:
                raise
            found = left
        else:
            found = plan(run, options, seen)
        step.message = found.head + (announced(run, found.changes) if found.changes else UNCHANGED)
    if run.dry_run:
        return
    if isinstance(found, deleted_service.Abandoned):
        deleted_service.remove(run, found)
    else:
        _carry_out(run, options, found)


def _carry_out(run: Run, options: Options, found: RollbackPlan) -> None:
    undone = run.recorder.record.release.task_definition
    outcome, seen = cancel(run, options, run.recorder.step, found.seen)
    if found.target is not None:
        seen = send_to(run, found.target, options.to)
    scaling_hold.put_back(run, seen.service)
    if found.target is not None or outcome is Outcome.DONE:
        run.recorder.record.message = ""
        describe(run, seen)
        release = run.recorder.record.release
        if release.task_definition != undone:
            release.previous_task_definition = undone
    if seen.stale_tasks:
        raise still_coming(seen)
    hooks.after_rollback(run, seen)
