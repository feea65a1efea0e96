"""Whether a rollout moves on, and for how long it has not."""

from __future__ import annotations

from dataclasses import dataclass, field

from ecs_pipeline.model.release import Deployment, Service


@dataclass
class Progress:
    """More new tasks than ever, or fewer old ones than ever, is a move; the ups and downs of a crash loop are none."""

    _best: dict[str, int] = field(default_factory=dict)
    _desired: int = -1
    _since: float = 0.0

    def see(self, service: Service, primary: Deployment, now: float) -> bool:
        """Take a look in. True when ECS has taken an old task away since the last one: new ones are healthy."""
        old = service.tasks_beside(primary)
        found = {"started": primary.running + primary.pending, "running": primary.running, "old": -old}
        if service.desired != self._desired:
            self._best, self._desired = {}, service.desired
        before, self._best = (
            self._best,
            {name: max(value, self._best.get(name, value)) for name, value in found.items()},
        )
        self._since = self._since if self._best == before else now
        return bool(before) and self._best["old"] > before["old"]

    def excuse(self, now: float) -> None:
        """Something goes on that the counts do not show: begin to count anew."""
        self._since = now

    def still_for(self, now: float) -> float:
        """Seconds since it last moved."""
        return now - self._since
