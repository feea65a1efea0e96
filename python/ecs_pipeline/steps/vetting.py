"""What an image has to pass before it becomes a revision, where the config asks for it: ECR's scan, a signature."""

from __future__ import annotations

from collections.abc import Iterator

from ecs_pipeline.engine.converge import planned
from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.images import references
from ecs_pipeline.images.references import Reference
from ecs_pipeline.model.image_scan import counted
from ecs_pipeline.model.release import EcrRegistry, Image, Repository
from ecs_pipeline.steps.image import is_of_account
from ecs_pipeline.steps.scan import refuse_findings
from ecs_pipeline.steps.signature import refuse_unsigned, refuse_unverifiable

STEP = "image"
"""What is found out is a part of this step."""


def refuse_unvettable(run: Run, image: Image | None) -> None:
    """What can never be vetted, found out before anything is written. Raises InvalidInput."""
    if run.settings.image.scan and image and place_of(run, image) is None:
        raise InvalidInput(
            f"image {image.reference} is in no repository of ECR, and image.scan asks for ECR's scan",
            cure="push it to ECR, or take image.scan out of the config",
        )
    if run.settings.image.signature:
        refuse_unverifiable(run, run.settings.image.signature)


def vet(run: Run, image: Image, repository: Repository | None, platform: str) -> None:
    """Wait for what the config asks for. Raises what the scan and the signature raise."""
    wanted = list(_wanted(run))
    if not wanted:
        return
    with run.recorder.step(STEP) as step:
        if run.dry_run:
            step.message = f"{step.message}; {planned(run, wanted, writes=False)}"
            return
        scan, signature = run.settings.image.scan, run.settings.image.signature
        place = repository or place_of(run, image)
        if scan and place:
            step.message = f"{step.message}; {refuse_findings(run, image, place, platform, scan)}"
        if signature:
            step.message = f"{step.message}; {refuse_unsigned(run, image, place, signature)}"


def tell_scan(run: Run, text: str, platform: str) -> None:
    """Note what `image.scan` would say of an image that is deployed already; one that is not in ECR has no scan."""
    settings = run.settings.image.scan
    reference = _parsed(text) if settings else None
    if settings is None or reference is None or not reference.digest:
        return
    image = Image(text, reference.digest)
    place = place_of(run, image)
    if place is None:
        return
    scan = run.scans.scan(place, run.scans.scanned(place, image.digest, platform))
    if scan is None:
        note(
            run.recorder, f"the image that runs has no scan: image.scan needs ECR repository {place.name} to be scanned"
        )
    elif scan.at_least(settings.fail_on):
        found = counted(scan.at_least(settings.fail_on))
        note(run.recorder, f"image.scan would refuse the image that runs: ECR's scan found {found}")


def _parsed(text: str) -> Reference | None:
    try:
        return references.parse(text)
    except InvalidInput:
        return None


def place_of(run: Run, image: Image) -> Repository | None:
    """The ECR repository of an image; None for one of elsewhere."""
    reference = references.parse(image.reference)
    if reference.ecr is None and not is_of_account(run, reference):
        return None
    return Repository(reference.repository, reference.name, EcrRegistry(*(reference.ecr or ())))


def _wanted(run: Run) -> Iterator[str]:
    """What is waited for, in words."""
    if run.settings.image.scan:
        yield f"wait for ECR's scan, and refuse findings of {run.settings.image.scan.fail_on}"
    if run.settings.image.signature:
        yield f"verify the signature with {run.settings.image.signature.program}"
