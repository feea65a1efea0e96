"""Which revisions of the service's families nothing needs any more; plans/old_images.py tells the same of images."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ecs_pipeline.engine.run import note
from ecs_pipeline.model.release import Revision
from ecs_pipeline.plans.needed import Needed, Tools, families_of, newest_releases
from ecs_pipeline.protocol.snapshot import Snapshot


@dataclass(frozen=True)
class Revisions:
    """ARNs of the families' ACTIVE revisions: what goes, what stays, and of these the last releases'."""

    go: tuple[str, ...]
    stay: tuple[str, ...]
    newest: tuple[str, ...]

    def sparing(self, arns: Collection[str]) -> Revisions:
        """The same, but that these stay, which were to go."""
        go = tuple(arn for arn in self.go if arn not in arns)
        return Revisions(go, (*self.stay, *arns), self.newest)


def old_revisions(tools: Tools, seen: Snapshot, need: Needed, keep: int) -> Revisions:
    """Sort the ACTIVE revisions of the families; each that a release registered is told with why it stays or goes.

    ListTaskDefinitions and DescribeTaskDefinition. `keep`: so many of the last releases of each family stay.
    """
    run = tools.run
    go: list[str] = []
    stay: list[str] = []
    newest: list[str] = []
    foreign: list[str] = []
    for family in families_of(seen):
        known = [run.definitions.revision(arn) for arn in tools.account.revisions(family)]
        releases = newest_releases(known, keep)
        newest += [revision.arn for revision in known if revision.release in releases]
        foreign += [revision.name for revision in known if _is_foreign(revision)]
        for revision in known:
            why = _why_kept(revision, seen, need, releases)
            (stay if why else go).append(revision.arn)
            if not why:
                run.recorder.plan(f"deregister {revision.name} of release {revision.release}")
            elif not _is_foreign(revision):
                note(run.recorder, f"{revision.name} stays: {why}")
    if foreign:
        note(run.recorder, f"kept, as no release registered them: {', '.join(foreign)}")
    return Revisions(tuple(go), tuple(stay), tuple(newest))


def _is_foreign(revision: Revision) -> bool:
    """True when no release registered it."""
    return not revision.release and not revision.restores


def _why_kept(revision: Revision, seen: Snapshot, need: Needed, releases: Sequence[str]) -> str:
    """Why a revision stays; '' when nothing needs it."""
    reasons = {
        f"{need.revisions.get(revision.arn)} needs it": revision.arn in need.revisions,
        "no release registered it": _is_foreign(revision),
        f"it restores {Revision(revision.restores).name}": bool(revision.restores),
        f"release {revision.release} is under way": revision.release == seen.marks.under_way,
        f"release {revision.release} is promoted": revision.release == seen.marks.release,
        "one of the last releases": revision.release in releases,
    }
    return next((why for why, holds in reasons.items() if holds), "")
