"""Target groups and what is registered in them, free of any SDK: facts as they were seen, or as we wrote them down."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime

Address = tuple[str, str, int]
"""Target group, identity and port."""

IPV6 = "ipv6"
"""The IP address type of a target group; the other one is ipv4."""


@dataclass(frozen=True)
class LoadBalancing:
    """One entry of the service's loadBalancers: which container's port goes into which target group."""

    target_group: str
    container: str
    port: int


@dataclass(frozen=True)
class Target:
    """One registration in a target group: what ELB knows a task by."""

    group: str
    identity: str
    port: int
    task: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from the others of its group."""
        return self.identity, self.port

    @property
    def address(self) -> Address:
        """What it is known by among the targets of all groups, whichever task has it."""
        return self.group, self.identity, self.port

    def __str__(self) -> str:
        """As it is written in a URL: an IPv6 address in brackets."""
        return f"[{self.identity}]:{self.port}" if ":" in self.identity else f"{self.identity}:{self.port}"


@dataclass(frozen=True)
class RecordedTarget:
    """An address that may be registered for a canary, written down before RegisterTargets (rule 5 of the protocol)."""

    identity: str
    port: int
    recorded: datetime


@dataclass(frozen=True)
class Registration:
    """A recorded address that is in a target group now; `owner` is the ARN of the running task that has it, or ''."""

    target: Target
    draining: bool
    owner: str


@dataclass(frozen=True)
class TargetGroup:
    """A target group of the service; times in seconds. `judged_within`: until the health of a target is known."""

    arn: str
    kind: str
    protocol: str
    drain: int
    slow_start: int
    anomaly_detection: bool
    interval: int = 0
    unhealthy_threshold: int = 0
    judged_within: int = 0
    ip_type: str = "ipv4"
    control_port: int = 0
    algorithm: str = ""
    cross_zone: str = ""
    sticky: bool = False
    health_path: str = ""
    health_codes: str = ""


@dataclass(frozen=True)
class TargetHealth:
    """The state of a target as DescribeTargetHealth tells it."""

    identity: str
    port: int
    state: str
    reason: str = ""
    description: str = ""
    anomalous: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """What tells the target from the others of its group."""
        return self.identity, self.port

    @property
    def registered(self) -> bool:
        """In the group, be it draining."""
        return not (self.state == "unused" and self.reason in ("Target.NotRegistered", ""))

    @property
    def draining(self) -> bool:
        """Deregistered, its last requests are being answered."""
        return self.state in ("draining", "unhealthy.draining")


def canonical(identity: str) -> str:
    """An address in the one way to write it (RFC 5952), so that those of ECS and of ELB are told to be the same."""
    try:
        return str(ipaddress.ip_address(identity)) if ":" in identity else identity
    except ValueError:
        return identity


def group_name(arn: str) -> str:
    """A target group's name, as consoles show it."""
    parts = arn.split("/")
    return parts[1] if len(parts) > 1 else arn
