"""DescribeTargetHealth tells what real checks found, and for how long a target drains."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.embedded_aws.environment import Environment
    from tests.emulator.embedded_aws.web_server import WebServer

    NewServer = Callable[..., WebServer]


def reason(environment: Environment, arn: str = "") -> tuple[str, str]:
    """Give state and reason of the only target."""
    health = environment.health(arn)[0]["TargetHealth"]
    return health["State"], health.get("Reason", "")


def test_one_passing_check_makes_a_new_target_healthy(environment: Environment, new_server: NewServer) -> None:
    """Application Load Balancers User Guide, "Health checks for your target groups"; data type TargetHealth."""
    server = new_server()
    server.delay = 0.5
    environment.add_targets(server.target)
    assert reason(environment) == ("initial", "Elb.RegistrationInProgress")
    described = wait_for(lambda: [each for each in environment.health() if "Reason" not in each["TargetHealth"]])
    assert described[0]["TargetHealth"] == {"State": "healthy"}
    assert described[0]["Target"] == {"Id": "127.0.0.1", "Port": server.target[1]}
    assert described[0]["HealthCheckPort"] == str(server.target[1])
    assert server.checks <= 2


def test_a_wrong_code_makes_a_target_unhealthy_and_it_recovers(environment: Environment, new_server: NewServer) -> None:
    """Data type TargetHealth: Target.ResponseCodeMismatch; thresholds of the target group count in a row."""
    server = new_server()
    server.health = 503
    environment.add_targets(server.target)
    wait_for(lambda: reason(environment) == ("initial", "Elb.InitialHealthChecking"))
    wait_for(lambda: reason(environment) == ("unhealthy", "Target.ResponseCodeMismatch"))
    described = environment.health()[0]["TargetHealth"]
    assert described["Description"] == "Health checks failed with these codes: [503]"
    server.health = 200
    wait_for(lambda: environment.states() == ["healthy"])


def test_a_matcher_takes_ranges_and_lists(environment: Environment, new_server: NewServer) -> None:
    """Data type Matcher: "200,202" and "200-299" are values and ranges of codes."""
    server = new_server()
    server.health = 204
    group = environment.new_target_group("m", Matcher={"HttpCode": "200,203-205"})
    environment.add_targets(server.target, group=group)
    wait_for(lambda: environment.states(group) == ["healthy"])


def test_no_answer_and_no_connection_have_reasons_of_their_own(environment: Environment, new_server: NewServer) -> None:
    """Data type TargetHealth: Target.Timeout and Target.FailedHealthChecks."""
    slow, gone = new_server(), new_server()
    slow.delay = 3.0
    gone.close()
    environment.add_targets(slow.target, gone.target)
    expected = {slow.target[1]: "Target.Timeout", gone.target[1]: "Target.FailedHealthChecks"}

    def reasons() -> dict[int, str]:
        return {each["Target"]["Port"]: each["TargetHealth"].get("Reason", "") for each in environment.health()}

    wait_for(lambda: reasons() == expected)


def test_a_deregistered_target_drains_for_the_delay_and_is_gone(
    environment: Environment, new_server: NewServer
) -> None:
    """User Guide, "Deregistration delay"; DescribeTargetHealth of what is not registered: Target.NotRegistered."""
    server = new_server()
    environment.add_targets(server.target)
    wait_for(lambda: environment.states() == ["healthy"])
    environment.take_targets(server.target)
    begun = time.monotonic()
    assert reason(environment) == ("draining", "Target.DeregistrationInProgress")
    wait_for(lambda: environment.health() == [])
    assert time.monotonic() - begun >= 0.9
    described = environment.health("", server.target)[0]["TargetHealth"]
    assert (described["State"], described["Reason"]) == ("unused", "Target.NotRegistered")


def test_the_waiter_for_deregistered_targets_ends(environment: Environment, new_server: NewServer) -> None:
    """Waiter target_deregistered: succeeds when a target is unused."""
    server = new_server()
    environment.add_targets(server.target)
    environment.take_targets(server.target)
    environment.elb.get_waiter("target_deregistered").wait(
        TargetGroupArn=environment.target_group,
        Targets=[{"Id": server.target[0], "Port": server.target[1]}],
        WaiterConfig={"Delay": 1, "MaxAttempts": 5},
    )


def test_a_draining_target_that_is_registered_again_begins_anew(
    environment: Environment, new_server: NewServer
) -> None:
    """RegisterTargets: a target that was deregistered is registered, and checked, anew."""
    server = new_server()
    environment.add_targets(server.target)
    wait_for(lambda: environment.states() == ["healthy"])
    environment.take_targets(server.target)
    environment.add_targets(server.target)
    assert environment.states() == ["initial"]
    wait_for(lambda: environment.states() == ["healthy"])


def test_targets_are_told_apart_by_address_and_port(environment: Environment, new_server: NewServer) -> None:
    """DeregisterTargets: where the port was overridden, it must be named; a missing target is no error."""
    one, other = new_server(), new_server()
    environment.add_targets(one.target, other.target)
    environment.take_targets(("127.0.0.1", 0))
    wait_for(lambda: environment.states() == ["healthy", "healthy"])
    environment.take_targets(one.target)
    assert sorted(environment.states("", one.target, other.target)) == ["draining", "healthy"]
    environment.take_targets(("10.1.2.3", 80))


def test_a_group_without_a_load_balancer_is_not_in_use(environment: Environment, new_server: NewServer) -> None:
    """Data type TargetHealth: Target.NotInUse; such targets are not checked and do not drain."""
    server = new_server()
    group = environment.new_target_group("n", attached=False)
    environment.add_targets(server.target, group=group)
    assert reason(environment, group) == ("unused", "Target.NotInUse")
    assert server.checks == 0
    environment.forward_to(group)
    wait_for(lambda: environment.states(group) == ["healthy"])


def test_targets_without_health_checks_are_unavailable(environment: Environment) -> None:
    """Data type TargetHealth: Target.HealthCheckDisabled."""
    group = environment.new_target_group("u", HealthCheckEnabled=False)
    environment.add_targets(("10.1.2.3", 8000), group=group)
    assert reason(environment, group) == ("unavailable", "Target.HealthCheckDisabled")


def test_a_network_load_balancer_checks_connections(environment: Environment, new_server: NewServer) -> None:
    """CreateTargetGroup: the default HealthCheckProtocol of a TCP group is TCP."""
    server, gone = new_server(), new_server()
    server.health = 500
    gone.close()
    group = environment.elb.create_target_group(
        Name=f"{environment.name}t", Protocol="TCP", Port=80, VpcId="vpc-1", TargetType="ip"
    )["TargetGroups"][0]
    assert group["HealthCheckProtocol"] == "TCP"
    environment.forward_to(group["TargetGroupArn"])
    environment.add_targets(server.target, gone.target, group=group["TargetGroupArn"])
    wait_for(lambda: environment.states(group["TargetGroupArn"]) == ["healthy", "unhealthy"])


def test_anomalies_are_told_where_the_algorithm_looks_for_them(environment: Environment, new_server: NewServer) -> None:
    """User Guide, "Automatic Target Weights": anomaly detection goes with the algorithm weighted_random."""
    server = new_server()
    environment.add_targets(server.target)
    assert "AnomalyDetection" not in environment.health(Include=["AnomalyDetection"])[0]
    algorithm = {"Key": "load_balancing.algorithm.type", "Value": "weighted_random"}
    environment.elb.modify_target_group_attributes(TargetGroupArn=environment.target_group, Attributes=[algorithm])
    described = environment.health(Include=["AnomalyDetection"])[0]["AnomalyDetection"]
    assert described == {"Result": "normal", "MitigationInEffect": "no"}
    environment.server.configure(anomalous_targets=[f"127.0.0.1:{server.target[1]}"])
    assert environment.health(Include=["AnomalyDetection"])[0]["AnomalyDetection"]["Result"] == "anomalous"
    assert "AnomalyDetection" not in environment.health()[0]


def test_attributes_have_the_defaults_of_aws(environment: Environment) -> None:
    """Data type TargetGroupAttribute."""
    group = environment.new_target_group("a")

    def attributes() -> dict[str, Any]:
        answer = environment.elb.describe_target_group_attributes(TargetGroupArn=group)
        return {each["Key"]: each["Value"] for each in answer["Attributes"]}

    assert attributes()["slow_start.duration_seconds"] == "0"
    assert attributes()["load_balancing.algorithm.type"] == "round_robin"
    slow_start = {"Key": "slow_start.duration_seconds", "Value": "30"}
    environment.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[slow_start])
    assert attributes()["slow_start.duration_seconds"] == "30"
    plain = environment.elb.create_target_group(Name=f"{environment.name}p", Protocol="HTTP", Port=80, VpcId="vpc-1")
    group = plain["TargetGroups"][0]["TargetGroupArn"]
    assert attributes()["deregistration_delay.timeout_seconds"] == "300"


@pytest.mark.parametrize("operation", ["register_targets", "deregister_targets", "describe_target_health"])
def test_an_unknown_group_is_an_error(environment: Environment, operation: str) -> None:
    """Error TargetGroupNotFound of all three operations."""
    arn = environment.target_group.replace(environment.name, "nowhere")
    with pytest.raises(ClientError, match="TargetGroupNotFound"):
        getattr(environment.elb, operation)(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1"}])


def test_a_group_in_use_is_not_deleted_and_an_ip_group_takes_addresses_only(environment: Environment) -> None:
    """DeleteTargetGroup, error ResourceInUse; RegisterTargets, error InvalidTarget."""
    with pytest.raises(ClientError, match="ResourceInUse"):
        environment.elb.delete_target_group(TargetGroupArn=environment.target_group)
    with pytest.raises(ClientError, match="InvalidTarget"):
        environment.add_targets(("i-0123456789abcdef0", 80))


@pytest.mark.parametrize("target", ["i-0123456789abcdef0", "8.8.8.8"])
def test_what_cannot_be_a_target_of_the_group_is_refused_when_it_is_asked_for(
    environment: Environment, target: str
) -> None:
    """DescribeTargetHealth and RegisterTargets, error InvalidTarget; User Guide, "Target type"."""
    with pytest.raises(ClientError, match="InvalidTarget"):
        environment.health("", (target, 80))
    with pytest.raises(ClientError, match="InvalidTarget"):
        environment.add_targets((target, 80))


def test_a_group_takes_addresses_of_its_own_type_only(environment: Environment) -> None:
    """CreateTargetGroup, parameter IpAddressType; ALB guide, "Target groups"."""
    ipv6 = environment.new_target_group("-6", IpAddressType="ipv6")
    described = environment.elb.describe_target_groups(TargetGroupArns=[ipv6, environment.target_group])["TargetGroups"]
    assert {group["TargetGroupArn"]: group["IpAddressType"] for group in described} == {
        ipv6: "ipv6",
        environment.target_group: "ipv4",
    }
    with pytest.raises(ClientError, match=r"'10\.0\.0\.1' is not a valid IPv6 address"):
        environment.add_targets(("10.0.0.1", 80), group=ipv6)
    with pytest.raises(ClientError, match="'fd00::1' is not a valid IPv4 address"):
        environment.add_targets(("fd00::1", 80))


@pytest.mark.parametrize("protocol", ["QUIC", "TCP_QUIC"])
def test_a_target_of_quic_has_a_server_id(environment: Environment, protocol: str) -> None:
    """Data type TargetDescription, QuicServerId: "required if the protocol is QUIC or TCP_QUIC"."""
    group = environment.new_target_group("-q", attached=False, Protocol=protocol, HealthCheckProtocol="TCP")
    with pytest.raises(ClientError, match="QuicServerId"):
        environment.add_targets(("10.0.0.1", 80), group=group)
    target = {"Id": "10.0.0.1", "Port": 80, "QuicServerId": "0x0123456789abcdef"}
    environment.elb.register_targets(TargetGroupArn=group, Targets=[target])


def test_the_port_of_the_target_optimizer_is_shown(environment: Environment) -> None:
    """Data type TargetGroup, TargetControlPort."""
    group = environment.new_target_group("-o", TargetControlPort=3000)
    described = environment.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert described[0]["TargetControlPort"] == 3000
