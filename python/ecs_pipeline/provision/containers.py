"""The containers of `provision.containers`, put into the package's template before it is sent.

A template cannot repeat a part of itself, so the task definition's containers are written out here, with the members of
AWS::ECS::TaskDefinition ContainerDefinition.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ecs_pipeline.config.containers import ContainerSettings, HealthCheckSettings
from ecs_pipeline.documents import suggestions, yaml
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.provision.template import Template, parse

Containers = Mapping[str, ContainerSettings]
Values = Mapping[str, str]


def composed(template: Template, containers: Containers, values: Values) -> Template:
    """The template with these containers in it. Raises InvalidInput for what cannot be together."""
    if not containers:
        return template
    body = yaml.parse_yaml(template.text, template.name, quotes=True)
    try:
        listed = body["Resources"]["TaskDefinition"]["Properties"]["ContainerDefinitions"]
    except (KeyError, TypeError):
        raise InvalidInput(
            f"provision.containers: {template.name} has no Resources.TaskDefinition.Properties.ContainerDefinitions",
            cure="leave them out, and write the containers into your template",
        ) from None
    own = dict(_own(listed))
    for name, settings in containers.items():
        _refuse_mistakes(name, settings, name in own)
        if name not in own:
            listed.append(_new(name, settings))
        _add(own.get(name, listed[-1]), settings)
    _refuse_dependencies(containers, dict(_own(listed)), values)
    return replace(parse(yaml.to_yaml(body), template.name), packaged=template.packaged)


def secret_arns(containers: Containers) -> set[str]:
    """What the execution role has to read for them, as IAM names it: without a key inside the secret."""
    found = set()
    for settings in containers.values():
        given = [*settings.secrets.values(), settings.repository_credentials]
        found |= {":".join(arn.split(":")[:7]) for arn in given if arn}
    return found


def from_environment(values: Mapping[str, str | None]) -> dict[str, str]:
    """Values of the config; null takes the environment's, and without one the key is left out."""
    found = {name: os.environ.get(name) if value is None else value for name, value in values.items()}
    return {name: value for name, value in found.items() if value is not None}


def _own(listed: Any) -> Iterator[tuple[str, Any]]:
    """The containers of a template by their names."""
    for entry in listed:
        container = _unconditional(entry)
        yield str(container["Name"]), container


def _unconditional(entry: Any) -> Any:
    """An entry of a list that is there, or is under a condition: `!If [Condition, {…}, !Ref AWS::NoValue]`."""
    return entry if isinstance(entry, Mapping) else entry[1]


def _refuse_mistakes(name: str, settings: ContainerSettings, in_template: bool) -> None:  # noqa: FBT001
    place = f"provision.containers.{name}"
    if in_template and settings.image:
        raise InvalidInput(
            f"{place}.image: the template has this container, and its image is a parameter",
            cure="releases bring the app's image; give a sidecar's in provision.parameters",
        )
    if not in_template and not settings.image:
        raise InvalidInput(f"{place}.image: a container needs one", cure="give image: REGISTRY/REPOSITORY:TAG")


def _new(name: str, settings: ContainerSettings) -> dict[str, Any]:
    options = {
        "awslogs-group": {"Ref": "AppLogs"},
        "awslogs-region": {"Ref": "AWS::Region"},
        "awslogs-stream-prefix": name,
    }
    return {
        "Name": name,
        "Image": settings.image,
        "Essential": settings.essential,
        "LogConfiguration": {"LogDriver": "awslogs", "Options": options},
    }


def _add(container: Any, settings: ContainerSettings) -> None:
    """What the config says of a container, in what is there of it."""
    variables = from_environment(settings.environment)
    _merge(container, "Environment", [{"Name": name, "Value": value} for name, value in variables.items()])
    _merge(container, "Secrets", [{"Name": name, "ValueFrom": arn} for name, arn in settings.secrets.items()])
    ports = [{"ContainerPort": port, "Protocol": "tcp"} for port in settings.ports]
    _merge(container, "PortMappings", ports, key="ContainerPort")
    dependencies = [{"ContainerName": name, "Condition": state} for name, state in settings.depends_on.items()]
    _merge(container, "DependsOn", dependencies, key="ContainerName")
    for member, words in (("EntryPoint", settings.entry_point), ("Command", settings.command)):
        if words:
            container[member] = list(words)
    if settings.health_check:
        container["HealthCheck"] = _health_check(settings.health_check)
    if settings.repository_credentials:
        container["RepositoryCredentials"] = {"CredentialsParameter": settings.repository_credentials}


def _merge(container: Any, member: str, entries: list[dict[str, Any]], key: str = "Name") -> None:
    """Entries of a list by their key: one of the config replaces the template's of the same name."""
    if not entries:
        return
    given = {str(entry[key]) for entry in entries}
    kept = [entry for entry in container.get(member) or [] if str(_unconditional(entry)[key]) not in given]
    container[member] = [*kept, *entries]


def _health_check(settings: HealthCheckSettings) -> dict[str, Any]:
    return {
        "Command": list(settings.command),
        "Interval": int(settings.interval),
        "Timeout": int(settings.timeout),
        "Retries": settings.retries,
        "StartPeriod": int(settings.start_period),
    }


def _refuse_dependencies(containers: Containers, all_of_them: Mapping[str, Any], values: Values) -> None:
    """What RegisterTaskDefinition refuses of `dependsOn` (ECS API, ContainerDependency)."""
    there = {name: member for name, member in all_of_them.items() if _is_there(member, values)}
    for name, settings in containers.items():
        if name not in there:
            raise InvalidInput(
                f"provision.containers.{name}: the template leaves this container out while it has no image",
                cure="give its image in provision.parameters or provision.images",
            )
        for other, state in settings.depends_on.items():
            place = f"provision.containers.{name}.depends_on.{other}"
            if other not in there or other == name:
                near = suggestions.closest(other, sorted(set(there) - {name}))
                raise InvalidInput(f"{place}: no such container in the task{near}", cure="name another one of the task")
            if state == "HEALTHY" and not there[other].get("HealthCheck"):
                raise InvalidInput(f"{place}: HEALTHY, but it has no health_check", cure="give it one, or write START")
            if state in ("COMPLETE", "SUCCESS") and there[other].get("Essential", True):
                raise InvalidInput(f"{place}: {state}, but with its end the task ends", cure="write START or HEALTHY")


def _is_there(container: Any, values: Values) -> bool:
    """Whether the container's image is given; that of the app comes with the first release."""
    if str(container["Name"]) == "app":
        return True
    parameter = str(getattr(container["Image"], "value", ""))
    return bool(values.get(parameter)) if parameter in values else bool(container["Image"])
