"""An environment from nothing, and again without resetting what releases and autoscaling did."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from typing import Any

import pytest

from embedded_aws.images import FOLDER
from tests.chaos.proxy import Exchange, listening
from tests.emulator.embedded_aws.environment import fetch, wait_for
from tests.emulator.stages.scene import Scene


@pytest.fixture
def environment(scene: Scene) -> Scene:
    """A project with an app and two sidecars, and a config for `provision`."""
    shutil.copytree(FOLDER / "app", scene.folder / "app")
    shutil.copytree(FOLDER / "sidecar", scene.folder / "sidecar")
    write(scene)
    return scene


FLUME = "agent.sources = requests\nagent.sinks = log\n"
KEY = "hunter2-hunter2-hunter2-hunter2!"


def datadog_key(scene: Scene) -> str:
    """The ARN of a secret that this test's Datadog has its key from."""
    secrets, name = scene.client("secretsmanager"), f"{scene.name}/datadog-api-key"
    try:
        return str(secrets.describe_secret(SecretId=name)["ARN"])
    except secrets.exceptions.ResourceNotFoundException:
        return str(secrets.create_secret(Name=name, SecretString=KEY)["ARN"])


def write(scene: Scene, **parameters: Any) -> None:
    sidecars = {
        parameter: {
            "repository": f"{scene.name}-{name}",
            "context": "sidecar",
            "build_args": {"NAME": name},
        }
        for parameter, name in (("DatadogImage", "datadog"), ("FlumeImage", "flume"))
    }
    config = {
        "cluster": scene.name,
        "service": "web",
        "image": {"repository": scene.name, "context": "app", "build_args": {"VERSION": "v1"}},
        "canary": {"healthy_within": "25s", "bake": "0s"},
        "provision": {
            "parameters": {
                "DesiredCount": 2,
                "MinimumCount": 2,
                "DeregistrationDelay": 1,
                "DatadogApiKeySecretArn": datadog_key(scene),
                "DatadogTags": "env:lab",
                "FlumeConfiguration": FLUME,
                **parameters,
            },
            "images": sidecars,
        },
    }
    (scene.folder / "ecs-pipeline.yml").write_text(json.dumps(config))


def ask_for_more(scene: Scene) -> None:
    """The config asks for what takes more permissions than the stages' policy has."""
    path = scene.folder / "ecs-pipeline.yml"
    config = json.loads(path.read_text())
    config["image"]["scan"], config["promote"] = {"fail_on": "HIGH"}, {"autoscaling": "hold"}
    path.write_text(json.dumps(config))


def service(scene: Scene) -> Any:
    return scene.ecs.describe_services(cluster=scene.name, services=["web"])["services"][0]


def test_an_environment_is_made_from_nothing_and_removed(environment: Scene) -> None:
    scene = environment
    made = scene.ecs_pipeline("provision", "--release", "first")
    assert made.code == 0, made.stderr
    assert "add     Service (AWS::ECS::Service)" in made.stderr
    found = service(scene)
    assert (found["runningCount"], found["desiredCount"]) == (2, 2)
    assert found["deploymentConfiguration"]["deploymentCircuitBreaker"]["enable"] is True
    definition = scene.ecs.describe_task_definition(taskDefinition=found["taskDefinition"])["taskDefinition"]
    assert [one["name"] for one in definition["containerDefinitions"]] == ["app", "datadog", "flume"]
    assert all("@sha256:" in one["image"] for one in definition["containerDefinitions"])
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
    assert [(one["Scheme"], len(one["LoadBalancerName"])) for one in balancers] == [
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


def test_provisioning_again_changes_nothing(environment: Scene) -> None:
    scene = environment
    scene.ecs_pipeline("provision")
    again = scene.ecs_pipeline("provision")
    assert again.code == 0, again.stderr
    assert again.message("stack") == "unchanged"


def test_neither_the_revision_nor_the_count_is_reset(environment: Scene) -> None:
    scene = environment
    scene.ecs_pipeline("provision")
    scene.ecs_pipeline("canary", "--image", scene.images.uri("v2"), "--release", "v2")
    assert scene.ecs_pipeline("promote").code == 0
    scene.ecs.update_service(cluster=scene.name, service="web", desiredCount=3)
    deployed = service(scene)["taskDefinition"]
    write(scene, Cpu="1024", Memory="2048", MaximumCount=9, HealthCheckPath="/healthy")
    changed = scene.ecs_pipeline("provision")
    assert changed.code == 0, changed.stderr
    assert "modify  TaskDefinition" in changed.stderr
    found = service(scene)
    assert found["taskDefinition"] == deployed
    assert found["desiredCount"] == 3


def test_a_dry_run_shows_the_changes_and_makes_none(environment: Scene) -> None:
    scene = environment
    plan = scene.ecs_pipeline("provision", "--dry-run")
    assert plan.code == 0, plan.stderr
    assert "add     Cluster (AWS::ECS::Cluster)" in plan.stderr
    assert scene.ecs.describe_clusters(clusters=[scene.name])["clusters"] == []
    stacks = scene.client("cloudformation").list_stacks()["StackSummaries"]
    assert scene.name not in {one["StackName"] for one in stacks}
    assert "change           add     Service (AWS::ECS::Service)" in plan.stdout


def test_a_dry_run_on_an_environment_writes_nothing(environment: Scene) -> None:
    scene = environment
    assert scene.ecs_pipeline("provision").code == 0
    unchanged = scene.ecs_pipeline("provision", "--dry-run")
    assert (unchanged.code, "stack            unchanged" in unchanged.stdout) == (0, True), unchanged.stderr
    write(scene, Cpu="1024", Memory="2048")
    before = change_sets(scene)
    with listening(scene.server.endpoint) as proxy:
        plan = scene.ecs_pipeline("provision", "--dry-run", AWS_ENDPOINT_URL=proxy.endpoint)
        operations = {one.operation for one in proxy.calls}
    assert plan.code == 0, plan.stderr
    assert "would change up to" in plan.stdout
    assert "change           modify  TaskDefinition (AWS::ECS::TaskDefinition)" in plan.stdout
    assert {one for one in operations if not one.startswith(("Describe", "Get", "List"))} == set()
    assert change_sets(scene) == before


def change_sets(scene: Scene) -> list[str]:
    found = scene.client("cloudformation").list_change_sets(StackName=scene.name)["Summaries"]
    return [str(one["ChangeSetName"]) for one in found]


@pytest.mark.parametrize(("operation", "number"), [("CreateChangeSet", 1), ("ExecuteChangeSet", 1)])
def test_a_run_that_died_is_finished_by_the_next(environment: Scene, operation: str, number: int) -> None:
    scene = environment

    def die(exchange: Exchange) -> None:
        exchange.forwarded()
        exchange.kill_caller()

    given = ("provision", "--image", scene.images.uri("v1"))
    command, _ = scene.command(*given)
    with listening(scene.server.endpoint) as proxy:
        proxy.begin(lambda call: die if (call.operation, call.number) == (operation, number) else None)
        with subprocess.Popen(
            command,
            cwd=scene.folder,
            env=scene.environment(AWS_ENDPOINT_URL=proxy.endpoint),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as killed:
            proxy.pid = killed.pid
        assert killed.returncode == -signal.SIGKILL
    again = scene.ecs_pipeline(*given)
    assert again.code == 0, again.stderr
    assert service(scene)["runningCount"] == 2


@pytest.mark.parametrize(
    ("words", "parameters", "told"),
    [
        ((), {"Cpus": "1024"}, "provision.parameters.Cpus: the template has no such parameter (did you mean Cpu?)"),
        ((), {"DesiredCount": "many"}, "provision.parameters.DesiredCount: a number is expected"),
        (("--dry-run",), {"Cpu": "300"}, "provision.parameters.Cpu: one of 256, 512, "),
        (("--cluster", "my_cluster"), {}, "'my_cluster' cannot be the name of a stack"),
        (("--release", "a b"), {}, "'a b' is not a release id"),
        (("--image", "127.0.0.1:1/a:b@c"), {}, "is not an image reference"),
    ],
)
def test_a_mistake_is_told_before_anything_is_made(
    environment: Scene, words: tuple[str, ...], parameters: dict[str, str], told: str
) -> None:
    write(environment, **parameters)
    refuses(environment, told, *words)


def test_a_missing_dockerfile_is_told_before_anything_is_made(environment: Scene) -> None:
    shutil.rmtree(environment.folder / "sidecar")
    refuses(environment, "no Dockerfile")


def refuses(scene: Scene, told: str, *words: str) -> None:
    """It is bad input, and there is no stack."""
    wrong = scene.ecs_pipeline("provision", *words)
    assert wrong.code == 2, wrong.stderr
    assert told in wrong.stderr
    stacks = scene.client("cloudformation").list_stacks()["StackSummaries"]
    assert [one for one in stacks if one["StackName"] == scene.name and one["StackStatus"] != "DELETE_COMPLETE"] == []


def test_a_live_canary_stands_in_the_way_of_a_removal(environment: Scene) -> None:
    scene = environment
    scene.ecs_pipeline("provision")
    scene.ecs_pipeline("canary", "--image", scene.images.uri("v2"), "--release", "v2")
    refused = scene.ecs_pipeline("provision", "--delete", "--confirm", scene.name)
    assert refused.code == 3
    assert "live canary" in refused.stderr
