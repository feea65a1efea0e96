"""An environment from nothing, and again without resetting what releases and autoscaling did."""

from __future__ import annotations

import json
import shutil

import pytest

from embedded_aws.images import FOLDER
from tests.emulator.embedded_aws.environment import fetch, wait_for
from tests.emulator.stages.provision_scene import KEY, datadog_key, service, write
from tests.emulator.stages.scene import Scene


@pytest.fixture
def environment(scene: Scene) -> Scene:
    """A project with an app and two sidecars, and a config for `provision`."""
    shutil.copytree(FOLDER / "app", scene.folder / "app")
    shutil.copytree(FOLDER / "sidecar", scene.folder / "sidecar")
    write(scene)
    return scene


def ask_for_more(scene: Scene) -> None:
    """The config asks for what takes more permissions than the stages' policy has."""
    path = scene.folder / "ecs-pipeline.yml"
    config = json.loads(path.read_text())
    config["image"]["scan"], config["promote"] = {"fail_on": "HIGH"}, {"autoscaling": "hold"}
    path.write_text(json.dumps(config))


def test_an_environment_is_made_from_nothing_and_removed(environment: Scene) -> None:
    scene = environment
    made = scene.ecs_pipeline("provision", "--release", "first")
    assert made.code == 0, made.stderr
    assert "add     Service (AWS::ECS::Service)" in made.stderr
    found = service(scene)
    assert (found["runningCount"], found["desiredCount"]) == (2, 2)
    assert found["deploymentConfiguration"]["deploymentCircuitBreaker"]["enable"] is True
    definition = scene.ecs.describe_task_definition(taskDefinition=found["taskDefinition"])["taskDefinition"]
    assert [container["name"] for container in definition["containerDefinitions"]] == ["app", "datadog", "flume"]
    assert all("@sha256:" in container["image"] for container in definition["containerDefinitions"])
    scaling = scene.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[f"service/{scene.name}/web"]
    )["ScalableTargets"]
    assert (scaling[0]["MinCapacity"], scaling[0]["MaxCapacity"]) == (2, 6)

    the_sidecars_received_what_the_real_ones_would(scene)
    guarded = scene.ecs_pipeline("provision", "--delete")
    assert guarded.code == 2
    assert f"--confirm {scene.name}" in guarded.stderr
    removed = scene.ecs_pipeline("provision", "--delete", "--confirm", scene.name)
    assert removed.code == 0, removed.stderr
    assert scene.ecs.describe_clusters(clusters=[scene.name])["clusters"] == []
    assert scene.ecs_pipeline("provision", "--delete", "--confirm", scene.name).code == 0


def log_of(scene: Scene, container: str, group: str = "") -> str:
    """What the containers of that name have logged; the log group is of the same name unless another is given."""
    logs, name = scene.client("logs"), f"/ecs/{scene.name}/{group or container}"
    events = logs.filter_log_events(logGroupName=name, logStreamNamePrefix=f"{container}/")["events"]
    return "\n".join(event["message"] for event in events)


def the_sidecars_received_what_the_real_ones_would(scene: Scene) -> None:
    """docs.datadoghq.com, "Amazon ECS on AWS Fargate"; Flume User Guide, "Starting an agent"."""
    told = f"datadog: ECS_FARGATE=true DD_SITE=datadoghq.com DD_TAGS=service:web cluster_name:{scene.name} env:lab"
    wait_for(lambda: f"{told}, a key of {len(KEY)} characters" in log_of(scene, "datadog"))
    wait_for(lambda: "flume: agent agent with 2 properties" in log_of(scene, "flume"))
    arns = scene.ecs.list_tasks(cluster=scene.name, serviceName="web")["taskArns"]
    running = scene.ecs.describe_tasks(cluster=scene.name, tasks=arns)["tasks"]
    assert {container["lastStatus"] for task in running for container in task["containers"]} == {"RUNNING"}
    definition = scene.ecs.describe_task_definition(taskDefinition=scene.name)["taskDefinition"]
    assert KEY not in json.dumps(definition, default=str)


def test_containers_of_the_config_run_in_the_task(environment: Scene) -> None:
    scene = environment
    write(scene, MinimumCount=1, DesiredCount=1)
    config = json.loads((scene.folder / "ecs-pipeline.yml").read_text())
    config["provision"]["containers"] = {
        "app": {"depends_on": {"proxy": "HEALTHY"}, "secrets": {"TOKEN": datadog_key(scene)}},
        "proxy": {
            "image": scene.images.uri("v2"),
            "environment": {"PORT": "9901"},
            "ports": [9901],
            "health_check": {"command": ["CMD-SHELL", "nc -z 127.0.0.1 9901"], "interval": "5s"},
        },
    }
    (scene.folder / "ecs-pipeline.yml").write_text(json.dumps(config))
    made = scene.ecs_pipeline("provision")
    assert made.code == 0, made.stderr
    definition = scene.ecs.describe_task_definition(taskDefinition=scene.name)["taskDefinition"]
    containers = {container["name"]: container for container in definition["containerDefinitions"]}
    assert containers["app"]["dependsOn"] == [{"containerName": "proxy", "condition": "HEALTHY"}]
    assert containers["proxy"]["environment"] == [{"name": "PORT", "value": "9901"}]
    wait_for(lambda: "listening version=v2" in log_of(scene, "proxy", "app"))
    assert scene.ecs_pipeline("provision").message("stack") == "unchanged"


def test_two_environments_share_the_repositories_of_an_app(environment: Scene) -> None:
    """The stack of the second one would be refused a repository of that name (HandlerErrorCode AlreadyExists)."""
    scene, ecr, other = environment, environment.client("ecr"), f"{environment.name}-2"
    write(scene, MinimumCount=0, DesiredCount=0)
    names = [scene.name, f"{scene.name}-datadog", f"{scene.name}-flume"]
    for cluster in (scene.name, other):
        made = scene.ecs_pipeline("provision", "--cluster", cluster, "--release", "first")
        assert made.code == 0, made.stderr
        assert ("add     AppRepository" in made.stderr) == (cluster == scene.name)
    for cluster in (scene.name, other):
        removed = scene.ecs_pipeline("provision", "--cluster", cluster, "--delete", "--confirm", cluster)
        assert removed.code == 0, removed.stderr
        for name in names:
            image = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "first"}])["imageDetails"]
            assert len(image) == 1
    again = scene.ecs_pipeline("provision", "--release", "first")
    assert again.code == 0, again.stderr


def test_another_scheme_gives_the_service_another_load_balancer(environment: Scene) -> None:
    """Template reference, LoadBalancer: "you cannot perform updates that require replacement" of a named one."""
    scene = environment
    write(scene, MinimumCount=1, DesiredCount=1)
    assert scene.ecs_pipeline("provision").code == 0
    write(scene, MinimumCount=1, DesiredCount=1, Scheme="internet-facing", HealthCheckInterval=5)
    changed = scene.ecs_pipeline("provision")
    assert changed.code == 0, changed.stderr
    assert "modify  LoadBalancer (AWS::ElasticLoadBalancingV2::LoadBalancer) (replaced)" in changed.stderr
    balancers = [
        balancer
        for balancer in scene.elb.describe_load_balancers()["LoadBalancers"]
        if balancer["LoadBalancerName"].startswith(scene.name)
    ]
    assert [(balancer["Scheme"], len(balancer["LoadBalancerName"])) for balancer in balancers] == [
        ("internet-facing", len(scene.name) + 7)
    ]
    assert fetch(scene.server.load_balancer_url(balancers[0]["LoadBalancerName"])) == (200, "v1")
    assert scene.ecs_pipeline("provision").message("stack") == "unchanged"


def test_a_role_for_jenkins_is_made_when_it_is_said_who_may_assume_it(environment: Scene) -> None:
    """Template reference, AWS::IAM::Role: the document may be text, as it has to be for keys that are parameters."""
    trust = {"DeployTrust": "web-identity", "DeployIssuer": "ci.example.com", "DeploySubject": "job"}
    write(environment, DesiredCount=0, MinimumCount=0, **trust)
    made = environment.ecs_pipeline("provision", "--image", environment.images.uri("v1"))
    assert made.code == 0, made.stderr
    stack = environment.client("cloudformation").describe_stacks(StackName=environment.name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    role = environment.client("iam").get_role(RoleName=outputs["DeployRole"].rpartition("/")[2])["Role"]
    document = role["AssumeRolePolicyDocument"]
    statement = (json.loads(document) if isinstance(document, str) else document)["Statement"][0]
    assert statement["Principal"] == {"Federated": "arn:aws:iam::123456789012:oidc-provider/ci.example.com"}

    more = {"ReadImageScans", "ReadAutoscaling", "HoldAutoscaling"}
    assert more & sids(environment, role["RoleName"]) == set()
    ask_for_more(environment)
    again = environment.ecs_pipeline("provision")
    assert again.code == 0, again.stderr
    assert more <= sids(environment, role["RoleName"])


def sids(scene: Scene, role: str) -> set[str]:
    """The statements of the role's own policy."""
    document = scene.client("iam").get_role_policy(RoleName=role, PolicyName="deploy")["PolicyDocument"]
    found = json.loads(document) if isinstance(document, str) else document
    return {statement["Sid"] for statement in found["Statement"]}
