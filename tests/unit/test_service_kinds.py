"""Which services can be deployed: a kind that cannot is refused by name, by every stage, before it writes anything."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.errors import Refused
from ecs_pipeline.model import service_kinds
from ecs_pipeline.model.service_kinds import Use
from tests.fakes.names import FAMILY
from tests.fakes.world import World
from tests.unit.facts import ECS, GROUP, OTHER_GROUP, group, service
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary, promote, rollback, serving

PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}
LAMBDA = {"targetType": "AWS_LAMBDA", "lifecycleStages": ["POST_SCALE_UP"], "hookTargetArn": "arn:x"}
ADVANCED = {"alternateTargetGroupArn": OTHER_GROUP, "productionListenerRule": "rule"}

TO_ANY = [
    ({"deploymentController": {"type": "CODE_DEPLOY"}}, "its deployment controller is CODE_DEPLOY", "with CodeDeploy"),
    ({"deploymentController": {"type": "EXTERNAL"}}, "its deployment controller is EXTERNAL", "makes its task sets"),
    ({"resourceManagementType": "ECS"}, "an Express Mode service", "update-express-gateway-service"),
    *(
        (
            {"deploymentConfiguration": {"strategy": strategy}},
            f"strategy is {strategy}: ECS itself shifts",
            "strategy to ROLLING",
        )
        for strategy in ("BLUE_GREEN", "LINEAR", "CANARY")
    ),
    ({"deploymentConfiguration": {"lifecycleHooks": [LAMBDA, PAUSE]}}, "pause at POST_SCALE_UP", "take the PAUSE hook"),
]
TO_CANARIES: list[Any] = [
    ({"schedulingStrategy": "DAEMON"}, "it is a DAEMON"),
    ({"deployments": [{"status": "PRIMARY", "serviceConnectConfiguration": {"enabled": True}}]}, "Service Connect"),
    ({"deployments": [{"status": "PRIMARY", "vpcLatticeConfigurations": [{}]}]}, "VPC Lattice"),
    ({"loadBalancers": [{"loadBalancerName": "old", "containerName": "app"}]}, "Classic Load Balancer"),
    (
        {"loadBalancers": [{"targetGroupArn": GROUP, "advancedConfiguration": ADVANCED}]},
        "which of its two target groups",
    ),
]
SHORT = f"{ECS}:service/web"


@pytest.mark.parametrize(("raw", "why", "cure"), TO_ANY)
@pytest.mark.parametrize("use", Use)
def test_what_cannot_be_deployed_here_is_refused_for_every_use_with_a_cure(
    raw: dict[str, Any], why: str, cure: str, use: Use
) -> None:
    with pytest.raises(Refused, match=f"^service prd/web {use.value}: .*{why}") as caught:
        service_kinds.refuse(service(raw), use)
    assert cure in caught.value.cure


@pytest.mark.parametrize("use", Use)
def test_a_service_with_a_short_arn_is_refused_with_the_way_to_a_long_one(use: Use) -> None:
    with pytest.raises(Refused, match="it has the short ARN of before 2021") as caught:
        service_kinds.refuse(service(arn=SHORT), use)
    assert f"--resource-arn {ECS}:service/prd/web " in caught.value.cure
    assert "serviceLongArnFormat" in caught.value.cure


@pytest.mark.parametrize("use", Use)
@pytest.mark.parametrize("status", ["DRAINING", "INACTIVE"])
def test_a_service_that_is_going_is_refused(status: str, use: Use) -> None:
    with pytest.raises(Refused, match=f"it is {status}"):
        service_kinds.refuse(service(status=status), use)


@pytest.mark.parametrize(("raw", "why"), TO_CANARIES)
def test_what_a_task_of_run_task_cannot_join_is_refused_a_canary_and_may_be_updated(
    raw: dict[str, Any], why: str
) -> None:
    with pytest.raises(Refused, match=f"^service prd/web cannot have a canary task: .*{why}"):
        service_kinds.refuse(service(raw), Use.CANARY)
    service_kinds.refuse(service(raw), Use.UPDATE)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"protocol": "QUIC"}, "its target group web is of QUIC"),
        ({"protocol": "TCP_QUIC"}, "is of TCP_QUIC"),
        ({"control_port": 3000}, "has the target optimizer"),
    ],
)
def test_target_groups_that_a_canary_cannot_join_are_refused(members: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        service_kinds.refuse(service(), Use.CANARY, [group(OTHER_GROUP), group(**members)])


def test_a_gateway_is_refused() -> None:
    with pytest.raises(Refused, match="an ECS gateway sends it requests"):
        service_kinds.refuse(service(), Use.CANARY, revision={"gatewayConnectors": [{"portName": "web"}]})


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"deploymentController": {"type": "ECS"}, "deploymentConfiguration": {"strategy": "ROLLING"}},
        {"deploymentConfiguration": {"lifecycleHooks": [LAMBDA]}},
        {"resourceManagementType": "CUSTOMER", "schedulingStrategy": "REPLICA"},
        {"deployments": [{"status": "PRIMARY", "serviceConnectConfiguration": {"enabled": False}}]},
        {"deployments": [{"status": "ACTIVE", "serviceConnectConfiguration": {"enabled": True}}]},
        {"loadBalancers": [{"targetGroupArn": GROUP, "loadBalancerName": "alb"}]},
        {
            "loadBalancers": [{"targetGroupArn": GROUP, "advancedConfiguration": ADVANCED}],
            "resolvedTargetGroups": [OTHER_GROUP],
        },
    ],
)
def test_a_service_with_rolling_deployments_is_taken(raw: dict[str, Any]) -> None:
    service_kinds.refuse(service(raw), Use.CANARY, [group()])


# ---- by every stage

NATIVE = {"deploymentConfiguration": {"strategy": "CANARY"}}
PAUSING = {"deploymentConfiguration": {"strategy": "ROLLING", "lifecycleHooks": [PAUSE]}}


@pytest.mark.parametrize("raw", [NATIVE, PAUSING])
def test_no_stage_starts_a_deployment_of_such_a_service(raw: dict[str, Any]) -> None:
    world = start_of("P runs")
    world.raw = raw
    assert (canary(world, release="A").code, canary(world, release="A").writes) == (3, [])
    choices: tuple[dict[str, Any], ...] = ({}, {"to": f"{FAMILY}:1"})
    for options in choices:
        end = rollback(world, **options)
        assert (end.code, end.writes) == (3, []), options
        assert "service prd/web cannot be sent to another revision" in end.text


@pytest.mark.parametrize("raw", [NATIVE, PAUSING])
def test_a_strategy_that_changes_while_a_canary_waits_stops_promote_and_lets_the_canary_go(raw: dict[str, Any]) -> None:
    world = start_of("P runs")
    assert canary(world, release="A").code == 0
    world.raw = raw
    end = promote(world, release="A")
    assert (end.code, end.writes) == (3, [])
    assert "cannot be sent to another revision" in end.text
    end = rollback(world)
    assert end.code == 0, end.text
    assert (world.alive(), serving(world), "UpdateService" in end.writes) == ([], f"{FAMILY}:2", False)


def test_a_canary_of_a_service_without_a_load_balancer_is_refused_for_its_gateway() -> None:
    world = World(with_load_balancer=False, service_revision={"gatewayConnectors": [{"portName": "web"}]})
    world.images["v2"] = "sha256:" + "2" * 64
    end = canary(world, release="v2")
    assert (end.code, end.writes) == (3, [])
    assert "an ECS gateway sends it requests" in end.text


def test_behind_a_load_balancer_no_service_revision_is_asked_for() -> None:
    world = start_of("P runs")
    assert canary(world, release="A").code == 0
    assert "DescribeServiceRevisions" not in {name for _, name, _ in world.log}


def rolling(least: int, most: int) -> dict[str, Any]:
    return {"deploymentConfiguration": {"minimumHealthyPercent": least, "maximumPercent": most}}


@pytest.mark.parametrize(
    ("least", "most", "desired"), [(100, 100, 3), (50, 150, 1), (67, 133, 2), (100, 120, 4), (76, 124, 4)]
)
def test_percentages_with_which_nothing_can_move_are_refused_to_a_canary(least: int, most: int, desired: int) -> None:
    with pytest.raises(Refused) as caught:
        service_kinds.refuse(service(rolling(least, most), desired=desired), Use.CANARY)
    assert caught.value.message == (
        f"service prd/web cannot have a canary task: with minimumHealthyPercent {least} and maximumPercent {most} none "
        f"of its {desired} tasks may be stopped, and none more be started, so a promote could never end"
    )
    service_kinds.refuse(service(rolling(least, most), desired=desired), Use.UPDATE)


@pytest.mark.parametrize(
    ("least", "most", "desired"), [(100, 200, 1), (0, 100, 1), (50, 100, 2), (50, 150, 2), (100, 125, 4), (100, 100, 0)]
)
def test_percentages_with_which_something_can_move_are_taken(least: int, most: int, desired: int) -> None:
    service_kinds.refuse(service(rolling(least, most), desired=desired), Use.CANARY)
    service_kinds.refuse(service({"deploymentConfiguration": {"maximumPercent": None}}), Use.CANARY)
