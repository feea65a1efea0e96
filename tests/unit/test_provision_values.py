"""What `provision` takes as values, and what is bad input: the network, sizes, certificates."""

from __future__ import annotations

import pytest

from tests.fakes.images import FakeRepositories
from tests.fakes.names import digest_of
from tests.unit.provision_world import APP, Account, environment, provision


@pytest.fixture(autouse=True)
def _images_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeRepositories, "digest", lambda *_, **__: digest_of("app"))


def test_one_zone_is_no_network() -> None:
    end = provision(Account(network=("vpc-1", ["subnet-a"])), image=APP)
    assert end.code == 2
    assert end.text.startswith("the default VPC vpc-1 has 1 default subnets in zones with Fargate, not 2")


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"Cpu": "1024", "Memory": "1024"}, "Memory: with Cpu 1024 Fargate takes 2048 to 8192 in steps of 1024 MiB"),
        ({"Cpu": "256", "Memory": "1536"}, "Memory: with Cpu 256 Fargate takes 512, 1024 or 2048 MiB"),
        ({"Cpu": "8192", "Memory": "17408"}, "Memory: with Cpu 8192 Fargate takes 16384 to 61440 in steps of 4096 MiB"),
        (
            {"HealthCheckInterval": "5", "HealthCheckTimeout": "5"},
            "HealthCheckTimeout: less than HealthCheckInterval, 5 seconds, is expected",
        ),
        ({"MinimumCount": "7"}, "MaximumCount: no less than MinimumCount is expected"),
        ({"DatadogImage": "datadog:1"}, "DatadogApiKeySecretArn: the agent ends without its key"),
        ({"DeployTrust": "web-identity"}, "DeployIssuer: DeployTrust web-identity needs it"),
        ({"DeployTrust": "role"}, "DeployTrustedRoleArn: DeployTrust role needs it"),
        ({"DeployIssuer": "https://ci.example.com"}, "DeployIssuer: the issuer without https://"),
        (
            {"DatadogApiKeySecretArn": "the-key-itself"},
            "DatadogApiKeySecretArn: the ARN of a secret of Secrets Manager",
        ),
    ],
)
def test_values_that_do_not_go_together_are_bad_input(parameters: dict[str, str], told: str) -> None:
    account = Account()
    end = provision(account, image=APP, parameters=parameters)
    assert (end.code, account.given) == (2, [])
    assert end.text.startswith(f"provision.parameters.{told}")
    assert "the-key-itself" not in end.text


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [("256", "512"), ("256", "2048"), ("512", "4096"), ("4096", "30720"), ("8192", "61440"), ("16384", "122880")],
)
def test_sizes_that_fargate_has_are_taken(cpu: str, memory: str) -> None:
    assert provision(Account(), image=APP, parameters={"Cpu": cpu, "Memory": memory}).code == 0


def test_a_certificate_is_not_taken_away() -> None:
    account = environment(CertificateArn="arn:aws:acm:ap-northeast-1:123456789012:certificate/1")
    end = provision(account, parameters={"CertificateArn": ""})
    assert (end.code, end.text.partition(":")[0]) == (2, "provision.parameters.CertificateArn")


def test_containers_may_not_make_the_template_too_large() -> None:
    """CloudFormation's limit holds for what is handed over, with the config's containers in it."""
    large = {f"c{number}": {"image": "a:1", "environment": {"A": 1_000 * "x"}} for number in range(30)}
    end = provision(Account(), image=APP, containers=large)
    assert (end.code, "CloudFormation takes templates of 51,200 at most" in end.text) == (2, True)
