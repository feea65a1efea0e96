"""ECR's scan of the image: waited for, and refused for what it found before a revision is registered."""

from __future__ import annotations

from ecs_pipeline.config.images import ScanSettings
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, ReleaseFailed, Trouble
from ecs_pipeline.model.image_scan import ImageScan, counted
from ecs_pipeline.model.release import Image, Repository
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline, Judgement, Settled, Waiting, duration

BEGINS_WITHIN = 60.0
"""Seconds after which a scan on push has begun, as ECR's documents name no time: by then it is PENDING at least."""


def refuse_findings(run: Run, image: Image, place: Repository, platform: str, settings: ScanSettings) -> str:
    """Wait for the scan; what it found, in words.

    Raises ReleaseFailed for findings and for an image that ECR cannot scan, InvalidInput when nothing scans it, and
    Trouble when the scan is not over in time.
    """
    digest = run.scans.scanned(place, image.digest, platform)
    begun = min(run.clock.now() + BEGINS_WITHIN, run.clock.now() + settings.within)

    def judge() -> Judgement[ImageScan]:
        scan = run.scans.scan(place, digest)
        if scan is None:
            if run.clock.now() >= begun:
                raise _not_scanned(place)
            return Waiting("ECR has not begun to scan the image")
        if scan.under_way:
            return Waiting(f"ECR scans the image: {scan.status}")
        return Settled(scan)

    try:
        scan = wait.until(judge, run.clock, Deadline.after(run.clock, settings.within), run.recorder.progress)
    except wait.TimedOut as late:
        raise Trouble(
            f"the scan of image {place.name} is not over within {duration(settings.within)}",
            cure="the same command resumes; image.scan.within gives it longer",
        ) from late
    if not scan.done:
        raise ReleaseFailed(
            f"ECR cannot scan image {place.name}@{digest}: {scan.status}: {scan.description}",
            cure="see the repository's page in the console; without image.scan such an image is deployed unscanned",
        )
    refused = scan.at_least(settings.fail_on)
    if refused:
        raise ReleaseFailed(
            f"ECR's scan found {counted(refused)} in image {place.name}@{digest}",
            cure="repair the image and begin a new release, or raise image.scan.fail_on",
            evidence=scan.named(settings.fail_on),
        )
    return f"ECR's scan found {counted(scan.by_severity)}"


def _not_scanned(place: Repository) -> InvalidInput:
    return InvalidInput(
        f"ECR repository {place.name} has no scan of the image, which image.scan asks for",
        cure="switch on scan on push, or enhanced scanning, then scan or push it again; or take image.scan out",
    )
