"""Whether another release began after this one, before either has a canary: the mark is the later one's."""

from __future__ import annotations

from ecs_pipeline.fence import settled
from ecs_pipeline.model import Service
from ecs_pipeline.run import Run


def another_under_way(run: Run, service: Service, release: str) -> str:
    """The release that marked itself as under way since; '' for none, or where that is the promoted one.

    A read may be stale and show the mark of the release before: what differs is looked at until three looks agree.
    """
    known = ("", release, service.marks.release)
    if service.marks.under_way in known:
        return ""
    now = settled(run.ecs, run.clock, service).marks.under_way
    return "" if now in known else now
