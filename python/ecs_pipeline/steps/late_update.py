"""(3) Taking back an update of the service that a rollback came before."""

from __future__ import annotations

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Revision
from ecs_pipeline.protocol.fence import settled
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.service_update import ServiceUpdate
from ecs_pipeline.steps.trust import refuse_disbelieved


def undo_update(run: Run, revision: str) -> None:
    """The service back to `wanted`, when it still runs the revision that this process gave it.

    Raises Refused when the tag names a revision of another family.
    """
    service = settled(run.ecs, run.clock)
    wanted = service.marks.wanted
    if service.revision != revision or wanted in (None, revision):
        return
    refuse_disbelieved(Snapshot((), service, {}, families=run.observer.families))
    ServiceUpdate(run).carry_out(service, str(wanted), f"the service goes back to {Revision(str(wanted)).name}")
