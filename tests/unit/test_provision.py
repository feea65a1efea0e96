"""What `provision` fills in, keeps, refuses and sends, on an account in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecs_pipeline.provision.template import packaged
from tests.fakes.images import FakeRepositories
from tests.fakes.names import digest_of
from tests.unit.cloudformation import stack
from tests.unit.provision_world import APP, HOST, Account, environment, provision

SECRET = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:datadog-aBcDeF"
DATADOG = {"DatadogImage": "public.ecr.aws/datadog/agent:7", "DatadogApiKeySecretArn": SECRET}
SIDECAR = {"DatadogImage": {"repository": "web-datadog", "context": "sidecar"}}


@pytest.fixture(autouse=True)
def _images_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeRepositories, "digest", lambda *_, **__: digest_of("app"))


# ---- repositories


def test_a_repository_that_is_missing_is_made_and_one_that_is_there_is_shared() -> None:
    first = Account(repositories=set())
    assert provision(first).code == 0
    second = Account(name="stg", repositories=first.repositories)
    assert provision(second).code == 0
    assert [account.given[0]["MakeRepository"] for account in (first, second)] == ["true", "false"]
    assert provision(first).code == 0
    assert first.given[-1]["MakeRepository"] == "true"


def test_repositories_of_sidecars_are_made_only_for_images_that_are_built_here() -> None:
    account = Account(repositories={"web"})
    provision(account, image=APP, parameters={"DatadogApiKeySecretArn": SECRET}, images=SIDECAR)
    flags = ("MakeRepository", "MakeDatadogRepository", "MakeFlumeRepository")
    assert [account.given[0][name] for name in flags] == ["false", "true", "false"]


def test_a_stack_of_a_template_without_these_parameters_keeps_its_three() -> None:
    account = environment()
    assert account.parameters is not None
    for name in ("MakeRepository", "MakeDatadogRepository", "MakeFlumeRepository"):
        del account.parameters[name]
    provision(account)
    assert account.given[-1]["MakeDatadogRepository"] == "true"


def test_a_repository_of_another_name_has_to_be_there() -> None:
    end = provision(
        Account(),
        image=APP,
        parameters=DATADOG | {"DatadogImage": ""},
        images={"DatadogImage": {"repository": "tools"}},
    )
    assert (end.code, end.text.partition(";")[0]) == (2, "no ECR repository tools")


# ---- what is pulled and read


@pytest.mark.parametrize(
    ("image", "arns"),
    [
        (APP, ""),
        (
            "210987654321.dkr.ecr.eu-west-1.amazonaws.com/base/app:1",
            "arn:aws:ecr:eu-west-1:210987654321:repository/base/app",
        ),
        (f"{HOST}/other:1", "arn:aws:ecr:ap-northeast-1:123456789012:repository/other"),
        (
            "210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn/web:1",
            "arn:aws-cn:ecr:cn-north-1:210987654321:repository/web",
        ),
    ],
)
def test_tasks_may_pull_the_image_that_is_given(image: str, arns: str) -> None:
    account = Account()
    end = provision(account, image=image)
    assert end.code == 0, end.text
    assert account.given[0]["ImageRepositoryArns"] == arns


def test_what_containers_read_and_pull_is_added_to_the_lists_of_the_config() -> None:
    base = "arn:aws:ssm:ap-northeast-1:123456789012:parameter/shop"
    envoy = {
        "image": "210987654321.dkr.ecr.eu-west-1.amazonaws.com/envoy:1",
        "secrets": {"TOKEN": f"{SECRET}:token::"},
        "repository_credentials": SECRET.replace("datadog", "login"),
    }
    account = Account()
    provision(account, image=APP, parameters={"SecretArns": base}, containers={"envoy": envoy})
    assert account.given[0]["SecretArns"] == ",".join(sorted([base, SECRET, SECRET.replace("datadog", "login")]))
    assert account.given[0]["ImageRepositoryArns"] == "arn:aws:ecr:eu-west-1:210987654321:repository/envoy"


def test_tasks_may_pull_what_is_built_into_another_registry() -> None:
    elsewhere = {"DatadogImage": {"repository": "tools", "registry": "210987654321/eu-west-1"}}
    account = Account(repositories={"web", "tools"})
    end = provision(account, image=APP, images=elsewhere, parameters={"DatadogApiKeySecretArn": SECRET})
    assert end.code == 0, end.text
    assert account.given[0]["ImageRepositoryArns"] == "arn:aws:ecr:eu-west-1:210987654321:repository/tools"


def test_a_value_that_is_null_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DatadogTags", "env:prd")
    monkeypatch.delenv("DatadogSite", raising=False)
    account = Account()
    provision(account, image=APP, parameters={"DatadogTags": None, "DatadogSite": None})
    assert account.given[0]["DatadogTags"] == "env:prd"
    assert "DatadogSite" not in account.given[0]


# ---- names of what may have to be replaced


def test_a_new_environment_names_both_after_its_cluster() -> None:
    given = environment().given[0]
    assert (given["LoadBalancerName"], given["TargetGroupName"]) == ("prd", "prd")


@pytest.mark.parametrize(
    ("change", "renamed"),
    [
        ({"HealthCheckPath": "/up"}, ()),
        ({"Scheme": "internet-facing"}, ("LoadBalancerName", "TargetGroupName")),
        ({"VpcId": "vpc-2", "SubnetIds": "subnet-1,subnet-2"}, ("LoadBalancerName", "TargetGroupName")),
    ],
)
def test_what_needs_another_load_balancer_gives_it_another_name(
    change: dict[str, str], renamed: tuple[str, ...]
) -> None:
    account = environment()
    for _ in range(2):  # given again it changes nothing more
        provision(account, parameters=change)
        given = account.given[-1]
        assert {name for name in ("LoadBalancerName", "TargetGroupName") if given[name] != "prd"} == set(renamed)
        assert len(given["LoadBalancerName"]) <= 32
    names = {given["LoadBalancerName"] for given in account.given}
    assert len(names) == (2 if renamed else 1)


def test_a_stack_of_a_template_with_fixed_names_keeps_them() -> None:
    account = environment()
    assert account.parameters is not None
    for name in ("LoadBalancerName", "TargetGroupName"):
        del account.parameters[name]
    provision(account)
    assert account.given[-1]["LoadBalancerName"] == "prd"


def test_a_protected_load_balancer_is_neither_replaced_nor_deleted() -> None:
    account = environment(DeletionProtection="true")
    end = provision(account, parameters={"Scheme": "internet-facing"})
    assert (end.code, "protected from deletion" in end.text) == (3, True)
    end = provision(account, delete=True, confirm="prd")
    assert (end.code, account.deleted) == (3, False)
    assert end.text.startswith("the load balancer of prd is protected from deletion")
    assert provision(account, parameters={"DeletionProtection": "false"}).code == 0
    assert provision(account, delete=True, confirm="prd").code == 0
    assert account.deleted


def test_another_port_needs_a_revision_that_has_it() -> None:
    account = environment()
    end = provision(account, parameters={"ContainerPort": "9000"})
    assert (end.code, end.text.partition(";")[0]) == (
        3,
        "prd/web runs a revision whose container app has no port 9000",
    )


# ---- another template


def test_nothing_is_filled_into_a_template_of_the_teams_own(tmp_path: Path) -> None:
    own = tmp_path / "own.yml"
    own.write_text("Parameters: {Cpu: {Type: String}}\nResources: {Topic: {Type: AWS::SNS::Topic}}\n")
    account = Account()
    assert provision(account, template=str(own), parameters={"Cpu": "lots"}).code == 0
    assert account.given == [{"Cpu": "lots"}]
    end = provision(Account(), template=str(own), parameters={"Cpu": "1"}, containers={"a": {"image": "a:1"}})
    assert (end.code, end.text.startswith("provision.containers: ")) == (2, True)


# ---- a dry run


def test_a_dry_run_of_a_new_environment_tells_only_what_there_would_be() -> None:
    account = Account(repositories=set())
    changes = provision(account, parameters={}, dry_run=True).changes
    resources = stack(packaged().text, Image="app:1", MakeRepository="true").resources
    assert [change.split()[1] for change in changes] == sorted(resources)
    assert account.given == []


def test_a_dry_run_tells_what_a_parameter_adds_and_takes_away() -> None:
    account = environment(RequestsPerTarget="1000")
    changes = provision(account, parameters={"RequestsPerTarget": "0", "DeployTrust": "instance"}, dry_run=True).changes
    assert {" ".join(change.split()[:2]) for change in changes} >= {
        "remove RequestScalingPolicy",
        "add DeployRole",
        "add DeployInstanceProfile",
    }
    assert not any("RedirectListener" in change for change in changes)


@pytest.mark.parametrize(
    ("settings", "scans", "holds"),
    [
        ({}, "false", "false"),
        ({"image": {"repository": "web", "scan": {}}}, "true", "false"),
        ({"promote": {"autoscaling": "hold"}}, "false", "true"),
    ],
)
def test_the_role_for_jenkins_may_what_the_config_asks_for(
    settings: dict[str, dict[str, object]], scans: str, holds: str
) -> None:
    account = Account()
    assert (
        provision(
            account, settings={"image": {"repository": "web", "scan": {}}, "promote": {"autoscaling": "hold"}}
        ).code
        == 0
    )
    assert provision(account, settings=settings).code == 0
    given = account.given[-1]
    assert (given["DeployReadsScans"], given["DeployHoldsAutoscaling"]) == (scans, holds)
