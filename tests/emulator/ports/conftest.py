"""The real adapters on the embedded AWS, with one service for all tests of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ecs_pipeline.aws.account import Account
from ecs_pipeline.aws.application_autoscaling import ApplicationAutoScaling
from ecs_pipeline.aws.cloudwatch import CloudWatch
from ecs_pipeline.aws.ecs import Ecs
from ecs_pipeline.aws.elb import Elb
from ecs_pipeline.aws.session import AwsSession
from ecs_pipeline.aws.task_definitions import TaskDefinitions
from ecs_pipeline.model.load_balancing import Target
from ecs_pipeline.timing.clock import SystemClock
from embedded_aws import images
from embedded_aws.launcher import EmbeddedAws
from tests.contract.ports.ports import Ports
from tests.emulator.embedded_aws.environment import NETWORK, Environment

DRAIN = 4
"""Seconds: long enough to be seen, and waited for by two tests."""


@pytest.fixture(scope="module")
def module_ports(embedded_aws: EmbeddedAws, aws: Callable[[str], Any]) -> Iterator[Ports]:
    """A stable service of one task, and the adapters as a process of the product makes them."""
    embedded_aws.configure(health_check_interval=0.3)
    environment = Environment(embedded_aws, aws)
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": str(DRAIN)}
    environment.elb.modify_target_group_attributes(TargetGroupArn=environment.target_group, Attributes=[delay])
    environment.create_service(environment.register("v1"))
    environment.wait_until_stable()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in embedded_aws.environment.items():
            patch.setenv(name, value)
        yield _ports(environment)
    environment.ecs.delete_service(cluster=environment.name, service=environment.name, force=True)
    for arn in environment.ecs.list_tasks(cluster=environment.name)["taskArns"]:
        environment.ecs.stop_task(cluster=environment.name, task=arn)


@pytest.fixture
def ports(module_ports: Ports, embedded_aws: EmbeddedAws) -> Iterator[Ports]:
    """The same with quick health checks; the tasks that a test started are stopped, and leave the group before."""
    embedded_aws.configure(health_check_interval=0.3)
    yield module_ports
    of_service = {task.address for task in module_ports.ecs.tasks(module_ports.ecs.arns_of_service())}
    states = module_ports.elb.health(module_ports.group)
    left = [Target(module_ports.group, *health.key) for health in states if health.identity not in of_service]
    if left:
        module_ports.elb.deregister(module_ports.group, left)
    for task in module_ports.ecs.running_tasks():
        if not task.group.startswith("service:"):
            module_ports.ecs.stop_task(task.arn, "the test is over")


def _ports(environment: Environment) -> Ports:
    clock = SystemClock()
    session = AwsSession(clock)

    def set_alarm(name: str, state: str, reason: str) -> None:
        cloudwatch = environment.client("cloudwatch")
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="contract",
            MetricName="none",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)

    def set_scalable() -> None:
        environment.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=f"service/{environment.name}/{environment.name}",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=1,
            MaxCapacity=2,
        )

    return Ports(
        clock=clock,
        family=environment.name,
        group=environment.target_group,
        drain=DRAIN,
        ecs=Ecs(session.client("ecs"), environment.name, environment.name),
        elb=Elb(session.client("elbv2")),
        account=Account(session.client("ecs")),
        scaling=ApplicationAutoScaling(lambda: session.client("application-autoscaling")),
        cloudwatch=CloudWatch(session),
        new_definitions=lambda: TaskDefinitions(AwsSession(clock).client("ecs")),
        image=lambda fate: images.build_app(fate or "v1"),
        task_parameters={"launchType": "FARGATE", "networkConfiguration": NETWORK},
        set_alarm=set_alarm,
        set_scalable=set_scalable,
        check_slowly=lambda: environment.server.configure(health_check_interval=None),
    )
