"""The service gets another revision: the only place that calls UpdateService."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Revision, Service
from ecs_pipeline.steps.removal import Write, plainly


@dataclass(frozen=True)
class ServiceUpdate:
    """Gives the service a revision. `write`: a fence's, or `plainly` on the way back, where a look comes before it."""

    run: Run
    write: Write = plainly

    def carry_out(self, service: Service, revision: str, text: str = "") -> None:
        """UpdateService by the revision's full ARN. `text`: other words for it. Raises EpochChanged."""
        with self.run.recorder.writing(text or f"update {service.label} to {Revision(revision).name}"):
            self.write(lambda: self.run.ecs.update_service(revision))
