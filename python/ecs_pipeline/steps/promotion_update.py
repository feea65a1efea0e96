"""(6) The scaling is held; one TagResource says what is wanted and where to return; UpdateService by the ARN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecs_pipeline.engine.converge import WritingStep
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.breaker import was_told
from ecs_pipeline.model.release import Revision
from ecs_pipeline.model.scaling import Suspended
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.promotion_tags import PromotionTags
from ecs_pipeline.steps.scaling_hold import ScalingHold
from ecs_pipeline.steps.service_update import ServiceUpdate


@dataclass
class PromotionUpdate(WritingStep["Suspended | None"]):
    """Gives the service the revision of a release; `snapshot` is what the promotion was planned by.

    `resumed`: the tags of the promotion were written before.
    """

    run: Run
    fence: Fence
    snapshot: Snapshot
    release: str
    revision: str
    resumed: bool
    approved_by: str
    hold: ScalingHold
    name = "service-update"

    def observe(self) -> Suspended | None:
        """What of the scaling is suspended now, where it is to be held."""
        return self.hold.holdable()

    def decide(self, seen: Suspended | None) -> Sequence[str]:
        """The hold and the update; the tags have a line of their own where there is no update that needs them."""
        service = self.snapshot.service
        changes = [f"suspend the autoscaling of {service.label} until the end"] if seen is not None else []
        if not was_told(service, self.revision):
            before, after = Revision(service.revision).name, Revision(self.revision).name
            changes.append(f"update {service.label} from {before} to {after}")
        elif not self.resumed:
            changes.append(self._tags.words)
        return changes

    def act(self, seen: Suspended | None) -> str:
        """In this order; what the service was told is looked at again after the tags. Raises EpochChanged."""
        service, name = self.snapshot.service, Revision(self.revision).name
        if seen is not None:
            self.hold.begin(seen)
        if not self.resumed:
            self._tags.tag_service(self.approved_by)
        if was_told(self.fence.require(), self.revision):
            return f"unchanged: the service was told to run {name} before"
        self._tags.tag_revision()
        ServiceUpdate(self.run, self.fence.write).carry_out(service, self.revision)
        return f"{Revision(service.revision).name} → {name}"

    @property
    def _tags(self) -> PromotionTags:
        return PromotionTags(self.run, self.fence, self.snapshot, self.release, self.revision)
