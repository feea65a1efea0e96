"""What an account allows: permissions, quotas, secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.telemetry import Quota
from tests.fakes.world import World


class FakePermissions:
    """PermissionsPort: everything is allowed but what the world denies."""

    def __init__(self, world: World) -> None:
        self.world = world

    def principal(self) -> str:
        return self.world.principal

    def allowed(
        self, principal: str, actions: Sequence[str], resources: Sequence[str], keys: Mapping[str, Sequence[str]]
    ) -> set[tuple[str, str]] | None:
        if self.world.denied is None:
            return None
        pairs = {(action, resource) for action in actions for resource in resources}
        return {pair for pair in pairs if pair[0] not in self.world.denied}


class FakeQuotas:
    """QuotasPort: the quota that a test sets; without one the caller may not ask."""

    def __init__(self, quota: Quota | None = None) -> None:
        self.quota = quota
        self.spot: bool | None = None

    def fargate_vcpus(self, *, spot: bool) -> Quota:
        self.spot = spot
        if self.quota is None:
            raise Trouble("servicequotas:GetServiceQuota: AccessDenied")
        return self.quota


class FakeSecrets:
    """SecretsPort: what is wrong with each secret; the others are there."""

    def __init__(self, problems: Mapping[str, str | None] | None = None) -> None:
        self.problems = problems or {}

    def problem(self, value_from: str) -> str | None:
        return self.problems.get(value_from, "")
