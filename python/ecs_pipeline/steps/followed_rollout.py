"""The rollout of a promotion: the canary leaves the traffic meanwhile, and the share is written down at its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from ecs_pipeline.model.release import Service
from ecs_pipeline.steps.early_drain import EarlyDrain
from ecs_pipeline.steps.rollout import Seen, StableStep
from ecs_pipeline.steps.traffic import record_traffic
from ecs_pipeline.timing.wait import Judgement, Settled, Waiting


@dataclass
class FollowedRollout(StableStep):
    """A rollout beside which a canary takes traffic."""

    early: EarlyDrain = field(kw_only=True)

    def follow(self, seen: Seen, judgement: Judgement[Service]) -> None:
        """Let the canary leave early. Raises EpochChanged."""
        if isinstance(judgement, Waiting):
            self.early.look_in(seen.service)
        elif isinstance(judgement, Settled):
            record_traffic(self.run, judgement.result.running)
