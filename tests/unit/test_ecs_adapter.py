"""Services and revisions of Amazon ECS over the wire: what is asked, and what its refusals mean."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.aws.ecs import Ecs
from ecs_pipeline.aws.task_definitions import TaskDefinitions
from ecs_pipeline.errors import InvalidInput, Refused
from ecs_pipeline.model import service_kinds
from ecs_pipeline.model.release import Epoch
from ecs_pipeline.model.service_kinds import Use
from tests.unit.aws_stub import AwsStub, ok, refused, session
from tests.unit.clocks import RecordingClock
from tests.unit.facts import ECS, GROUP, OTHER_GROUP, revision


@pytest.fixture
def ecs(aws: AwsStub) -> Ecs:
    return Ecs(session(RecordingClock()).client("ecs"), "prd", "web")


@pytest.fixture
def definitions(aws: AwsStub) -> TaskDefinitions:
    return TaskDefinitions(session(RecordingClock()).client("ecs"))


def raw_service(**members: Any) -> dict[str, Any]:
    return {"serviceArn": f"{ECS}:service/prd/web", "serviceName": "web", "status": "ACTIVE", **members}


def test_a_service_is_read_with_its_marks(aws: AwsStub, ecs: Ecs) -> None:
    tags = [{"key": "ecs-pipeline:turn", "value": "abc/r1"}, {"key": "team"}]
    balancers = [{"targetGroupArn": GROUP, "containerName": "app", "containerPort": 8000}, {"loadBalancerName": "x"}]
    aws.on("DescribeServices", ok({"services": [raw_service(tags=tags, desiredCount=3, loadBalancers=balancers)]}))
    found = ecs.service()
    assert (found.label, found.desired, found.marks.epoch) == ("prd/web", 3, Epoch("abc", "r1"))
    assert [(group.target_group, group.container, group.port) for group in found.load_balancing] == [
        (GROUP, "app", 8000)
    ]
    assert found.raw["tags"] == {"ecs-pipeline:turn": "abc/r1", "team": ""}
    assert aws.asked("DescribeServices")[0].json == {"cluster": "prd", "services": ["web"], "include": ["TAGS"]}


ADVANCED = {"alternateTargetGroupArn": OTHER_GROUP, "productionListenerRule": "rule"}
REVISION = "arn:aws:ecs:eu-west-1:123456789012:service-revision/prd/web/"


def with_two_groups() -> dict[str, Any]:
    balancer = {
        "targetGroupArn": GROUP,
        "containerName": "app",
        "containerPort": 8000,
        "advancedConfiguration": ADVANCED,
    }
    current = [{"arn": f"{REVISION}{number}", "runningTaskCount": number} for number in (1, 3, 0)]
    return raw_service(loadBalancers=[balancer], currentServiceRevisions=current)


@pytest.mark.parametrize("with_traffic", [GROUP, OTHER_GROUP])
def test_of_two_target_groups_the_one_that_has_the_traffic_is_the_services(
    aws: AwsStub, ecs: Ecs, with_traffic: str
) -> None:
    resolved = {"loadBalancers": [{"targetGroupArn": with_traffic}]}
    aws.on("DescribeServices", ok({"services": [with_two_groups()]}))
    aws.on("DescribeServiceRevisions", ok({"serviceRevisions": [{"resolvedConfiguration": resolved}]}))
    assert [[group.target_group for group in ecs.service().load_balancing] for _ in range(2)] == [[with_traffic]] * 2
    assert [request.json for request in aws.asked("DescribeServiceRevisions")] == [
        {"serviceRevisionArns": [f"{REVISION}3"]}
    ]


def test_two_target_groups_of_which_aws_does_not_tell_the_one_are_refused(aws: AwsStub, ecs: Ecs) -> None:
    aws.on("DescribeServices", ok({"services": [with_two_groups()]}))
    aws.on("DescribeServiceRevisions", ok({"serviceRevisions": [], "failures": [{"reason": "MISSING"}]}))
    with pytest.raises(Refused, match="which of its two target groups has the traffic"):
        service_kinds.refuse(ecs.service(), Use.CANARY)


def test_a_service_with_one_target_group_is_read_with_one_call(aws: AwsStub, ecs: Ecs) -> None:
    balancer = {"targetGroupArn": GROUP, "containerName": "app", "containerPort": 8000}
    current = [{"arn": f"{REVISION}1"}]
    aws.on(
        "DescribeServices", ok({"services": [raw_service(loadBalancers=[balancer], currentServiceRevisions=current)]})
    )
    ecs.service()
    assert aws.asked("DescribeServiceRevisions") == []


@pytest.mark.parametrize("services", [[], [raw_service(status="INACTIVE")]])
def test_a_service_that_there_is_not_is_bad_input(aws: AwsStub, ecs: Ecs, services: list[Any]) -> None:
    aws.on("DescribeServices", ok({"services": services, "failures": [{"reason": "MISSING"}]}))
    with pytest.raises(
        InvalidInput, match=r"^no service web in cluster prd; check --service, --cluster and the region"
    ):
        ecs.service()


def test_a_cluster_that_there_is_not_is_bad_input(aws: AwsStub, ecs: Ecs) -> None:
    for operation in ("DescribeServices", "ListTasks"):
        aws.on(operation, refused("ClusterNotFoundException"))
    for ask in (ecs.service, ecs.running_tasks):
        with pytest.raises(InvalidInput, match=r"^no cluster prd; check --cluster, --environment and the region"):
            ask()


def test_a_mistyped_name_gets_the_nearest_there_is(aws: AwsStub, ecs: Ecs) -> None:
    aws.on("DescribeServices", ok({"services": []}))
    aws.on("ListServices", ok({"serviceArns": [f"{ECS}:service/prd/{name}" for name in ("api", "webs")]}))
    with pytest.raises(InvalidInput, match=r"^no service web in cluster prd \(did you mean webs\?\); check --service"):
        ecs.service()
    aws.on("DescribeServices", refused("ClusterNotFoundException"))
    aws.on("ListClusters", ok({"clusterArns": [f"{ECS}:cluster/prd1"]}))
    with pytest.raises(InvalidInput, match=r"^no cluster prd \(did you mean prd1\?\); check --cluster"):
        ecs.service()


@pytest.mark.parametrize("operation", ["ListServices", "ListClusters"])
def test_whoever_may_not_list_gets_no_name(aws: AwsStub, ecs: Ecs, operation: str) -> None:
    described = ok({"services": []}) if operation == "ListServices" else refused("ClusterNotFoundException")
    aws.on("DescribeServices", described)
    aws.on(operation, refused("AccessDeniedException"))
    with pytest.raises(InvalidInput, match=r"^no (service web in )?cluster prd; check"):
        ecs.service()


def test_container_instances_are_described_a_hundred_at_once(aws: AwsStub, ecs: Ecs) -> None:
    aws.on(
        "DescribeContainerInstances",
        ok({"containerInstances": [{"containerInstanceArn": "a", "ec2InstanceId": "i-1"}]}),
    )
    assert ecs.instances_of([f"ci-{number}" for number in range(150)]) == {"a": "i-1"}
    assert [len(request.json["containerInstances"]) for request in aws.asked("DescribeContainerInstances")] == [100, 50]


def test_the_service_is_updated_to_a_revision_and_nothing_else(aws: AwsStub, ecs: Ecs) -> None:
    ecs.update_service(revision(2))
    assert aws.asked("UpdateService")[0].json == {"cluster": "prd", "service": "web", "taskDefinition": revision(2)}


# ---- revisions


def test_a_revision_is_read_once_but_its_status_is_asked_for_while_it_may_change(
    aws: AwsStub, definitions: TaskDefinitions
) -> None:
    def described(status: str) -> Any:
        return ok({"taskDefinition": {"taskDefinitionArn": revision(2), "family": "web", "status": status}})

    aws.on("DescribeTaskDefinition", described("ACTIVE"), described("ACTIVE"), described("INACTIVE"))
    definitions.get(revision(2))
    definitions.get(revision(2))
    definitions.revision(revision(2), [revision(2)])
    assert len(aws.asked("DescribeTaskDefinition")) == 1
    assert [definitions.revision(revision(2)).active for _ in range(4)] == [True, False, False, False]
    assert len(aws.asked("DescribeTaskDefinition")) == 3


def test_a_revision_that_there_is_not_is_bad_input_and_counts_as_inactive(
    aws: AwsStub, definitions: TaskDefinitions
) -> None:
    aws.on("DescribeTaskDefinition", refused("ClientException", "Unable to describe task definition."))
    with pytest.raises(InvalidInput, match=r"no task definition .*web:2: Unable to describe"):
        definitions.get(revision(2))
    assert not definitions.exists(revision(2))
    assert not definitions.revision(revision(2)).active


def test_families_whose_names_begin_alike_are_told_apart_and_numbers_are_numbers(
    aws: AwsStub, definitions: TaskDefinitions
) -> None:
    arns = [revision(9), revision(10), revision(3, "web-admin"), revision(2)]
    aws.on("ListTaskDefinitions", ok({"taskDefinitionArns": arns}))
    assert definitions.revisions("web") == [revision(10), revision(9), revision(2)]


def test_a_revision_that_was_deregistered_here_is_known_to_be_inactive(
    aws: AwsStub, definitions: TaskDefinitions
) -> None:
    document = {"taskDefinitionArn": revision(2), "family": "web", "status": "ACTIVE"}
    aws.on("DescribeTaskDefinition", ok({"taskDefinition": document}))
    definitions.get(revision(2))
    definitions.deregister(revision(2))
    assert not definitions.revision(revision(2), [revision(2)]).active
