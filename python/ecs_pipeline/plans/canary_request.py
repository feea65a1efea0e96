"""Which release a canary is of, and what it is made of: from what the command line asks for and what lives."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecs_pipeline.engine.origin import checked_release_id, new_release_id
from ecs_pipeline.engine.run import Run
from ecs_pipeline.hooks import hooks
from ecs_pipeline.images import references
from ecs_pipeline.model.release import Image, Repository, TaskDefinition
from ecs_pipeline.model.service_kinds import Use
from ecs_pipeline.plans.fitness import refuse_unfit
from ecs_pipeline.plans.refusals import refuse_crowds, refuse_without_room
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps import image as images
from ecs_pipeline.steps.scaling_hold import tags_needed
from ecs_pipeline.task_definitions import definition


@dataclass(frozen=True)
class CanaryOptions:
    """What the command line asks for."""

    release: str = ""
    image: str = ""
    tag: str = ""
    replace: bool = False


@dataclass(frozen=True)
class Request:
    """The release that is asked for; `source` makes two runs the same release when no id is given."""

    seen: Snapshot
    release: str
    source: str
    current: TaskDefinition
    container: str
    image: Image | None
    repository: Repository | None

    def image_of(self, run: Run, revision: str) -> str:
        """What the container of a revision runs."""
        return definition.image_of(run.definitions.get(revision), self.container)


def requested(run: Run, options: CanaryOptions) -> Request:
    """Look, and find out what is asked for. Raises InvalidInput, and Refused for a service that takes no canary."""
    asked = run.recorder.record.release.id = checked_release_id(options.release) if options.release else ""
    if options.image:
        references.parse(options.image)
    if options.tag:
        references.checked_tag(options.tag)
    if run.origin.problem and not asked:
        run.recorder.progress(f"{run.origin.problem}; to resume a release, give its --release")
    seen = run.observer.snapshot()
    refuse_unfit(run, seen.service, Use.CANARY)
    refuse_crowds(run, seen.service)
    refuse_without_room(seen.service, hooks.new_tags(run, seen.service) + tags_needed(run, seen.service))
    current = run.definitions.get(seen.service.revision)
    container = definition.chosen_container(current.definition, seen.service, run.settings.container)
    text = images.of_tag(current, container, options.tag) if options.tag else options.image
    image = images.given(run, text) if text else None
    repository = None if image else images.repository(run, run.settings.image)
    source = _source(run, image)
    found = Request(seen, asked or _release(seen, source), source, current, container, image, repository)
    release = found.release or _living(run, found) or new_release_id(run.clock.wall(), run.origin.commit)
    run.recorder.record.release.id = release
    return replace(found, release=release)


def _source(run: Run, image: Image | None) -> str:
    """What makes two runs the same release when no id is given; '' when nothing does (an unclean tree)."""
    if image:
        return release_tags.tag_value(image.reference)
    return f"commit {run.origin.commit}" if run.origin.commit and run.origin.clean else ""


def _release(seen: Snapshot, source: str) -> str:
    """The id of the release under way when it is of the same source."""
    unfinished = seen.marks.under_way != seen.marks.release or seen.canaries
    return seen.marks.under_way if source and unfinished and seen.marks.source == source else ""


def _living(run: Run, request: Request) -> str:
    """The id of the release that lives with the same `--image`."""
    live = decide.holder(request.seen)
    if live is None or request.image is None:
        return ""
    return live.release if request.image_of(run, live.revision) == request.image.reference else ""
