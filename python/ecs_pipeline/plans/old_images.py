"""Which images of the service's repository nothing needs any more, of those that were built for this service."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ecs_pipeline.engine.run import note
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.release import Repository, Revision, StoredImage
from ecs_pipeline.plans.needed import Needed, Tools, images_of
from ecs_pipeline.ports import StoredImagesPort
from ecs_pipeline.steps.image import platform_of, repository
from ecs_pipeline.steps.provenance import SERVICE

STAY = "all images stay"


@dataclass(frozen=True)
class OldImages:
    """The images that go, of which repository; `why`: none does, for this reason."""

    repository: str = ""
    store: StoredImagesPort | None = None
    images: tuple[StoredImage, ...] = ()
    why: str = ""

    def name(self, image: StoredImage) -> str:
        """REPOSITORY:TAG, of an image without a tag REPOSITORY@DIGEST."""
        return f"{self.repository}:{image.tags[0]}" if image.tags else f"{self.repository}@{image.digest}"


def old_images(tools: Tools, need: Needed, staying: Sequence[str], newest: Sequence[str], keep: int) -> OldImages:
    """What goes; `staying` are the families' revisions that stay, `newest` those of the last `keep` releases.

    An image that was pushed after the oldest of these releases' images stays: it may be of a release that begins.
    """
    run = tools.run
    try:
        place = repository(run, run.settings.image)
    except InvalidInput as error:
        return OldImages(why=f"{error.message}: there are no images to look at")
    lost = [arn for arn in need.revisions if not run.definitions.exists(arn)]
    if lost:
        return OldImages(why=f"AWS does not describe {Revision(lost[0]).name}, which is in use: {STAY}")
    if len({run.definitions.revision(arn).release for arn in newest}) < keep:
        return OldImages(why=f"there are fewer than {keep} releases: {STAY}")
    stored = _Stored(tools, place, tools.images_of(place))
    of_releases = stored.referred_to(newest)
    pushed = [image.pushed for image in stored.images if image.digest in of_releases]
    if not pushed:
        return OldImages(why=f"{place.name} has no image of the last releases: {STAY}")
    kept = need.digests | stored.referred_to({*need.revisions, *staying, *stored.of_other_families(need, keep)})
    older = [image for image in stored.images if image.digest not in kept and image.pushed < min(pushed)]
    ours = [image for image in older if stored.is_ours(image)]
    held = stored.members_beside(ours)
    found = OldImages(place.name, stored.store, tuple(image for image in ours if image.digest not in held))
    for image in found.images:
        run.recorder.plan(f"delete image {found.name(image)}")
    left = len(stored.images) - len(found.images)
    why = "needed, newer, part of one that stays, or not built for this service"
    note(run.recorder, f"kept of repository {place.name}: {left} images ({why})")
    return found


@dataclass
class _Stored:
    """The repository's images, and what revisions refer to."""

    tools: Tools
    place: Repository
    store: StoredImagesPort

    @cached_property
    def images(self) -> list[StoredImage]:
        return self.store.all()

    def referred_to(self, arns: Iterable[str]) -> frozenset[str]:
        """The digests that revisions refer to, by digest or by what their tag names now."""
        of_tag = {tag: image.digest for image in self.images for tag in image.tags}
        definitions = self.tools.run.definitions
        named = [pair for arn in arns for pair in images_of(definitions.get(arn), self.place)]
        return frozenset(digest or of_tag.get(tag, "") for tag, digest in named)

    def of_other_families(self, need: Needed, keep: int) -> list[str]:
        """The newest revisions of each family that runs somewhere with images of this repository."""
        definitions = self.tools.run.definitions
        families = {Revision(arn).family for arn in need.revisions if any(images_of(definitions.get(arn), self.place))}
        return [arn for family in sorted(families) for arn in self.tools.account.revisions(family)[:keep]]

    def is_ours(self, image: StoredImage) -> bool:
        """Whether the image's labels say that it was built for this service in this cluster."""
        run = self.tools.run
        labels = run.repositories.labels(self.place.name, image.digest, self._platform, self.place.registry)
        return labels.get(SERVICE, "") == f"{run.settings.cluster}/{run.settings.service}"

    @cached_property
    def _platform(self) -> str:
        run = self.tools.run
        return run.settings.image.platform or platform_of(run.definitions.get(run.ecs.service().revision).definition)

    def members_beside(self, going: Sequence[StoredImage]) -> set[str]:
        """What the image indexes refer to that stay: ECR deletes none of it."""
        digests = {image.digest for image in going}
        return self.store.members(
            [image.digest for image in self.images if image.is_index and image.digest not in digests]
        )
