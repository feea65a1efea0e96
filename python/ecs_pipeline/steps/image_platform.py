"""The platform of an image that was built elsewhere, against the one that the tasks run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.model.release import Image
from ecs_pipeline.steps.image import platform_of
from ecs_pipeline.steps.revision import Base
from ecs_pipeline.steps.vetting import place_of


def of_tasks(definition: Mapping[str, Any]) -> str:
    """OS/ARCHITECTURE that the tasks run on for certain; '' where the container instances decide.

    Amazon ECS Developer Guide, "Task definition parameters", Runtime platform.
    """
    declared = definition.get("runtimePlatform") or {}
    if not declared.get("cpuArchitecture") and "FARGATE" not in (definition.get("requiresCompatibilities") or ()):
        return ""
    system, _, architecture = platform_of(definition).partition("/")
    windows = str(declared.get("operatingSystemFamily", "")).startswith("WINDOWS")
    return f"{'windows' if windows else system}/{architecture}"


def fits(platform: str, wanted: str) -> bool:
    """True when an image for a platform runs on the wanted one; a variant such as /v8 does not matter."""
    return f"{platform}/".startswith(f"{wanted}/")


def refuse_other(run: Run, image: Image, base: Base) -> None:
    """Raises InvalidInput for an image that no task could start; notes that its platform cannot be known."""
    wanted = of_tasks(base.definition)
    if not wanted:
        return
    try:
        place = place_of(run, image)
        platforms = run.repositories.platforms(place.name, image.digest, place.registry) if place else []
        why = "ECR does not have it" if place is None else "it names none"
    except Trouble as trouble:
        platforms, why = [], trouble.message
    if not platforms:
        note(run.recorder, f"the platform of image {image.reference} cannot be known: {why}")
    elif not any(fits(platform, wanted) for platform in platforms):
        raise InvalidInput(
            f"image {image.reference} is for {', '.join(platforms)}, but the tasks run on {wanted} "
            f"(runtimePlatform of {base.file or f'family {base.family}'})",
            cure=f"build it for {wanted}, or change runtimePlatform",
        )
