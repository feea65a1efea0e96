"""Whoever IAM knows may do what his policies say: actions, resources and condition keys as AWS documents them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import NETWORK

if TYPE_CHECKING:
    from embedded_aws.launcher import EmbeddedAws
    from tests.emulator.embedded_aws.environment import Environment

Clients = Callable[..., Any]
OURS = [{"key": "team", "value": "lab"}]


@pytest.fixture
def user(embedded_aws: EmbeddedAws, aws: Callable[[str], Any]) -> Iterator[Clients]:
    """Makes a user with these statements; what it gives is a factory of his clients."""
    iam, made = aws("iam"), []

    def with_statements(*statements: dict[str, Any]) -> Callable[[str], Any]:
        name = f"u{uuid.uuid4().hex[:10]}"
        iam.create_user(UserName=name)
        made.append(name)
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=embedded_aws.region)
        return lambda service: session.client(service, endpoint_url=embedded_aws.endpoint)

    yield with_statements
    for name in made:
        iam.delete_user_policy(UserName=name, PolicyName="all")


def allow(*actions: str, resource: Any = "*", **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, "Condition": condition}


def deny(*actions: str, **condition: Any) -> dict[str, Any]:
    return {**allow(*actions, **condition), "Effect": "Deny"}


def denied(act: Callable[[], Any], action: str) -> None:
    """The call is refused, and the answer names the permission that is missing."""
    with pytest.raises(ClientError) as caught:
        act()
    error = caught.value.response["Error"]
    assert error["Code"] in ("AccessDenied", "AccessDeniedException"), error
    assert f"is not authorized to perform: {action} on resource" in error["Message"], error


def test_nothing_is_allowed_that_no_policy_allows(user: Clients, environment: Environment) -> None:
    """IAM User Guide, "Policy evaluation logic": implicit deny."""
    client = user(allow("ecs:ListClusters"))
    client("ecs").list_clusters()
    denied(lambda: client("ecs").describe_services(cluster="c", services=["s"]), "ecs:DescribeServices")
    denied(client("elbv2").describe_target_groups, "elasticloadbalancing:DescribeTargetGroups")
    denied(client("cloudwatch").describe_alarms, "cloudwatch:DescribeAlarms")
    denied(lambda: client("logs").filter_log_events(logGroupName="/x"), "logs:FilterLogEvents")
    denied(client("ecr").get_authorization_token, "ecr:GetAuthorizationToken")


def test_a_service_is_allowed_by_its_arn_and_a_cluster_by_its_key(user: Clients, environment: Environment) -> None:
    """Service Authorization Reference, Amazon ECS: DescribeServices, ListTasks, key ecs:cluster."""
    revision = environment.register()
    environment.create_service(revision, 0)
    arn = environment.service()["serviceArn"]
    cluster = arn.replace(":service/", ":cluster/").rpartition("/")[0]
    only_here = {"ArnEquals": {"ecs:cluster": cluster}}
    mine = user(allow("ecs:DescribeServices", resource=arn), allow("ecs:ListTasks", **only_here))("ecs")
    assert mine.describe_services(cluster=environment.name, services=[environment.name])["services"]
    denied(lambda: mine.describe_services(cluster=environment.name, services=["other"]), "ecs:DescribeServices")
    mine.list_tasks(cluster=environment.name)
    denied(lambda: mine.list_tasks(cluster="other"), "ecs:ListTasks")


def test_a_task_with_tags_needs_the_right_to_tag_at_its_creation(user: Clients, environment: Environment) -> None:
    """Developer Guide, "Grant permission to tag resources on creation"; keys aws:RequestTag, aws:TagKeys."""
    revision = environment.register()
    arguments = {
        "cluster": environment.cluster,
        "taskDefinition": revision,
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
    }
    runs = allow("ecs:RunTask", resource=revision.rpartition(":")[0] + ":*")
    plain = user(runs)("ecs")
    plain.run_task(**arguments)
    denied(lambda: plain.run_task(**arguments, tags=OURS), "ecs:TagResource")
    at_creation = {"StringEquals": {"ecs:CreateAction": "RunTask", "aws:RequestTag/team": "lab"}}
    tagging = user(runs, allow("ecs:TagResource", **at_creation))("ecs")
    task = tagging.run_task(**arguments, tags=OURS)["tasks"][0]["taskArn"]
    other = [{"key": "team", "value": "other"}]
    denied(lambda: tagging.run_task(**arguments, tags=other), "ecs:TagResource")
    denied(lambda: tagging.tag_resource(resourceArn=task, tags=OURS), "ecs:TagResource")
    wrong = user(allow("ecs:RunTask", resource=revision.replace(environment.name, "other")))("ecs")
    denied(lambda: wrong.run_task(**arguments), "ecs:RunTask")


def test_a_tag_of_the_resource_and_the_names_of_the_tags_decide(user: Clients, environment: Environment) -> None:
    """Keys aws:ResourceTag and aws:TagKeys with ForAllValues, ForAnyValue; an explicit Deny wins."""
    task = environment.run(environment.register(), tags=OURS)
    named = {
        "StringEquals": {"aws:ResourceTag/team": "lab"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["verdict", "note"]},
    }
    mine = user(allow("ecs:TagResource", "ecs:UntagResource", **named))("ecs")
    mine.tag_resource(resourceArn=task, tags=[{"key": "verdict", "value": "x"}, {"key": "note", "value": "x"}])
    mine.untag_resource(resourceArn=task, tagKeys=["note"])
    denied(lambda: mine.tag_resource(resourceArn=task, tags=OURS), "ecs:TagResource")
    denied(lambda: mine.untag_resource(resourceArn=task, tagKeys=["team"]), "ecs:UntagResource")
    not_ours = {"ForAnyValue:StringLike": {"aws:TagKeys": "ours:*"}}
    kept_off = user(allow("ecs:*"), deny("ecs:TagResource", **not_ours))("ecs")
    kept_off.tag_resource(resourceArn=task, tags=[{"key": "theirs", "value": "x"}])
    both = [{"key": "theirs", "value": "x"}, {"key": "ours:a", "value": "x"}]
    denied(lambda: kept_off.tag_resource(resourceArn=task, tags=both), "ecs:TagResource")
    stops = user(allow("ecs:StopTask", StringEquals={"aws:ResourceTag/team": "other"}))("ecs")
    denied(lambda: stops.stop_task(cluster=environment.name, task=task), "ecs:StopTask")


def test_a_role_that_a_task_gets_has_to_be_passed(user: Clients, environment: Environment) -> None:
    """Service Authorization Reference, iam:PassRole with iam:PassedToService; dependent action of RunTask."""
    role = "arn:aws:iam::123456789012:role/task"
    revision = environment.register(taskRoleArn=role)
    definition = environment.ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]
    again = {
        "family": environment.name,
        "containerDefinitions": definition["containerDefinitions"],
        "taskRoleArn": role,
    }
    to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    without, passing = (
        user(allow("ecs:RegisterTaskDefinition", "ecs:RunTask"), *statements)("ecs")
        for statements in ((), (allow("iam:PassRole", resource=role, **to_tasks),))
    )
    arguments = {"cluster": environment.cluster, "taskDefinition": revision, "launchType": "FARGATE"}
    denied(lambda: without.register_task_definition(**again), "iam:PassRole")
    denied(lambda: without.run_task(**arguments, networkConfiguration=NETWORK), "iam:PassRole")
    passing.register_task_definition(**again)
    passing.run_task(**arguments, networkConfiguration=NETWORK)


def test_an_update_of_a_service_is_allowed_for_the_revisions_of_a_family(
    user: Clients, environment: Environment
) -> None:
    """Key ecs:task-definition of UpdateService."""
    revision = environment.register()
    environment.create_service(revision, 0)
    other = environment.register(family=f"{environment.name}-other")
    family = {"ArnLike": {"ecs:task-definition": revision.rpartition(":")[0] + ":*"}}
    mine = user(allow("ecs:UpdateService", resource=environment.service()["serviceArn"], **family))("ecs")
    of_mine = {"cluster": environment.name, "service": environment.name}
    mine.update_service(**of_mine, taskDefinition=revision)
    denied(lambda: mine.update_service(**of_mine, taskDefinition=other), "ecs:UpdateService")


def test_the_session_of_a_role_has_the_rights_of_the_role_and_its_arn(
    embedded_aws: EmbeddedAws, aws: Callable[[str], Any], user: Clients, environment: Environment
) -> None:
    """IAM User Guide, "AWS global condition context keys": aws:PrincipalArn of a session is the role's."""
    iam, name = aws("iam"), f"r{uuid.uuid4().hex[:10]}"
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    others = {"ArnNotLike": {"aws:PrincipalArn": arn}}
    statements = [allow("ecs:ListClusters", "ecs:DescribeClusters"), deny("ecs:DescribeClusters", **others)]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document)
    agent = user(allow("sts:AssumeRole", resource=arn), *statements)
    denied(agent("ecs").describe_clusters, "ecs:DescribeClusters")
    other = arn.replace(name, "other")
    denied(lambda: agent("sts").assume_role(RoleArn=other, RoleSessionName="build-7"), "sts:AssumeRole")
    given = agent("sts").assume_role(RoleArn=arn, RoleSessionName="build-7")["Credentials"]
    role = boto3.client(
        "ecs",
        region_name=embedded_aws.region,
        endpoint_url=embedded_aws.endpoint,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    role.describe_clusters()
    denied(lambda: role.list_tasks(cluster=environment.cluster), "ecs:ListTasks")


def test_a_boundary_limits_what_policies_allow(aws: Callable[[str], Any], user: Clients) -> None:
    """IAM User Guide, "Permissions boundaries for IAM entities"."""
    iam, client = aws("iam"), user(allow("ecs:*"))("ecs")
    name = client._request_signer._credentials.access_key
    owner = next(
        listed["UserName"]
        for listed in iam.list_users()["Users"]
        if name
        in [key["AccessKeyId"] for key in iam.list_access_keys(UserName=listed["UserName"])["AccessKeyMetadata"]]
    )
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("ecs:ListClusters")]})
    limit = iam.create_policy(PolicyName=owner, PolicyDocument=document)["Policy"]["Arn"]
    client.describe_clusters()
    iam.put_user_permissions_boundary(UserName=owner, PermissionsBoundary=limit)
    client.list_clusters()
    denied(client.describe_clusters, "ecs:DescribeClusters")


def test_the_accounts_own_keys_may_do_all(aws: Callable[[str], Any]) -> None:
    """IAM User Guide, "AWS account root user"."""
    aws("ecs").list_clusters()


def test_a_simulation_knows_resources_and_condition_keys(user: Clients, aws: Callable[[str], Any]) -> None:
    """IAM API reference, "SimulatePrincipalPolicy": a decision for each action and resource, with ContextEntries."""
    condition = {"StringEquals": {"aws:ResourceTag/team": "lab"}}
    stops = {
        "Effect": "Allow",
        "Action": "ecs:StopTask",
        "Resource": "arn:aws:ecs:*:*:task/a/*",
        "Condition": condition,
    }
    person = user(stops)
    principal = person("sts").get_caller_identity()["Arn"]

    def decided(*tags: str) -> list[tuple[str, str]]:
        entry = {"ContextKeyName": "aws:ResourceTag/team", "ContextKeyValues": list(tags), "ContextKeyType": "string"}
        answer = aws("iam").simulate_principal_policy(
            PolicySourceArn=principal,
            ActionNames=["ecs:StopTask"],
            ResourceArns=["arn:aws:ecs:r:1:task/a/1", "arn:aws:ecs:r:1:task/b/1"],
            ContextEntries=[entry] if tags else [],
        )
        return [(result["EvalResourceName"][-3:], result["EvalDecision"]) for result in answer["EvaluationResults"]]

    assert decided("lab") == [("a/1", "allowed"), ("b/1", "implicitDeny")]
    assert decided("other") == decided() == [("a/1", "implicitDeny"), ("b/1", "implicitDeny")]


def test_who_may_not_simulate_is_refused_and_an_unknown_role_does_not_exist(user: Clients) -> None:
    person = user({"Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": "*"})
    person_may_list = {"Effect": "Allow", "Action": "ecs:ListTasks", "Resource": "*"}
    request = {"PolicySourceArn": "arn:aws:iam::123456789012:role/nobody", "ActionNames": ["ecs:StopTask"]}
    with pytest.raises(ClientError, match="NoSuchEntity"):
        person("iam").simulate_principal_policy(**request)
    with pytest.raises(ClientError, match="AccessDenied"):
        user(person_may_list)("iam").simulate_principal_policy(**request)
