"""The images that the first service starts with: the app's and those of `provision.images`."""

from __future__ import annotations

from ecs_pipeline.engine.converge import converge
from ecs_pipeline.engine.run import Run
from ecs_pipeline.provision.plan import Plan
from ecs_pipeline.provision.template import IMAGE
from ecs_pipeline.steps import image as images
from ecs_pipeline.timing.wait import Deadline


def first_images(run: Run, plan: Plan) -> dict[str, str]:
    """Look up the image that is given, build and push the others; by parameter, each by digest.

    Raises InvalidInput for an image that is not there, Trouble for what Docker or the registry does not do.
    """
    found = {}
    if plan.image:
        with run.recorder.step("image"):
            found[IMAGE] = images.given(run, plan.image).reference
    architecture = {**plan.template.defaults, **plan.given}.get("CpuArchitecture", "")
    platform = images.PLATFORMS.get(architecture, images.DEFAULT_PLATFORM)
    for parameter, settings in plan.built.items():
        repository = images.repository(run, settings)
        step = images.BuiltImage(run, settings, repository, plan.tag, platform)
        found[parameter] = converge(step, run, Deadline.after(run.clock, images.LISTED_WITHIN)).reference
    return found
