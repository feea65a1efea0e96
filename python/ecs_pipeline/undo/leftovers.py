"""What earlier releases left: taken away by a canary before it begins, target first."""

from __future__ import annotations

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.load_balancing import Target
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.baseline import sweep_baselines
from ecs_pipeline.steps.retire import RetireStep
from ecs_pipeline.steps.trust import still_coming


def sweep_earlier(run: Run, fence: Fence, seen: Snapshot, release: str) -> None:
    """(4) Sweep what other epochs left, and the baselines of other releases."""
    retire = RetireStep(run, fence.write, "ecs-pipeline: left over from an earlier release")
    drained: list[Target] = []
    sweeps = 0
    while (left := decide.leftover_tasks(seen, drained)) and (left.drain or sweeps < decide.MOST_SWEEPS):
        run.recorder.progress("sweeping what an earlier release left")
        owned = [registration for registration in left.drain if registration.owner]
        going = [registration.target for registration in owned if not registration.draining]
        if retire.is_only_planned(seen.stale_tasks, going, left.drain):
            break
        if left.drain:
            drained += [registration.target for registration in owned]
            retire.leave(drained, going=going, registrations=left.drain)
        else:
            sweeps += 1
            retire.stop(left.stop)
        seen = run.observer.snapshot()
    if sweeps and seen.stale_tasks:
        run.recorder.progress(f"warning: {still_coming(seen).message}")
    sweep_baselines(run, fence, seen, release)
