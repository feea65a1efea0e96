"""The package's template, as CloudFormation evaluates it: what an environment is made of for which parameters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.provision.template import read
from tests.unit.cloudformation import Stack, stack

TEXT = read(Path(), "").text
NAMES = {"ClusterName": "shop-prd", "ServiceName": "shop", "RepositoryName": "shop"}
SIDECARS = {
    "DatadogImage": "datadog:1",
    "DatadogApiKeySecretArn": "arn:aws:secretsmanager:REGION:ACCOUNT:secret:key",
    "FlumeImage": "flume:1",
    "FlumeConfiguration": "agent.sources = a",
}


def made(**values: str) -> Stack:
    return stack(TEXT, **{**NAMES, "Image": "app:1", **values})


def allowed(environment: Stack, action: str, role: str = "ExecutionRole") -> list[str]:
    """The resources for which a role has an action."""
    found: list[str] = []
    for statement in environment.statements(role):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        found += resources if action in actions else []
    return found


def test_a_person_can_read_it_and_cloudformation_takes_it_in_a_request() -> None:
    assert len(TEXT.encode()) < 51_200  # CloudFormation quotas: a template body in a request
    assert max(len(line) for line in TEXT.splitlines()) <= 150


# ---- two environments of one app


@pytest.mark.parametrize("which", ["AppRepository", "DatadogRepository", "FlumeRepository"])
def test_a_repository_is_made_only_where_it_is_said_and_stays(which: str) -> None:
    parameter = {"AppRepository": "MakeRepository"}.get(which, f"Make{which}")
    assert which not in made()
    environment = made(**{parameter: "true"})
    repository = environment.resources[which]
    assert repository["DeletionPolicy"] == "RetainExceptOnCreate"
    assert repository["UpdateReplacePolicy"] == "Retain"
    assert "EmptyOnDelete" not in repository["Properties"]
    assert repository["Properties"]["ImageTagMutability"] == "IMMUTABLE"


def test_no_lifecycle_rule_removes_an_image_that_has_a_tag() -> None:
    text = made(MakeRepository="true")["AppRepository"]["LifecyclePolicy"]["LifecyclePolicyText"]
    assert [rule["selection"]["tagStatus"] for rule in json.loads(text)["rules"]] == ["untagged"]


# ---- what may reach what


def ingress(environment: Stack, group: str) -> list[tuple[int, str]]:
    rules = environment[group]["SecurityGroupIngress"]
    sources = [rule.get("SourceSecurityGroupId") or rule["CidrIp"] for rule in rules]
    return [(int(rule["FromPort"]), source) for rule, source in zip(rules, sources, strict=True)]


@pytest.mark.parametrize(
    ("values", "sources"),
    [
        ({}, []),
        ({"ProbeSecurityGroupId": "sg-1"}, ["sg-1"]),
        ({"ProbeCidr": "10.1.0.0/16"}, ["10.1.0.0/16"]),
        ({"ProbeSecurityGroupId": "sg-1", "ProbeCidr": "10.1.0.0/16"}, ["sg-1", "10.1.0.0/16"]),
    ],
)
def test_agents_reach_the_tasks_when_they_are_named(values: dict[str, str], sources: list[str]) -> None:
    balancer = "LoadBalancerSecurityGroup.GroupId"
    assert ingress(made(**values), "TaskSecurityGroup") == [(8000, source) for source in [balancer, *sources]]


def test_with_a_certificate_port_80_redirects_to_https_of_today() -> None:
    plain, secure = made(), made(CertificateArn="arn:aws:acm:REGION:ACCOUNT:certificate/1")
    assert "RedirectListener" not in plain
    assert (plain["Listener"]["Port"], plain["Listener"]["Protocol"]) == (80, "HTTP")
    assert ingress(plain, "LoadBalancerSecurityGroup") == [(80, "0.0.0.0/0")]
    listener, redirect = secure["Listener"], secure["RedirectListener"]
    assert (listener["Port"], listener["Protocol"]) == (443, "HTTPS")
    assert listener["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-")
    assert (redirect["Port"], redirect["DefaultActions"][0]["RedirectConfig"]["StatusCode"]) == (80, "HTTP_301")
    assert ingress(secure, "LoadBalancerSecurityGroup") == [(80, "0.0.0.0/0"), (443, "0.0.0.0/0")]


def attributes(environment: Stack) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in environment["LoadBalancer"]["LoadBalancerAttributes"]}


def test_access_logs_and_deletion_protection_are_parameters() -> None:
    plain = attributes(made())
    assert plain["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert (plain["deletion_protection.enabled"], plain["access_logs.s3.enabled"]) == ("false", "false")
    assert "access_logs.s3.bucket" not in plain
    full = attributes(made(AccessLogsBucket="logs", DeletionProtection="true"))
    assert full["deletion_protection.enabled"] == "true"
    assert (full["access_logs.s3.bucket"], full["access_logs.s3.prefix"]) == ("logs", "shop-prd")


def test_the_load_balancer_and_its_target_group_have_names_that_can_change() -> None:
    assert "Name" not in made()["LoadBalancer"]
    named = made(LoadBalancerName="lb", TargetGroupName="tg")
    assert (named["LoadBalancer"]["Name"], named["TargetGroup"]["Name"]) == ("lb", "tg")


# ---- health


def test_the_interval_of_5_seconds_that_the_template_allows_is_above_its_timeout() -> None:
    group, limits = made()["TargetGroup"], made().body["Parameters"]["HealthCheckInterval"]
    assert int(group["HealthCheckTimeoutSeconds"]) < limits["MinValue"] == 5


def test_a_new_task_has_time_to_become_healthy() -> None:
    assert int(made()["Service"]["HealthCheckGracePeriodSeconds"]) >= 120
    assert made(HealthCheckGracePeriod="600")["Service"]["HealthCheckGracePeriodSeconds"] == "600"


def test_container_insights_has_the_metrics_of_single_tasks() -> None:
    assert made()["Cluster"]["ClusterSettings"] == [{"Name": "containerInsights", "Value": "enhanced"}]


# ---- roles


def test_tasks_pull_from_repositories_elsewhere_that_are_named() -> None:
    own = "arn:aws:ecr:REGION:ACCOUNT:repository/shop"
    assert allowed(made(), "ecr:BatchGetImage") == [own, f"{own}-datadog", f"{own}-flume"]
    elsewhere = "arn:aws:ecr:REGION:210987654321:repository/base,arn:aws:ecr:REGION:ACCOUNT:repository/docker-hub/*"
    environment = made(ImageRepositoryArns=elsewhere)
    assert set(elsewhere.split(",")) <= set(allowed(environment, "ecr:BatchGetImage"))
    assert allowed(environment, "ecr:BatchImportUpstreamImage") == elsewhere.split(",")


def test_tasks_read_the_secrets_that_are_named_and_no_others() -> None:
    assert allowed(made(), "secretsmanager:GetSecretValue") == []
    environment = made(SecretArns="arn:one,arn:two", KmsKeyArns="arn:key", **SIDECARS)
    key = SIDECARS["DatadogApiKeySecretArn"]
    assert allowed(environment, "secretsmanager:GetSecretValue") == [key, "arn:one", "arn:two"]
    assert allowed(environment, "ssm:GetParameters") == ["arn:one", "arn:two"]
    assert allowed(environment, "kms:Decrypt") == ["arn:key"]


def test_managed_policies_come_from_parameters() -> None:
    assert "ManagedPolicyArns" not in made()["TaskRole"]
    environment = made(TaskPolicyArns="arn:a,arn:b", ExecutionPolicyArns="arn:c")
    assert environment["TaskRole"]["ManagedPolicyArns"] == ["arn:a", "arn:b"]
    assert environment["ExecutionRole"]["ManagedPolicyArns"] == ["arn:c"]


@pytest.mark.parametrize("role", ["ExecutionRole", "TaskRole"])
def test_only_this_accounts_tasks_have_the_roles(role: str) -> None:
    condition = made()[role]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    assert condition["StringEquals"] == {"aws:SourceAccount": "ACCOUNT"}
    assert condition["ArnLike"] == {"aws:SourceArn": "arn:aws:ecs:REGION:ACCOUNT:*"}


def test_ecs_exec_is_a_switch_with_its_permissions() -> None:
    assert (made()["Service"]["EnableExecuteCommand"], made().statements("TaskRole")) == (False, [])
    environment = made(ExecuteCommand="true")
    assert environment["Service"]["EnableExecuteCommand"] is True
    assert allowed(environment, "ssmmessages:OpenDataChannel", "TaskRole") == ["*"]


# ---- scaling


def metrics(environment: Stack) -> dict[str, str]:
    policies = [each["Properties"] for name, each in environment.resources.items() if name.endswith("ScalingPolicy")]
    tracked = [policy["TargetTrackingScalingPolicyConfiguration"] for policy in policies]
    return {each["PredefinedMetricSpecification"]["PredefinedMetricType"]: str(each["TargetValue"]) for each in tracked}


def test_it_scales_on_cpu_and_memory_and_on_requests_when_they_are_said() -> None:
    cpu_and_memory = {"ECSServiceAverageCPUUtilization": "60", "ECSServiceAverageMemoryUtilization": "80"}
    assert metrics(made()) == cpu_and_memory
    environment = made(RequestsPerTarget="1000")
    assert metrics(environment) == {**cpu_and_memory, "ALBRequestCountPerTarget": "1000"}
    policy = environment["RequestScalingPolicy"]["TargetTrackingScalingPolicyConfiguration"]
    label = policy["PredefinedMetricSpecification"]["ResourceLabel"]
    assert label == "LoadBalancer.LoadBalancerFullName/TargetGroup.TargetGroupFullName"


def test_the_architecture_is_a_parameter() -> None:
    platform = made(CpuArchitecture="ARM64")["TaskDefinition"]["RuntimePlatform"]
    assert platform == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}
    assert made()["TaskDefinition"]["RuntimePlatform"]["CpuArchitecture"] == "X86_64"


# ---- sidecars


def variables(container: Any) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in container["Environment"]}


def test_datadog_gets_its_key_from_secrets_manager_and_knows_that_it_is_on_fargate() -> None:
    assert made().container("datadog") is None
    datadog = made(**SIDECARS, DatadogSite="datadoghq.eu", DatadogTags="env:prd").container("datadog")
    assert datadog["Secrets"] == [{"Name": "DD_API_KEY", "ValueFrom": SIDECARS["DatadogApiKeySecretArn"]}]
    assert variables(datadog) == {
        "ECS_FARGATE": "true",
        "DD_SITE": "datadoghq.eu",
        "DD_TAGS": "service:shop cluster_name:shop-prd env:prd",
    }
    assert datadog["HealthCheck"]["Command"] == ["CMD-SHELL", "agent health"]
    assert "key" not in json.dumps(datadog["Environment"]).lower().replace("dd_", "")


def test_flume_gets_its_configuration_and_is_started_with_it() -> None:
    flume = made(**SIDECARS, FlumeAgent="shipper").container("flume")
    assert variables(flume) == {"FLUME_AGENT": "shipper", "FLUME_CONFIGURATION": "agent.sources = a"}
    assert flume["EntryPoint"] == ["sh", "-c"]
    assert 'exec flume-ng agent --name "$FLUME_AGENT" --conf-file /tmp/flume.conf' in flume["Command"][0]
    own = made(FlumeImage="flume:1").container("flume")
    assert not {"EntryPoint", "Command"} & set(own)


# ---- the role for Jenkins


@pytest.mark.parametrize(
    ("values", "principal", "action"),
    [
        ({"DeployTrust": "instance"}, {"Service": "ec2.amazonaws.com"}, "sts:AssumeRole"),
        ({"DeployTrust": "role", "DeployTrustedRoleArn": "arn:agent"}, {"AWS": "arn:agent"}, "sts:AssumeRole"),
        (
            {"DeployTrust": "web-identity", "DeployIssuer": "ci.example.com/oidc", "DeploySubject": "job:shop"},
            {"Federated": "arn:aws:iam::ACCOUNT:oidc-provider/ci.example.com/oidc"},
            "sts:AssumeRoleWithWebIdentity",
        ),
    ],
)
def test_who_may_deploy(values: dict[str, str], principal: dict[str, str], action: str) -> None:
    assert "DeployRole" not in made()
    environment = made(**values)
    document = environment["DeployRole"]["AssumeRolePolicyDocument"]
    (statement,) = (json.loads(document) if isinstance(document, str) else document)["Statement"]
    assert (statement["Principal"], statement["Action"]) == (principal, action)
    assert ("DeployInstanceProfile" in environment) == (values["DeployTrust"] == "instance")


def test_a_token_is_taken_for_its_subject_and_audience_only() -> None:
    issuer = {"DeployTrust": "web-identity", "DeployIssuer": "ci.example.com", "DeploySubject": "job:shop/*"}
    document = json.loads(made(**issuer)["DeployRole"]["AssumeRolePolicyDocument"])
    assert document["Statement"][0]["Condition"] == {
        "StringEquals": {"ci.example.com:aud": "sts.amazonaws.com"},
        "StringLike": {"ci.example.com:sub": "job:shop/*"},
    }
