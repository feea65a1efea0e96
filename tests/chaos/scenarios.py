"""The stages whose calls are disturbed, each on a service in the state that it is made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.chaos.faults import KILLED_AFTER, Death

RELEASE = "r1"
CRASH_SWITCH = '[ "$VERSION" = v1 ] || [ ! -e /switch/crash ] || exit 3; exec /app/serve.sh'
"""The app's command: any version but the first crashes once the switch is on."""


@dataclass(frozen=True)
class Command:
    """A stage; `dies_at` is the write at which it is killed when it makes the state that another one meets."""

    stage: str
    dies_at: int = 0

    @property
    def death(self) -> Death | None:
        """Its end, if it is not to reach its own."""
        return Death(KILLED_AFTER, self.dies_at) if self.dies_at else None


@dataclass(frozen=True)
class Scenario:
    """A stage on a service on which other commands were run before.

    `variant`: the image of its canaries; '' builds it. `baseline`: a task of the stable revision runs beside them.
    `exits`: what the undisturbed stage exits with.
    `again`: what it may exit with when it is run again after a fault.
    `disturbed`, `dies`: in the sample of `make test` all its calls are disturbed, it is killed after each of its
    writes; not where another stage makes the same calls.
    """

    name: str
    stage: str
    before: tuple[Command, ...] = ()
    variant: str = "v2"
    baseline: bool = False
    rollout_fails: bool = False
    exits: int = 0
    again: tuple[int, ...] = ()
    restarts: bool = False
    disturbed: bool = True
    dies: bool = True

    @property
    def settings(self) -> dict[str, Any]:
        """The config's `canary`; a call that gets no answer takes a good part of a minute."""
        return {"bake": "0s", "healthy_within": "2m", "baseline": self.baseline}

    @property
    def may_exit(self) -> tuple[int, ...]:
        """What the second run may exit with."""
        return self.again or (self.exits,)


CANARY, PROMOTE = Command("canary"), Command("promote")

SCENARIOS = (
    # Once the failure is undone there is nothing left to promote, which is what the second run says.
    Scenario("promote that fails", "promote", (CANARY,), rollout_fails=True, exits=1, again=(1, 3)),
    Scenario("rollback of a promotion under way", "rollback", (CANARY, Command("promote", dies_at=3)), disturbed=False),
    Scenario("rollback of a canary under way", "rollback", (Command("canary", dies_at=5),), disturbed=False),
    Scenario("rollback of a promotion", "rollback", (CANARY, PROMOTE), dies=False),
    Scenario("rollback of a canary", "rollback", (CANARY,), dies=False),
    # It crashes at the load balancer's first request: at its start it would be registered by then, or not, by chance.
    Scenario("canary that crashes", "canary", variant="crash-when-asked", exits=1, restarts=True),
    Scenario(
        "rollback of a canary and its baseline", "rollback", (CANARY,), baseline=True, disturbed=False, dies=False
    ),
    Scenario("canary and its baseline", "canary", baseline=True),
    Scenario("canary that builds", "canary", variant=""),
    Scenario("promote", "promote", (CANARY,)),
    Scenario("canary", "canary", disturbed=False, dies=False),
)
"""Those that take longest first, so that processes share them evenly."""
