"""`policy`: the statements of docs/iam.md with the values of a service, and no more than its config needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.config.settings import Settings
from ecs_pipeline.policy.filled import Values, filled
from ecs_pipeline.policy.statements import PRUNE_STATEMENTS, STATEMENTS
from tests.fakes.world import World
from tests.unit.commands import NAMED, Commands, Ended, commands

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/execution"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    made = commands(monkeypatch, capsys, tmp_path)
    made.world = World()
    made.world.raw = {"launchType": "FARGATE"}
    return made


def statements(end: Ended) -> dict[str, Any]:
    assert end.code == 0, end.err
    return {statement["Sid"]: statement for statement in json.loads(end.out)["Statement"]}


def definition(world: World) -> dict[str, Any]:
    return world.revisions[world.deployments[0].revision].definition


def test_no_word_is_left_and_all_is_of_this_service(run: Commands) -> None:
    definition(run.world)["executionRoleArn"] = ROLE
    definition(run.world)["containerDefinitions"][0]["logConfiguration"] = {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/ecs/web"},
    }
    found = statements(run("policy", *NAMED))
    text = json.dumps(found)
    for word in ("REGION", "ACCOUNT", "CLUSTER", "SERVICE", "FAMILY", "REPOSITORY", "LOG-GROUP", "TARGET-GROUP"):
        assert word not in text
    service = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:service/prd/web"
    assert found["UpdateService"]["Resource"] == [service]
    assert found["PassTheTasksRoles"]["Resource"] == [ROLE]
    assert found["StopCanary"]["Condition"]["StringEquals"] == {"aws:ResourceTag/ecs-pipeline:service": "web"}
    assert found["ReadLogs"]["Resource"][0] == f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/ecs/web:*"
    assert set(found) - {"FindQuotas"} | {"ReadAlarmsAndMetrics"} == {statement["Sid"] for statement in STATEMENTS}


def test_what_the_service_and_the_config_do_not_need_is_left_out_and_told(run: Commands) -> None:
    run.world.with_load_balancer = False
    end = run("policy", *NAMED)
    found = statements(end)
    missing = {"ReadLogs", "ReadAlarmsAndMetrics", "PassTheTasksRoles", "MoveCanaryIntoAndOutOfTraffic"}
    assert {statement["Sid"] for statement in STATEMENTS} - set(found) == missing
    told = {line.split("left out ")[1].partition(": ")[0] for line in end.err.splitlines()}
    assert told == {*missing, "ecs-pipeline:ran:* of MarkService", "ecs-pipeline:scaling of MarkService"}
    assert "ecs:DescribeContainerInstances" not in json.dumps(found)


def test_what_prune_needs_is_added_where_it_is_asked_for(run: Commands) -> None:
    plain, more = statements(run("policy", *NAMED)), statements(run("policy", *NAMED, "--prune"))
    assert set(more) - set(plain) == {statement["Sid"] for statement in PRUNE_STATEMENTS}
    repository = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/web"
    assert more["DeleteImages"]["Resource"] == [repository]
    assert repository in more["ReadImages"]["Resource"]
    assert f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/*" in more["ReadWhatUsesRevisions"]["Resource"]
    assert run("policy", *NAMED, "--prune", "--trust", "instance").code == 2


def test_the_tags_of_named_commands_are_allowed_where_hooks_or_run_are_in_use(run: Commands) -> None:
    runs = "ecs-pipeline:ran:*"
    assert runs not in json.dumps(statements(run("policy", *NAMED)))
    assert runs in json.dumps(statements(run("policy", *NAMED, "--run"))["MarkService"])
    assert run("policy", *NAMED, "--run", "--trust", "instance").code == 2
    hooks = {"after_promote": [{"name": "purge", "command": ["./purge"]}]}
    run.changes["settings"] = Settings.model_validate({"cluster": "prd", "service": "web", "hooks": hooks})
    end = run("policy", *NAMED)
    assert runs in json.dumps(statements(end)["MarkService"])
    assert runs not in end.err


def test_scans_may_be_read_only_where_the_config_asks_for_them(run: Commands) -> None:
    assert "ReadImageScans" not in statements(run("policy", *NAMED))
    image = {"repository": "web", "scan": {"fail_on": "HIGH"}}
    run.changes["settings"] = Settings.model_validate({"cluster": "prd", "service": "web", "image": image})
    found = statements(run("policy", *NAMED))["ReadImageScans"]
    assert found["Action"] == ["ecr:DescribeImageScanFindings"]
    assert f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/web" in found["Resource"]


def test_a_signature_takes_the_login_of_the_registry_where_nothing_is_built(run: Commands) -> None:
    image = {"repository": "web", "dockerfile": "gone"}
    for more, logs_in in (({}, False), ({"signature": {"program": "notation"}}, True)):
        settings = {"cluster": "prd", "service": "web", "image": {**image, **more}}
        run.changes["settings"] = Settings.model_validate(settings)
        found = statements(run("policy", *NAMED))
        assert ("LogInToRegistry" in found, "PushImages" in found) == (logs_in, False)


def test_the_secrets_that_the_tasks_get_may_be_found_and_not_read(run: Commands) -> None:
    assert not {"FindTaskSecrets", "FindTaskParameters"} & set(statements(run("policy", *NAMED)))
    secret = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:db-aBcDeF"
    other = f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/other"
    definition(run.world)["containerDefinitions"][0].update(
        secrets=[
            {"name": "PASSWORD", "valueFrom": f"{secret}:password::"},
            {"name": "USER", "valueFrom": f"{secret}:user::"},
            {"name": "KEY", "valueFrom": "/app/key"},
            {"name": "OTHER", "valueFrom": other},
        ],
        repositoryCredentials={"credentialsParameter": secret.replace("db", "hub")},
    )
    found = statements(run("policy", *NAMED))
    assert found["FindTaskSecrets"]["Action"] == "secretsmanager:DescribeSecret"
    assert found["FindTaskSecrets"]["Resource"] == [secret, secret.replace("db", "hub")]
    assert found["FindTaskParameters"]["Action"] == "ssm:GetParameter"
    own = f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/app/key"
    assert found["FindTaskParameters"]["Resource"] == [own, other]


def test_quotas_may_be_found_where_the_tasks_run_on_fargate(run: Commands) -> None:
    assert statements(run("policy", *NAMED))["FindQuotas"]["Resource"] == "*"
    run.world.raw = {"launchType": "EC2"}
    assert "FindQuotas" not in statements(run("policy", *NAMED))


def test_tasks_on_instances_need_the_instances(run: Commands) -> None:
    run.world.raw = {"launchType": "EC2"}
    read = statements(run("policy", *NAMED))["ReadTasks"]
    assert "ecs:DescribeContainerInstances" in read["Action"]
    assert f"arn:aws:ecs:eu-west-1:{ACCOUNT}:container-instance/prd/*" in read["Resource"]


def test_an_infrastructure_role_is_passed_to_ecs_itself(run: Commands) -> None:
    volume = {"managedEBSVolume": {"roleArn": ROLE}}
    run.world.raw = {"deployments": [{"status": "PRIMARY", "volumeConfigurations": [volume]}]}
    found = statements(run("policy", *NAMED))["PassTheInfrastructureRole"]
    assert (found["Resource"], found["Condition"]) == (
        [ROLE],
        {"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}},
    )


def test_several_values_make_several_resources_and_the_partition_is_the_service_s() -> None:
    words = {"REGION": ["r"], "ACCOUNT": ["1"], "CLUSTER": ["c"], "SERVICE": ["s"], "FAMILY": ["a", "b"]}
    values = Values("aws-cn", {**words, "LOG-GROUP": [], "TARGET-GROUP": []}, [], [], [], {}, on_instances=False)
    document, _ = filled(values)
    by_sid = {statement["Sid"]: statement for statement in document["Statement"]}
    both = [f"arn:aws-cn:ecs:r:1:task-definition/{family}:*" for family in ("a", "b")]
    assert by_sid["RegisterRevisions"]["Resource"] == both
    assert by_sid["UpdateService"]["Condition"]["ArnLike"]["ecs:task-definition"] == both
    assert "arn:aws:" not in json.dumps(document)


def test_the_agents_instances_may_become_the_role(run: Commands) -> None:
    end = run("policy", *NAMED, "--trust", "instance")
    assert json.loads(end.out)["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]


def test_tokens_of_jenkins_may_become_the_role(run: Commands) -> None:
    words = ("--issuer", "https://ci.example.org/oidc", "--subject", "job/web/*")
    end = run("policy", *NAMED, "--trust", "jenkins-oidc", *words)
    [statement] = json.loads(end.out)["Statement"]
    assert end.err == ""
    assert statement["Principal"] == {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/ci.example.org/oidc"}
    assert statement["Condition"] == {
        "StringEquals": {"ci.example.org/oidc:aud": "sts.amazonaws.com"},
        "StringLike": {"ci.example.org/oidc:sub": "job/web/*"},
    }


def test_what_is_still_to_be_put_in_is_told(run: Commands) -> None:
    end = run("policy", *NAMED, "--trust", "jenkins-oidc")
    assert end.err.splitlines() == [
        "ecs-pipeline policy: put in your value for ISSUER",
        "ecs-pipeline policy: put in your value for SUBJECT",
    ]
    assert run("policy", *NAMED, "--issuer", "x").code == 2
