"""Another release's canary: refused, or with `--replace` rolled back before this one begins."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from ecs_pipeline.checks.reach import refuse_unreachable
from ecs_pipeline.engine.converge import only_planned, planned
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Epoch
from ecs_pipeline.plans.canary_request import Request
from ecs_pipeline.plans.refusals import refuse_lost_groups
from ecs_pipeline.plans.rollback import to_be_cancelled
from ecs_pipeline.plans.rollback_changes import LEFT
from ecs_pipeline.plans.rollback_scope import Options
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.holder import held_by
from ecs_pipeline.steps.judging import refuse_checks
from ecs_pipeline.task_definitions.definition import chosen_container
from ecs_pipeline.undo.cancel import cancel
from ecs_pipeline.undo.sweep import Sweeper, finished


def without_another(run: Run, request: Request, *, replacing: bool) -> Request:
    """The request once no other release's canary lives. Raises Held without `--replace`."""
    seen = _cleared(run, request.seen, request.release, replacing=replacing)
    if seen.service.revision == request.seen.service.revision:
        return replace(request, seen=seen)
    current = run.definitions.get(seen.service.revision)
    container = chosen_container(current.definition, seen.service, run.settings.container)
    return replace(request, seen=seen, current=current, container=container)


def _cleared(run: Run, seen: Snapshot, release: str, *, replacing: bool) -> Snapshot:
    live = decide.holder(seen)
    if live is None or live.release == release:
        return _replaced(run, seen) if replacing else seen
    if not replacing:
        raise held_by(run, seen.service, live)
    refuse_checks(run, alive=False, watched=run.settings.canary.watched)
    refuse_unreachable(run, seen.service)
    refuse_lost_groups(run, seen.service)
    promoted = bool(decide.left_by_promote(seen))
    what = "its canary, which the service runs by now, is taken away" if promoted else "it is rolled back"
    run.recorder.progress(f"release {live.release} holds the service: {what} first")
    options = Options(release=live.release, canary_only=promoted)
    if run.dry_run:
        planned(run, to_be_cancelled(run, options))
        return replace(seen, tasks=tuple(task for task in seen.tasks if task.release != live.release))
    step = run.recorder.record.step("preflight")
    cancel(run, options, lambda _name: nullcontext(step))
    return run.observer.snapshot()


def _replaced(run: Run, seen: Snapshot) -> Snapshot:
    """Finish what this command left when it died while it rolled the other release back."""
    if seen.marks.epoch == Epoch() or not decide.leftover(run.observer.snapshot(scan=True), bound=False):
        return seen
    if only_planned(run, [LEFT]):
        return seen
    step = run.recorder.record.step("preflight")
    sweep = Sweeper(run, seen.marks.epoch, lambda _name: nullcontext(step), await_late_tasks=True, bound=False)
    return finished(run, sweep)
