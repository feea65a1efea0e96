"""Where a service and its releases stand: derived once, from one snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from ecs_pipeline.model.release import Task
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.snapshot import Snapshot


@dataclass(frozen=True)
class Standing:
    """`live` is the canary task that holds the service; of all else '' means that there is none.

    `begun` is the release that is under way and not promoted. `promotion` is `under way` while a rollout of the
    promoted release, or the removal of its canary, is not over. `rolls_back` is the release that a plain rollback
    undoes, `previous_release` the one that made the revision to which it returns.
    """

    live: Task | None
    begun: str
    promotion: str
    rolls_back: str
    previous_release: str


def standing(seen: Snapshot) -> Standing:
    """Nothing is asked."""
    return Standing(
        live=decide.holder(seen),
        begun=seen.marks.begun,
        promotion=_promotion(seen),
        rolls_back=decide.to_cancel(seen, ""),
        previous_release=_release_of(seen, seen.marks.previous),
    )


def age(created: datetime, now: datetime) -> dict[str, str | int]:
    """Since when a canary lives, and for how many seconds, as `status` tells it to machines."""
    since = created.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"since": since, "age_seconds": round((now - created).total_seconds())}


def _promotion(seen: Snapshot) -> str:
    release = seen.marks.release
    if not decide.promoted(seen, release):
        return ""
    left = any(task.release == release for task in seen.canaries)
    over = decide.runs_promoted(seen, release) and decide.rolled_out(seen.service) and not left
    return "" if over else "under way"


def _release_of(seen: Snapshot, revision: str | None) -> str:
    known = seen.revisions.get(revision or "")
    return known.release if known else ""
