"""Switches that make the embedded AWS as awkward as AWS may be, or quicker; all are off at the start.

Set by POST /_embedded_aws/behaviour with a JSON object, read by GET, all switched off by DELETE.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass
class Behaviour:
    """What can be switched; durations in seconds."""

    #: A task just started is missing from ListTasks and MISSING in DescribeTasks for so long.
    task_visibility_delay: float = 0.0
    #: DescribeServices and ListTagsForResource answer as of so long ago.
    service_read_lag: float = 0.0
    #: Of four answers of DescribeServices about a service two, one after the other, come from a replica that is so far
    #: behind (Amazon ECS API reference, RunTask: eventual consistency).
    stale_pairs: float = 0.0
    #: New tasks and services with a deregistered revision are still accepted for so long (AWS: up to ten minutes).
    inactive_delay: float = 0.0
    #: RunTask's clientToken lives so long; None: AWS' own rule, min(24 h, the task's life + 1 h).
    token_lifetime: float | None = None
    #: Stopped tasks can be described for so long.
    stopped_task_lifetime: float = 3600.0
    #: So many next placements of tasks fail, and why (ECS' own code or text; '': what fits the launch type).
    placement_failures: int = 0
    placement_reason: str = ""
    #: So many next pulls of images are throttled by the registry.
    throttled_pulls: int = 0
    #: So many next conflicts of a clientToken name no task.
    unnamed_conflicts: int = 0
    #: Tasks that AWS takes away, by their ARNs, and the stop code: SpotInterruption, TerminationNotice,
    #: InfrastructureHealth.
    taken_away: dict[str, str] = dataclasses.field(default_factory=dict)
    #: ListTasks refuses startedBy with any other filter, desiredStatus too, as the API reference has it; off: as users
    #: of AWS see it.
    started_by_alone: bool = False
    #: Deregistered revisions are described only while a task or a service references them, as the API reference has it;
    #: off: for good, as DeregisterTaskDefinition says that it is "at this time".
    inactive_forgotten: bool = False
    #: Stopping a task removes its tags.
    stop_removes_tags: bool = True
    #: Targets are checked so often, which makes tests quick; None: as their group says (AWS: from 5 s on).
    health_check_interval: float | None = None
    #: Alarms are evaluated so often; None: as AWS does, each minute, or every 10 s when their period is shorter.
    alarm_evaluation_interval: float | None = None
    #: FilterLogEvents looks at so many events a page, so that pages may be empty; None: at all.
    log_events_scanned: int | None = None
    #: Targets ("10.0.0.7" or "10.0.0.7:8000") that anomaly detection finds anomalous.
    anomalous_targets: list[str] = dataclasses.field(default_factory=list)
    #: The registry has enhanced scanning for all repositories; off: basic scanning, where a repository scans on push.
    enhanced_scanning: bool = False
    #: A scan of an image takes so long; how it ends ('': COMPLETE, of an enhanced one ACTIVE), and what it finds:
    #: `[{"name": "CVE-2026-1", "severity": "HIGH"}]`.
    scan_seconds: float = 0.0
    scan_status: str = ""
    scan_findings: list[dict[str, Any]] = dataclasses.field(default_factory=list)


current = Behaviour()
_KINDS: dict[str, tuple[type, ...]] = {
    "token_lifetime": (int, float, type(None)),
    "health_check_interval": (int, float, type(None)),
    "alarm_evaluation_interval": (int, float, type(None)),
    "log_events_scanned": (int, type(None)),
    "placement_failures": (int,),
    "placement_reason": (str,),
    "throttled_pulls": (int,),
    "unnamed_conflicts": (int,),
    "taken_away": (dict,),
    "stop_removes_tags": (bool,),
    "started_by_alone": (bool,),
    "inactive_forgotten": (bool,),
    "anomalous_targets": (list,),
    "enhanced_scanning": (bool,),
    "scan_status": (str,),
    "scan_findings": (list,),
}


def change(values: dict[str, Any]) -> None:
    """Set the named switches; raise ValueError for an unknown name or a value of the wrong kind."""
    for name, value in values.items():
        if name not in Behaviour.__dataclass_fields__:
            raise ValueError(f"unknown behaviour {name!r}; known: {', '.join(Behaviour.__dataclass_fields__)}")
        kinds = _KINDS.get(name, (int, float))
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"behaviour {name!r} cannot be {value!r}")
    for name, value in values.items():
        setattr(current, name, value)


def reset() -> None:
    """Switch everything off."""
    change(dataclasses.asdict(Behaviour()))


def as_json() -> dict[str, Any]:
    """Give all switches as they are now."""
    return dataclasses.asdict(current)


def take(switch: str) -> bool:
    """Whether one is left of a switch that says how often something happens; counts it."""
    left: int = getattr(current, switch)
    setattr(current, switch, max(0, left - 1))
    return left > 0
