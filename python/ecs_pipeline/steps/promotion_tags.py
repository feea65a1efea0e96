"""(6) The tags of a promotion: what the service is to run, where it returns to, and that the revision is promoted."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Revision
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.fence import EpochChanged, Fence, settled
from ecs_pipeline.protocol.snapshot import Snapshot


@dataclass(frozen=True)
class PromotionTags:
    """Writes them for a release, before UpdateService; `seen` is the look that the promotion was planned by."""

    run: Run
    fence: Fence
    seen: Snapshot
    release: str
    revision: str

    @property
    def words(self) -> str:
        """What tagging the service is."""
        return f"mark release {self.release} as the promoted one"

    def tag_service(self, approved_by: str) -> None:
        """One TagResource, through the fence. Raises EpochChanged when a rollback came first: then it is taken back."""
        before, service = self.seen.marks, self.seen.service
        previous = service.revision if service.revision != self.revision else before.previous
        tags = {
            release_tags.RELEASE: self.release,
            release_tags.PREVIOUS: previous or "",
            release_tags.WANTED: self.revision,
            release_tags.UNDER_WAY: self.release,
        }
        if approved_by:
            tags[release_tags.APPROVAL] = release_tags.approver_value(approved_by)
        try:
            with self.run.recorder.noting(self.words):
                self.fence.write(lambda: self.run.ecs.tag(service.arn, tags))
        except EpochChanged:
            self._take_back()
            raise

    def tag_revision(self) -> None:
        """What was promoted is no canary's any more once it is replaced.

        Without the fence: in another epoch the tag says nothing.
        """
        if not self.seen.revisions[self.revision].promoted:
            with self.run.recorder.noting(f"mark {Revision(self.revision).name} as promoted"):
                self.run.ecs.tag(self.revision, release_tags.promoted())

    def _take_back(self) -> None:
        """(3) The service's tags as they were, if they are still those of this promotion."""
        now, before = settled(self.run.ecs, self.run.clock), self.seen.marks
        if (now.marks.release, now.marks.wanted) != (self.release, self.revision):
            return
        tags = {
            release_tags.RELEASE: before.release,
            release_tags.PREVIOUS: before.previous or "",
            release_tags.WANTED: before.wanted or self.seen.service.revision,
            release_tags.UNDER_WAY: "",
        }
        self.run.ecs.tag(now.arn, tags)
