"""Prune: revisions and images that nothing needs. Only what releases made goes; a dry run unless it is told otherwise.

preflight  look: what needs revisions, in every cluster of the account and region
revisions  DeregisterTaskDefinition of those of old releases
images     BatchDeleteImage of those that were built for this service and that no revision needs
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from ecs_pipeline.batches import batches
from ecs_pipeline.engine.run import note
from ecs_pipeline.errors import Refused
from ecs_pipeline.model.release import Revision, Service
from ecs_pipeline.plans.needed import Needed, Tools, families_of, needed, newest_releases
from ecs_pipeline.plans.old_images import OldImages, old_images
from ecs_pipeline.protocol.snapshot import Look
from ecs_pipeline.steps.deregister import deregister

STEPS = ("preflight", "revisions", "images")


@dataclass
class Revisions:
    """ARNs of the families' ACTIVE revisions: what goes, what stays, and of these the last releases'."""

    go: list[str] = field(default_factory=list)
    stay: list[str] = field(default_factory=list)
    newest: list[str] = field(default_factory=list)


def prune(tools: Tools, keep: int) -> None:
    """Remove what nothing needs. Raises Refused when another stage writes to the service meanwhile."""
    run = tools.run
    with run.recorder.step("preflight") as step:
        seen = run.observer.look()
        need = needed(tools, seen)
        step.message = f"looked in every cluster: revisions in use: {len(need.revisions)}"
    with run.recorder.step("revisions") as step:
        revisions = _sorted_out(tools, seen, need, keep)
        if not run.dry_run:
            _deregister(tools, seen.service, revisions)
        step.message = _told("deregister", [Revision(arn).name for arn in revisions.go], dry_run=run.dry_run)
    with run.recorder.step("images") as step:
        old = old_images(tools, need, revisions.stay, revisions.newest, keep)
        if not run.dry_run:
            _delete(tools, seen.service, old)
        step.message = old.why or _told("delete", [old.name(image) for image in old.images], dry_run=run.dry_run)


def _told(verb: str, names: Sequence[str], *, dry_run: bool) -> str:
    if not names:
        return f"nothing to {verb}"
    return f"{f'would {verb}' if dry_run else f'{verb}:'} {', '.join(names)}"


def _sorted_out(tools: Tools, seen: Look, need: Needed, keep: int) -> Revisions:
    """The ACTIVE revisions of the families, each told with why it stays."""
    run, found = tools.run, Revisions()
    foreign: list[str] = []
    for family in families_of(seen):
        known = [run.definitions.revision(arn) for arn in tools.account.revisions(family)]
        releases = newest_releases(known, keep)
        for revision in known:
            if not revision.release and not revision.restores:
                foreign.append(revision.name)
            why = _why_kept(revision, seen, need, releases)
            (found.stay if why else found.go).append(revision.arn)
            if why and (revision.release or revision.restores):
                note(run.recorder, f"{revision.name} stays: {why}")
            elif not why:
                run.recorder.plan(f"deregister {revision.name} of release {revision.release}")
            if revision.release in releases:
                found.newest.append(revision.arn)
    if foreign:
        note(run.recorder, f"kept, as no release registered them: {', '.join(foreign)}")
    return found


def _why_kept(revision: Revision, seen: Look, need: Needed, releases: Sequence[str]) -> str:
    """Why a revision stays; '' when nothing needs it."""
    reasons = {
        f"{need.revisions.get(revision.arn)} needs it": revision.arn in need.revisions,
        "no release registered it": not revision.release and not revision.restores,
        f"it restores {Revision(revision.restores).name}": bool(revision.restores),
        f"release {revision.release} is under way": revision.release == seen.marks.under_way,
        f"release {revision.release} is promoted": revision.release == seen.marks.release,
        "one of the last releases": revision.release in releases,
    }
    return next((why for why, so in reasons.items() if so), "")


def _deregister(tools: Tools, begun: Service, revisions: Revisions) -> None:
    """Deregister what goes, each after a look of its own; one that turned out to be in use stays."""
    run = tools.run
    for arn in list(revisions.go):
        if not deregister(run, _unchanged(tools, begun), arn, tell=partial(note, run.recorder)):
            revisions.go.remove(arn)
            revisions.stay.append(arn)


def _delete(tools: Tools, begun: Service, old: OldImages) -> None:
    """Delete images, indexes first: ECR keeps an image as long as an index refers to it."""
    run, store = tools.run, old.store
    if store is None:
        return
    for kind in (True, False):
        images = [image for image in old.images if image.is_index is kind]
        for batch in batches(images, store.at_once):
            _unchanged(tools, begun)
            with run.recorder.writing(
                f"delete images: {len(batch)}", *(f"delete image {old.name(image)}" for image in batch)
            ):
                left = store.delete([image.digest for image in batch])
            for digest in left:
                note(run.recorder, f"{old.repository}@{digest} stays: an image index refers to it")


def _unchanged(tools: Tools, begun: Service) -> Service:
    """The service as it is now. Raises Refused when a stage has begun something, or somebody else has."""
    now = tools.run.ecs.service()
    if _standing(now) != _standing(begun):
        raise Refused(f"{now.label} changed while prune ran; what is gone was not needed", cure="run it again later")
    return now


def _standing(service: Service) -> tuple[object, ...]:
    """What tells a service that stages work on from one that they left alone."""
    marks = service.marks
    deployments = tuple((deployment.id, deployment.revision) for deployment in service.deployments)
    return service.revision, marks.turn, marks.under_way, marks.release, marks.wanted, marks.previous, deployments
