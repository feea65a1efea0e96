"""What an image is built with, as the config says it, and what of that is not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ecs_pipeline.config.images import ImageSettings
from ecs_pipeline.engine.run import Run
from ecs_pipeline.images.build import Build, Secret, refuse_without_buildx, refuse_without_secrets
from ecs_pipeline.images.cache import resolved


def build_of(run: Run, settings: ImageSettings, tag: str, platform: str, labels: Mapping[str, str]) -> Build:
    """What the engine is told to build; paths of the config become absolute."""
    return Build(
        context=(run.folder / settings.context).resolve(),
        dockerfile=settings.dockerfile,
        arguments=settings.build_args,
        platform=platform,
        tag=tag,
        labels=labels,
        target=settings.target,
        secrets={
            name: Secret(variable=secret.env) if secret.env else Secret(file=(run.folder / secret.src).absolute())
            for name, secret in settings.secrets.items()
        },
        cache_from=tuple(resolved(entry, run.folder.absolute()) for entry in settings.cache_from),
        cache_to=tuple(resolved(entry, run.folder.absolute()) for entry in settings.cache_to),
    )


def refuse_unready(run: Run, settings: ImageSettings, is_there: Callable[[], bool]) -> None:
    """Raises InvalidInput for secrets that are not there, and for what takes buildx where there is none.

    `is_there` asks whether the image is in the repository already: it is not built then.
    """
    build = build_of(run, settings, "", "", {})
    if not (build.secrets or build.needs_buildx) or is_there():
        return
    refuse_without_secrets(build)
    if not run.engine.has_buildx():
        refuse_without_buildx(build)
