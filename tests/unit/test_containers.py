"""Containers of the config in the package's template: what is added, what replaces what, what cannot be together."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ecs_pipeline.config.settings import ProvisionSettings
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.provision.containers import composed, secret_arns
from ecs_pipeline.provision.template import Template, packaged
from tests.unit.cloudformation import Stack, stack

SECRET = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:shop-aBcDeF"
PARAMETER = "arn:aws:ssm:ap-northeast-1:123456789012:parameter/shop/token"
VALUES = {"ClusterName": "shop-prd", "ServiceName": "shop", "RepositoryName": "shop", "Image": "app:1"}
ENVOY = {
    "image": "envoy:1",
    "environment": {"LEVEL": "debug", "VERSION": "1.10"},
    "secrets": {"TOKEN": PARAMETER},
    "ports": [9901],
    "entry_point": ["sh", "-c"],
    "command": ["exec envoy"],
    "depends_on": {"datadog": "HEALTHY"},
    "health_check": {"command": ["CMD-SHELL", "true"], "interval": "10s", "retries": 2, "start_period": "1m"},
    "essential": True,
    "repository_credentials": SECRET,
}


def settings(**containers: Any) -> ProvisionSettings:
    return ProvisionSettings.model_validate({"containers": containers})


def template_of(values: dict[str, str], **containers: Any) -> Template:
    return composed(packaged(), settings(**containers).containers, {**packaged().defaults, **VALUES, **values})


def made(values: dict[str, str] | None = None, **containers: Any) -> Stack:
    return stack(template_of(values or {}, **containers).text, **VALUES, **(values or {}))


def told(values: dict[str, str] | None = None, **containers: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        template_of(values or {}, **containers)
    return str(caught.value)


def test_without_containers_the_template_is_sent_as_it_is() -> None:
    assert template_of({}) is packaged()


def test_a_container_gets_all_that_the_config_says_of_it() -> None:
    envoy = made({"DatadogImage": "datadog:1"}, envoy=ENVOY).container("envoy")
    assert envoy.pop("LogConfiguration")["Options"] == {
        "awslogs-group": "AppLogs",
        "awslogs-region": "REGION",
        "awslogs-stream-prefix": "envoy",
    }
    assert envoy == {
        "Name": "envoy",
        "Image": "envoy:1",
        "Essential": True,
        "Environment": [{"Name": "LEVEL", "Value": "debug"}, {"Name": "VERSION", "Value": "1.10"}],
        "Secrets": [{"Name": "TOKEN", "ValueFrom": PARAMETER}],
        "PortMappings": [{"ContainerPort": 9901, "Protocol": "tcp"}],
        "EntryPoint": ["sh", "-c"],
        "Command": ["exec envoy"],
        "DependsOn": [{"ContainerName": "datadog", "Condition": "HEALTHY"}],
        "HealthCheck": {
            "Command": ["CMD-SHELL", "true"],
            "Interval": 10,
            "Timeout": 5,
            "Retries": 2,
            "StartPeriod": 60,
        },
        "RepositoryCredentials": {"CredentialsParameter": SECRET},
    }


def test_what_is_said_of_the_apps_container_is_added_to_it() -> None:
    plain, app = made().container("app"), made(app={"secrets": {"DB": SECRET}, "ports": [9000]}).container("app")
    assert app["PortMappings"] == [*plain["PortMappings"], {"ContainerPort": 9000, "Protocol": "tcp"}]
    assert app["Secrets"] == [{"Name": "DB", "ValueFrom": SECRET}]
    assert {key: app[key] for key in ("Name", "Image", "Essential", "LogConfiguration")} == {
        key: plain[key] for key in ("Name", "Image", "Essential", "LogConfiguration")
    }


def test_a_variable_of_the_config_replaces_the_templates() -> None:
    values = {"DatadogImage": "datadog:1", "DatadogApiKeySecretArn": SECRET}
    datadog = made(values, datadog={"environment": {"DD_SITE": "datadoghq.eu", "DD_LOGS_ENABLED": "true"}})
    variables = {each["Name"]: each["Value"] for each in datadog.container("datadog")["Environment"]}
    assert (variables["DD_SITE"], variables["DD_LOGS_ENABLED"], variables["ECS_FARGATE"]) == (
        "datadoghq.eu",
        "true",
        "true",
    )
    assert datadog.container("datadog")["Secrets"] == [{"Name": "DD_API_KEY", "ValueFrom": SECRET}]


def test_nothing_else_of_the_template_changes() -> None:
    values = {"DeployTrust": "web-identity", "DeployIssuer": "ci.example.com", "DeploySubject": "job"}
    before, after = stack(packaged().text, **VALUES, **values), made(values, envoy={"image": "envoy:1"})
    others = {name: resource for name, resource in before.resources.items() if name != "TaskDefinition"}
    assert {name: after.resources[name] for name in others} == others
    assert after.body["Parameters"] == before.body["Parameters"]


def test_a_variable_that_is_null_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEVEL", "info")
    monkeypatch.delenv("GONE", raising=False)
    envoy = made(envoy={"image": "envoy:1", "environment": {"LEVEL": None, "GONE": None}}).container("envoy")
    assert envoy["Environment"] == [{"Name": "LEVEL", "Value": "info"}]


def test_the_secrets_to_read_are_named_as_iam_names_them() -> None:
    containers = settings(
        app={"secrets": {"DB": f"{SECRET}:password::", "TOKEN": PARAMETER}},
        envoy={"image": "envoy:1", "repository_credentials": SECRET},
    ).containers
    assert secret_arns(containers) == {SECRET, PARAMETER}


@pytest.mark.parametrize(
    ("containers", "line"),
    [
        ({"app": {"image": "app:2"}}, "provision.containers.app.image: the template has this container"),
        ({"envoy": {}}, "provision.containers.envoy.image: a container needs one"),
        ({"flume": {"ports": [1]}}, "provision.containers.flume: the template leaves this container out"),
        (
            {"app": {"depends_on": {"datadog": "START"}}},
            "provision.containers.app.depends_on.datadog: no such container in the task",
        ),
        (
            {"app": {"depends_on": {"evnoy": "START"}}, "envoy": {"image": "envoy:1"}},
            "provision.containers.app.depends_on.evnoy: no such container in the task (did you mean envoy?)",
        ),
        (
            {"app": {"depends_on": {"envoy": "HEALTHY"}}, "envoy": {"image": "envoy:1"}},
            "provision.containers.app.depends_on.envoy: HEALTHY, but it has no health_check",
        ),
        (
            {"app": {"depends_on": {"envoy": "SUCCESS"}}, "envoy": {"image": "envoy:1", "essential": True}},
            "provision.containers.app.depends_on.envoy: SUCCESS, but with its end the task ends",
        ),
    ],
)
def test_what_cannot_be_together_is_told_by_its_place(containers: dict[str, Any], line: str) -> None:
    assert told(**containers).startswith(line)


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"secrets": {"KEY": "hunter2"}}, "the whole ARN of a secret"),
        ({"ports": [0]}, "greater than or equal to 1"),
        ({"depends_on": {"app": "LATER"}}, "'START', 'HEALTHY', 'COMPLETE' or 'SUCCESS'"),
        ({"repository_credentials": PARAMETER}, "the whole ARN of a secret of Secrets Manager is expected"),
        ({"health_check": {"command": ["CMD"]}}, r"command: write \[CMD, PROGRAM, ARGUMENT\]"),
        ({"health_check": {"command": ["sh", "-c"]}}, r"or \[CMD-SHELL, LINE\]"),
        ({"health_check": {"command": ["CMD", "a"], "interval": "2s"}}, "greater than or equal to 5"),
        ({"health_check": {"command": ["CMD", "a"], "timeout": "2500ms"}}, "timeout: whole seconds are expected"),
        ({"imagee": "a"}, "Extra inputs"),
    ],
)
def test_a_container_that_ecs_would_not_take_is_bad_input(container: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(envoy=container)
    with pytest.raises(ValidationError, match="cannot be a container's name"):
        settings(**{"en.voy": {}})
