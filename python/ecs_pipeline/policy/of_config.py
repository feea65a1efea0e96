"""The least that a role needs for this config and service: what statements.py says, with the values of the service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.images import references
from ecs_pipeline.model import service_kinds
from ecs_pipeline.model.load_balancing import group_name
from ecs_pipeline.model.release import Service, TaskDefinition
from ecs_pipeline.policy.filled import Values, filled, lookup_statements, task_secret_statements, trusting
from ecs_pipeline.policy.statements import (
    HOLD_STATEMENTS,
    PRUNE_STATEMENTS,
    QUOTA_STATEMENTS,
    SCAN_STATEMENTS,
    STATEMENTS,
)
from ecs_pipeline.steps import revision
from ecs_pipeline.steps.image import is_of_account
from ecs_pipeline.steps.scaling_hold import asked
from ecs_pipeline.task_definitions import definition, definition_file


def policy(run: Run, *, prune: bool = False, named_runs: bool = False) -> tuple[dict[str, Any], list[str]]:
    """The policy, with what `prune` and `run --name` need where that is asked for, and what was left out of it and why.

    The service and its definition are read.
    """
    service = run.ecs.service()
    current = run.definitions.get(service.revision)
    scans = SCAN_STATEMENTS if run.settings.image.scan else ()
    holds = asked(run)
    quotas = QUOTA_STATEMENTS if service_kinds.on_fargate(service) else ()
    more_of_config = (*(HOLD_STATEMENTS if holds else ()), *scans, *quotas)
    statements = (*STATEMENTS, *more_of_config, *(PRUNE_STATEMENTS if prune else ()))
    more = [*_infrastructure(service), *_secrets_and_lookups(run, service, current)]
    values = _values(run, service, current, prune=prune)
    values = replace(values, named_runs=named_runs or run.settings.hooks.any, holds_scaling=holds)
    return filled(values, more, statements)


def trust(run: Run, kind: str, issuer: str, subject: str) -> dict[str, Any]:
    """Who may become the role, in the service's account."""
    return trusting(*_place(run.ecs.service()), kind, issuer, subject)


def _values(run: Run, service: Service, current: TaskDefinition, *, prune: bool) -> Values:
    """The service's own names, and those that the config adds."""
    settings, region = run.settings, run.recorder.record.region
    partition, account = _place(service)
    image = definition.deployed_image(current, service, settings.container)
    builds = run.engine.has_dockerfile((run.folder / settings.image.context).resolve(), settings.image.dockerfile)
    named_account, _, named_region = settings.image.registry.partition("/")
    pushed = _repository(partition, named_region or region, named_account or account, settings.image.repository)
    family = _family_of_file(run)
    roles = [str(current.definition.get(member) or "") for member in ("executionRoleArn", "taskRoleArn")]
    return Values(
        partition=partition,
        words={
            "REGION": [region],
            "ACCOUNT": [account],
            "CLUSTER": [service.cluster],
            "SERVICE": [service.name],
            "FAMILY": _distinct(current.revision.family, family),
            "LOG-GROUP": _distinct(*_log_groups(current)),
            "TARGET-GROUP": _distinct(*(group_name(entry.target_group) for entry in service.load_balancing)),
        },
        images=_distinct(pushed if builds or prune else "", _repository_of(run, service, image)),
        pushed=[pushed],
        roles=_distinct(*roles),
        without=dict(_left_out(run, builds=builds)),
        on_instances=not service_kinds.on_fargate(service),
    )


def _left_out(run: Run, *, builds: bool) -> Iterator[tuple[str, str]]:
    """Statements that this config does not need, each with why."""
    if not builds:
        why = f"there is no {run.settings.image.dockerfile} to build"
        yield "PushImages", why
        if not run.settings.image.signature:
            yield "LogInToRegistry", why
    if not any(check.alarm or check.metric for check in run.settings.canary.checks):
        yield "ReadAlarmsAndMetrics", "the config has neither an alarm check nor a metric check"


def _place(service: Service) -> tuple[str, str]:
    """Partition and account of a service."""
    parts = service.arn.split(":")
    return parts[1], parts[4]


def _infrastructure(service: Service) -> Iterator[dict[str, Any]]:
    """A service with EBS volumes also passes its infrastructure role to ECS itself."""
    deployments = service.raw.get("deployments", [])
    volumes = [volume for deployment in deployments for volume in deployment.get("volumeConfigurations") or ()]
    roles = _distinct(*(str((volume.get("managedEBSVolume") or {}).get("roleArn", "")) for volume in volumes))
    if roles:
        condition = {"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}}
        passed = {"Action": ["iam:PassRole"], "Resource": roles, "Condition": condition}
        yield {"Sid": "PassTheInfrastructureRole", "Effect": "Allow", **passed}


def _family_of_file(run: Run) -> str:
    file = run.settings.task_definition
    return definition_file.family(run.folder / file, run.lookups) if file else ""


def _secrets_and_lookups(run: Run, service: Service, current: TaskDefinition) -> Iterator[dict[str, Any]]:
    """The secrets that the tasks get, and what config and task-definition file look up in AWS, each of them alone."""
    document = current.definition
    if run.settings.task_definition:
        document = revision.base_of(run, current, service, run.settings.container).definition
    partition, account = _place(service)
    region = run.recorder.record.region
    named = [value for _, value in definition.secrets_named_in(document)]
    yield from task_secret_statements(named, partition, region, account)
    yield from lookup_statements(run.lookups.used, partition, region, account)


def _log_groups(current: TaskDefinition) -> Iterator[str]:
    for container in current.definition["containerDefinitions"]:
        log = container.get("logConfiguration") or {}
        if log.get("logDriver") == "awslogs":
            yield str((log.get("options") or {}).get("awslogs-group", ""))


def _repository_of(run: Run, service: Service, image: str) -> str:
    """The ARN of the ECR repository of an image; '' for one of elsewhere."""
    partition, account = _place(service)
    try:
        reference = references.parse(image)
    except InvalidInput:
        return ""
    if reference.ecr is None and not is_of_account(run, reference):
        return ""
    account, region = reference.ecr or (account, run.recorder.record.region)
    return _repository(partition, region, account, reference.repository)


def _repository(partition: str, region: str, account: str, name: str) -> str:
    return f"arn:{partition}:ecr:{region}:{account}:repository/{name}"


def _distinct(*values: str) -> list[str]:
    return [value for value in dict.fromkeys(values) if value]
