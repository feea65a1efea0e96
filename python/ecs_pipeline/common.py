"""The options that every command takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Common:
    """The options that every command takes."""

    config: str = ""
    environment: str = ""
    cluster: str = ""
    service: str = ""
    region: str = ""
    role_arn: str = ""
    reports: str = "ecs-pipeline-reports"
    output: str = "text"
    dry_run: bool = False
    verbose: bool = False

    @property
    def flags(self) -> dict[str, str]:
        """The ones that are settings."""
        return {key: getattr(self, key) for key in ("cluster", "service", "region", "role_arn")}
