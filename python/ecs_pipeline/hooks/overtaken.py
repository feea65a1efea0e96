"""Whether another release began after this one, before either has a canary: the mark is the later one's."""

from __future__ import annotations

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Refused
from ecs_pipeline.model.release import Service
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.fence import settled
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.tasks import Lost


class Superseded(Refused):
    """Another release began after this one."""


def refuse_overtaken(run: Run, seen: Snapshot, release: str) -> None:
    """Raises Lost beside another release's canary, Superseded when another release began and none has a canary."""
    live = decide.holder(seen)
    if live and live.release != release:
        raise Lost(live)
    if live is None and (other := another_under_way(run, seen.service, release)):
        raise Superseded(
            f"release {other} began at {seen.service.label} after release {release}, whose hooks do not run beside it",
            cure="look at `status`; start it again if it is the one that is wanted",
        )


def another_under_way(run: Run, service: Service, release: str) -> str:
    """The release that marked itself as under way since; '' for none, or where that is the promoted one.

    A read may be stale and show the mark of the release before: what differs is looked at until three looks agree.
    """
    known = ("", release, service.marks.release)
    if service.marks.under_way in known:
        return ""
    now = settled(run.ecs, run.clock, service).marks.under_way
    return "" if now in known else now
