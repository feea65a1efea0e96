"""The image of a release: the one that was given, or the one that is built; vetted before anything runs it."""

from __future__ import annotations

from ecs_pipeline.engine.converge import converge
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Image, Repository
from ecs_pipeline.steps.image import LISTED_WITHIN, BuiltImage, GivenImage, platform_of
from ecs_pipeline.steps.revision import Base
from ecs_pipeline.steps.vetting import vet
from ecs_pipeline.timing.wait import Deadline


def release_image(run: Run, base: Base, release: str, given: Image | None, repository: Repository | None) -> Image:
    """The image in its registry, by digest. `repository` is where it is built for when none is given."""
    listed, platform = Deadline.after(run.clock, LISTED_WITHIN), platform_of(base.definition)
    if given:
        image = converge(GivenImage(given), run, listed)
    else:
        assert repository is not None  # noqa: S101 - the plan has one or the other
        image = converge(BuiltImage(run, run.settings.image, repository, tag=release, platform=platform), run, listed)
        run.recorder.record.release.refer_to(image.reference)
    vet(run, image, repository, platform)
    return image
