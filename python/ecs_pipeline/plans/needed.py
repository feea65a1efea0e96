"""What needs a revision or an image: services, tasks, rules and schedules of every cluster, and a rollback."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.images import references
from ecs_pipeline.model.release import Repository, Revision, RevisionUse, TaskDefinition
from ecs_pipeline.ports import AccountPort, RulesPort, SchedulesPort, StoredImagesPort
from ecs_pipeline.protocol.snapshot import Snapshot


@dataclass(frozen=True)
class Tools:
    """What `prune` works with beside the ports of every stage."""

    run: Run
    account: AccountPort
    rules: RulesPort
    schedules: SchedulesPort
    images_of: Callable[[Repository], StoredImagesPort]


@dataclass(frozen=True)
class Needed:
    """Revisions by ARN with who needs each, and the digests that tasks run."""

    revisions: Mapping[str, str]
    digests: frozenset[str]


def needed(tools: Tools, seen: Snapshot) -> Needed:
    """Ask every cluster of the account and region; what a rollback of the service may need counts as well."""
    uses = list(_uses(tools, seen))
    revisions: dict[str, str] = {}
    for use in uses:
        arn = _revision(tools, seen, use.revision)
        if arn:
            revisions.setdefault(arn, use.user)
    return Needed(revisions, frozenset().union(*(use.digests for use in uses)))


def _uses(tools: Tools, seen: Snapshot) -> Iterator[RevisionUse]:
    for arn in (seen.service.revision, seen.marks.wanted, seen.marks.previous):
        if arn:
            yield RevisionUse(arn, f"service {seen.service.name}")
    for task in seen.tasks:
        if task.alive:
            yield RevisionUse(task.revision, f"task {task.id}")
    clusters = tools.account.clusters()
    for cluster in clusters:
        yield from tools.account.uses(cluster)
        yield from tools.rules.uses(cluster)
    yield from tools.schedules.uses(clusters)


def _revision(tools: Tools, seen: Snapshot, named: str) -> str:
    """The ARN of a revision that is named by its ARN, FAMILY:NUMBER, or a family, which means its newest one."""
    family, _, number = named.rpartition("/")[2].partition(":")
    if not number.isdigit():
        return next(iter(tools.account.revisions(family)), "")
    return named if "/" in named else f"{seen.service.revision.rpartition('/')[0]}/{named}"


def images_of(definition: TaskDefinition, repository: Repository) -> Iterator[tuple[str, str]]:
    """The tag and digest of each image of a repository of that name that a revision refers to; one of them is ''.

    The host does not count: a registry has several names, and an image too many that is kept harms nobody.
    """
    for container in definition.definition["containerDefinitions"]:
        try:
            reference = references.parse(str(container.get("image", "")))
        except InvalidInput:
            continue
        if reference.repository == repository.name:
            yield ("", reference.digest) if reference.digest else (reference.tag, "")


def families_of(seen: Snapshot) -> list[str]:
    """The names of the families that the service runs, rolls out, or that the config names."""
    return sorted({arn.rpartition("/")[2] for arn in seen.service.families(seen.families)})


def newest_releases(revisions: list[Revision], keep: int) -> list[str]:
    """The ids of the last releases of a family, newest first; `revisions` are newest first."""
    return list(dict.fromkeys(revision.release for revision in revisions if revision.release))[:keep]
