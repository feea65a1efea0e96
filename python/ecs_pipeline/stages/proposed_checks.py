"""The checks that `init` proposes for a service, from what is there: health path, awslogs, alarms of its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ecs_pipeline.checks.reach import refuse_unreachable
from ecs_pipeline.config.settings import CanarySettings, Settings
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.model.load_balancing import TargetGroup, group_name
from ecs_pipeline.model.release import Service, TaskDefinition
from ecs_pipeline.steps.rollout_deadline import groups_of
from ecs_pipeline.text import yaml_scalar

MOST_ALARMS = 10


def proposed_checks(run: Run, service: Service, current: TaskDefinition) -> Iterator[str]:
    """The lines of the config's `canary:`, [] when there is nothing to go by."""
    found = [*_http(run, service), *_logs(current), *_alarms(run, service)]
    active = any(not line.lstrip().startswith("#") for line in found)
    if found:
        yield "canary:" if active else "# canary:"
        yield "  checks:" if active else "#   checks:"
        yield from found


def _http(run: Run, service: Service) -> Iterator[str]:
    """The health path, asked of the canary itself; commented out where this machine does not reach the tasks."""
    for group in groups_of(run, service):
        if not group.health_path:
            continue
        entry = {"http": {"path": group.health_path, **_status(group)}}
        text = f"    - {_flow(entry)}   # as target group {group_name(group.arn)} asks"
        checked = run.settings.model_copy(update={"canary": _canary_with(run.settings, entry)})
        try:
            refuse_unreachable(replace(run, settings=checked), service)
        except InvalidInput as error:
            yield f"    # {error.message.partition('): ')[2]}; {error.cure}:"
            text = f"    # {text.lstrip()}"
        yield text
        return


def _canary_with(settings: Settings, entry: dict[str, Any]) -> CanarySettings:
    named = {"cluster": settings.cluster, "service": settings.service}
    return Settings.model_validate({**named, "canary": {"checks": [entry]}}).canary


def _status(group: TargetGroup) -> dict[str, Any]:
    """The codes of the target group's matcher as a check takes them: 200-299 is 2xx; {} for the default."""
    found: list[str] = []
    for part in group.health_codes.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit() and last.isdigit():
            found += [f"{hundred}xx" for hundred in range(int(first) // 100, int(last) // 100 + 1)]
        elif first.isdigit():
            found.append(first)
    return {} if found in ([], ["200"]) else {"status": found[0] if len(found) == 1 else found}


def _logs(current: TaskDefinition) -> Iterator[str]:
    drivers = [
        (container.get("logConfiguration") or {}).get("logDriver")
        for container in current.definition["containerDefinitions"]
    ]
    if "awslogs" in drivers:
        yield "    - logs: {filter: ERROR, at_most: 0}   # of all containers; see what it finds before it decides:"
        yield "      required: false"


def _alarms(run: Run, service: Service) -> Iterator[str]:
    """Alarms whose names begin with the service's."""
    try:
        alarms = run.cloudwatch.alarms((), [service.name])
    except Trouble as trouble:
        yield f"    # alarms cannot be read: {trouble.message}"
        return
    names = sorted(alarm.name for alarm in alarms)[:MOST_ALARMS]
    if names:
        yield f"    - {_flow({'alarm': {'names': names}})}   # a release is refused while one of them is in ALARM"


def _flow(value: Any) -> str:
    """A value in YAML's flow style; the outermost key stands alone."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), dict):
        [(key, inner)] = value.items()
        return f"{key}: {{{', '.join(f'{name}: {_flow(part)}' for name, part in inner.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(part) for part in value)}]"
    return yaml_scalar(str(value))
