"""Prune: revisions and images that nothing needs. Only what releases made goes; a dry run unless it is told otherwise.

preflight  look: what needs revisions, in every cluster of the account and region (plans/needed.py)
revisions  DeregisterTaskDefinition of those of old releases (plans/prune.py)
images     BatchDeleteImage of those that were built for this service and that no revision needs (plans/old_images.py)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ecs_pipeline.batches import batches
from ecs_pipeline.engine.run import note
from ecs_pipeline.errors import Refused
from ecs_pipeline.model.release import Revision, Service
from ecs_pipeline.plans.needed import Tools, needed
from ecs_pipeline.plans.old_images import OldImages, old_images
from ecs_pipeline.plans.prune import Revisions, old_revisions
from ecs_pipeline.steps.deregister import deregister

STEPS = ("preflight", "revisions", "images")


def prune(tools: Tools, keep: int) -> None:
    """Remove what nothing needs. Raises Refused when another stage writes to the service meanwhile."""
    run = tools.run
    writes = not run.dry_run
    tell = _done if writes else _would
    with run.recorder.step("preflight") as step:
        seen = run.observer.snapshot()
        need = needed(tools, seen)
        step.message = f"looked in every cluster: revisions in use: {len(need.revisions)}"
    with run.recorder.step("revisions") as step:
        revisions = old_revisions(tools, seen, need, keep)
        if writes:
            revisions = _deregister(tools, seen.service, revisions)
        step.message = tell("deregister", [Revision(arn).name for arn in revisions.go])
    with run.recorder.step("images") as step:
        old = old_images(tools, need, revisions.stay, revisions.newest, keep)
        if writes:
            _delete(tools, seen.service, old)
        step.message = old.why or tell("delete", [old.name(image) for image in old.images])


def _would(verb: str, names: Sequence[str]) -> str:
    return f"would {verb} {', '.join(names)}" if names else f"nothing to {verb}"


def _done(verb: str, names: Sequence[str]) -> str:
    return f"{verb}: {', '.join(names)}" if names else f"nothing to {verb}"


def _deregister(tools: Tools, begun: Service, revisions: Revisions) -> Revisions:
    """Deregister what goes, each after a look of its own; one that turned out to be in use stays."""
    run = tools.run
    used = [
        arn
        for arn in revisions.go
        if not deregister(run, _unchanged(tools, begun), arn, tell=partial(note, run.recorder))
    ]
    return revisions.sparing(used)


def _delete(tools: Tools, begun: Service, old: OldImages) -> None:
    """Delete images, indexes first: ECR keeps an image as long as an index refers to it."""
    run, store = tools.run, old.store
    if store is None:
        return
    for is_index in (True, False):
        images = [image for image in old.images if image.is_index is is_index]
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
    if _state(now) != _state(begun):
        raise Refused(f"{now.label} changed while prune ran; what is gone was not needed", cure="run it again later")
    return now


def _state(service: Service) -> tuple[object, ...]:
    """What tells a service that stages work on from one that they left alone."""
    marks = service.marks
    deployments = tuple((deployment.id, deployment.revision) for deployment in service.deployments)
    return service.revision, marks.epoch, marks.under_way, marks.release, marks.wanted, marks.previous, deployments
