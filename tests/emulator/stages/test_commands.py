"""The commands beside the stages, on real containers: what they read of AWS, and what they leave alone."""

from __future__ import annotations

import json
import platform
import shutil
from typing import Any

from ecs_pipeline.protocol import release_tags
from embedded_aws.images import APP_FOLDER
from tests.emulator.stages.deployer import Deployer, actions, documents
from tests.emulator.stages.scene import Scene


def test_diff_shows_what_a_canary_changed(scene: Scene) -> None:
    scene.start(count=1)
    uri = scene.images.uri("v2")
    planned = scene.ecs_pipeline("diff", "--image", uri, "--exit-code")
    assert planned.code == 1, planned.stderr
    assert planned.stdout.splitlines() == [
        f"{scene.name}:1 → what a canary would register",
        f"  containerDefinitions.app.image: {scene.images.digest('v1')} → {scene.images.digest('v2')}",
    ]
    assert scene.revisions() == [1]

    assert scene.canary("v2").code == 0
    done = scene.ecs_pipeline("diff", "v2")
    assert done.stdout.splitlines()[1:] == planned.stdout.splitlines()[1:]
    assert scene.ecs_pipeline("diff", "--image", uri).stdout == planned.stdout


def test_init_writes_a_config_that_the_other_commands_take(scene: Scene) -> None:
    scene.start(count=1)
    words = ("--cluster", scene.name, "--service", scene.name, "--config", "new.yml")
    made = scene.ecs_pipeline("init", *words, "--task-definition", "--jenkinsfile")
    assert made.code == 0, made.stderr
    assert made.stdout.splitlines()[:3] == ["wrote new.yml", "wrote taskdef.json", "wrote Jenkinsfile"]
    config = (scene.folder / "new.yml").read_text()
    assert f"service: {scene.name}" in config
    assert "    - http: {path: /health}" in config

    uri = scene.images.uri("v2")
    planned = scene.ecs_pipeline("diff", "--config", "new.yml", "--image", uri)
    assert planned.code == 0, planned.stderr
    assert [line.partition(":")[0] for line in planned.stdout.splitlines()[1:]] == ["  containerDefinitions.app.image"]
    again = scene.ecs_pipeline("init", *words)
    assert (again.code, again.stderr) == (
        2,
        "ecs-pipeline: new.yml is there already; move it away, or name another: --config FILE\n",
    )


def test_a_role_with_the_printed_policy_deploys(scene: Scene) -> None:
    scene.client("logs").create_log_group(logGroupName=f"/{scene.name}")
    options = {"awslogs-group": f"/{scene.name}", "awslogs-region": scene.server.region, "awslogs-stream-prefix": "app"}
    logging = {"logConfiguration": {"logDriver": "awslogs", "options": options}}
    deployer = Deployer(scene)
    scene.start(1, container=logging, definition=deployer.roles())
    scene.images.uri("v2")
    printed = scene.ecs_pipeline("policy")
    assert printed.code == 0, printed.stderr
    deployer.allow(json.loads(printed.stdout)["Statement"])

    canary = deployer.canary("v2")
    assert canary.code == 0, canary.stderr
    for stage in ("promote", "rollback"):
        done = deployer.runs(stage)
        assert done.code == 0, done.stderr
    scene.assert_nothing_left()


def test_a_role_with_the_printed_policy_looks_up_what_config_and_definition_name(scene: Scene) -> None:
    name, deployer = scene.name, Deployer(scene)
    scene.start(1, definition=deployer.roles())
    scene.images.uri("v2")
    scene.client("ssm").put_parameter(Name=f"/{name}/bake", Value="1s", Type="String")
    scene.client("ssm").put_parameter(Name=f"/{name}/hidden", Value="hush", Type="SecureString")
    secret = scene.client("secretsmanager").create_secret(Name=f"{name}/probe", SecretString='{"header": "hush"}')
    template = {"Resources": {"T": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}}}
    template["Outputs"] = {"Path": {"Value": "/health"}}
    cloudformation = scene.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    check = {"path": f"${{cfn:{name}.Path}}", "headers": {"X-Probe": f"${{secret:{name}/probe#header}}"}}
    scene.config(canary={"bake": f"${{ssm:/{name}/bake}}", "checks": [{"http": check, "interval": "200ms"}]})

    printed = scene.ecs_pipeline("policy")
    assert printed.code == 0, printed.stderr
    statements = json.loads(printed.stdout)["Statement"]
    wanted = ["LookUpParameters", "LookUpOutputs", "ReadSecrets"]
    assert [statement["Sid"] for statement in statements if statement["Sid"] in wanted] == wanted
    assert secret["ARN"].startswith(statements[-1]["Resource"][0].removesuffix("??????"))

    deployer.allow(statements)
    canary = deployer.canary("v2")
    assert canary.code == 0, canary.stderr
    assert "hush" not in canary.stderr + json.dumps(canary.report)
    for sid in wanted:
        deployer.allow([statement for statement in statements if statement["Sid"] != sid])
        refused = deployer.runs("canary")
        action = next(statement["Action"] for statement in statements if statement["Sid"] == sid)
        assert (refused.code, action in refused.stderr) == (4, True), refused.stderr
        assert deployer.runs("rollback", "--canary", "--dry-run").code == 0

    deployer.allow(statements)
    scene.config(canary={"bake": f"${{ssm:/{name}/hidden}}"})
    assert "it is a SecureString" in scene.ecs_pipeline("config").stderr


def test_a_role_with_the_printed_policy_finds_the_secrets_that_the_tasks_get(scene: Scene) -> None:
    name, deployer = scene.name, Deployer(scene)
    secret = scene.client("secretsmanager").create_secret(Name=f"{name}/db", SecretString='{"password": "hush"}')["ARN"]
    scene.client("ssm").put_parameter(Name=f"/{name}/key", Value="hush", Type="SecureString")
    secrets = [
        {"name": "PASSWORD", "valueFrom": f"{secret}:password::"},
        {"name": "KEY", "valueFrom": f"/{name}/key"},
    ]
    scene.start(1, container={"secrets": secrets}, definition=deployer.roles())
    statements = json.loads(scene.ecs_pipeline("policy").stdout)["Statement"]
    wanted = ["FindTaskSecrets", "FindTaskParameters"]
    assert [statement["Sid"] for statement in statements if statement["Sid"] in wanted] == wanted

    deployer.allow(statements)
    found = deployer.runs("validate")
    assert found.message("secrets") == "2 of 2 are there", found.stderr
    assert "hush" not in found.stderr + json.dumps(found.report)
    for sid in wanted:
        deployer.allow([statement for statement in statements if statement["Sid"] != sid])
        assert deployer.runs("validate").message("secrets") == "1 of 2 are there"


def test_validate_asks_iam_what_the_deploy_role_may_do(scene: Scene) -> None:
    scene.start(count=1)
    scene.images.uri("v2")
    deployer = Deployer(scene)
    asking = deployer.filled(documents()[3])["Statement"]
    deployer.allow([*deployer.stages["Statement"], *asking])
    good = deployer.runs("validate")
    assert good.code == 0, good.stderr
    assert good.message("permissions").startswith(f"{deployer.role_arn} may do all of")

    left = [statement for statement in deployer.stages["Statement"] if statement["Sid"] != "StopCanary"]
    deployer.allow([*left, *asking])
    bad = deployer.runs("validate")
    assert bad.code == 2
    assert bad.report["evidence"] == [
        f"{deployer.role_arn} may not ecs:StopTask (statement StopCanary); give it what `ecs-pipeline policy` prints"
    ]

    deployer.allow(left)
    unknown = deployer.runs("validate")
    assert unknown.code == 0, unknown.stderr
    assert unknown.message("permissions").startswith("cannot be known")


def test_validate_compares_an_image_s_platform_with_that_of_the_tasks(scene: Scene) -> None:
    architectures = {"x86_64": "X86_64", "aarch64": "ARM64"}
    own = architectures[platform.machine()]
    other = next(architecture for architecture in architectures.values() if architecture != own)
    deployer = Deployer(scene)
    scene.start(count=1, definition={**deployer.roles(), "runtimePlatform": {"cpuArchitecture": own}})
    uri = scene.images.uri("v2")
    deployer.allow(deployer.stages["Statement"])
    good = deployer.runs("validate", "--image", uri)
    assert good.code == 0, good.stderr
    assert good.message("image").endswith(scene.images.digest("v2").partition("@")[2])
    assert not [note for note in good.report["notes"] if "cannot be known: " in note and "platform" in note]

    container = {"name": "app", "image": uri, "memory": 64, "portMappings": [{"containerPort": 8000}]}
    wanted = {"family": scene.name, "containerDefinitions": [container], "runtimePlatform": {"cpuArchitecture": other}}
    (scene.folder / "taskdef.json").write_text(json.dumps(wanted))
    scene.config(task_definition="taskdef.json")
    bad = deployer.runs("validate", "--image", uri)
    assert bad.code == 2
    assert "but the tasks run on linux/" in bad.message("image")


def test_a_role_with_the_printed_policy_finds_what_the_account_has_left_on_fargate(scene: Scene) -> None:
    deployer = Deployer(scene)
    scene.start(count=1, definition={**deployer.roles(), "cpu": "1024", "memory": "2048"}, launchType="FARGATE")
    uri = scene.images.uri("v2")
    statements = json.loads(scene.ecs_pipeline("policy").stdout)["Statement"]
    deployer.allow(statements)
    words = ("validate", "--image", uri)
    assert deployer.runs(*words).message("quotas").startswith("cannot be known")

    names = {"Service": "Fargate", "Resource": "vCPU", "Type": "Resource", "Class": "Standard/OnDemand"}
    dimensions = [{"Name": name, "Value": value} for name, value in names.items()]
    usage = {"MetricName": "ResourceCount", "Dimensions": dimensions, "Value": 5.5}
    scene.client("cloudwatch").put_metric_data(Namespace="AWS/Usage", MetricData=[usage])
    found = deployer.runs(*words)
    assert found.code == 2
    assert "5.5 of 6 Fargate vCPUs are in use, and the canary needs 1; ask for more" in found.message("quotas")
    deployer.allow([statement for statement in statements if statement["Sid"] != "FindQuotas"])
    assert deployer.runs(*words).message("quotas").startswith("cannot be known")


def test_a_command_runs_once_a_release_with_its_log_and_exit_code(scene: Scene) -> None:
    scene.client("logs").create_log_group(logGroupName=f"/{scene.name}")
    options = {"awslogs-group": f"/{scene.name}", "awslogs-region": scene.server.region, "awslogs-stream-prefix": "app"}
    deployer = Deployer(scene)
    logging = {"logConfiguration": {"logDriver": "awslogs", "options": options}}
    scene.start(1, container=logging, definition=deployer.roles())
    words = ("run", "--name", "migrate")
    done = deployer.runs(*words, "--", "sh", "-c", "echo migrated; exit 5")
    assert done.code == 5, done.stderr
    assert "| migrated" in done.stderr
    assert done.cases() == {"preflight": "passed", "task": "passed", "command": "error"}
    assert scene.canaries() == []

    again = deployer.runs(*words, "--", "sh", "-c", "echo migrated; exit 5")
    assert again.code == 5
    assert "ran for this release before" in again.message("command")
    assert deployer.runs("run", "--", "true").code == 0
    assert scene.marks().keys() & {"under-way", "release"} == set()
    scene.assert_nothing_left()


def targets(scene: Scene, revision: str) -> dict[str, Any]:
    """A target that runs a revision in the scene's cluster."""
    cluster = scene.ecs.describe_clusters(clusters=[scene.name])["clusters"][0]["clusterArn"]
    role = f"arn:aws:iam::{scene.server.account}:role/events"
    return {"Arn": cluster, "RoleArn": role, "EcsParameters": {"TaskDefinitionArn": revision, "TaskCount": 1}}


def old_releases(scene: Scene) -> list[str]:
    """Revisions of releases that were; the last two are run by a rule and by a schedule."""
    image = {"image": scene.images.digest("v1")}
    arns = [
        scene.register("v1", container=image, tags=[{"key": release_tags.RELEASE, "value": f"old-{number}"}])
        for number in range(4)
    ]
    events, scheduler = scene.client("events"), scene.client("scheduler")
    events.put_rule(Name=scene.name, ScheduleExpression="rate(7 days)", State="DISABLED")
    events.put_targets(Rule=scene.name, Targets=[{"Id": "1", **targets(scene, arns[2])}])
    scheduler.create_schedule(
        Name=scene.name,
        ScheduleExpression="rate(7 days)",
        State="DISABLED",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=targets(scene, arns[3]),
    )
    return [arn.rpartition("/")[2] for arn in arns]


def built(scene: Scene, deployer: Deployer, release: str, then: str) -> None:
    """A release with an image of its own, promoted or rolled back."""
    scene.config(image={"context": "app", "build_args": {"VERSION": f"{scene.name} {release}"}}, canary={"bake": "0s"})
    for words in (("canary", "--release", f"{scene.name}-{release}"), (then,)):
        done = deployer.runs(*words)
        assert done.code == 0, done.stderr


def test_prune_removes_what_nothing_needs_with_the_documented_policy(scene: Scene) -> None:
    scene.start(count=1)
    deployer = Deployer(scene)
    shutil.copytree(APP_FOLDER, scene.folder / "app")
    old = old_releases(scene)
    built(scene, deployer, "1", "rollback")
    built(scene, deployer, "2", "promote")
    tags = {f"{scene.name}-{release}" for release in ("1", "2")}
    words = ("prune", "--keep", "1")

    ecr = scene.client("ecr")

    def images() -> set[str]:
        details = ecr.describe_images(repositoryName="stages")["imageDetails"]
        return {tag for detail in details for tag in detail.get("imageTags", ())}

    stages = deployer.stages["Statement"]
    deployer.allow([*stages, *deployer.pruning])
    dry = deployer.runs(*words)
    assert dry.code == 0, dry.stderr
    assert f"would deregister {old[1]}, {old[0]}" in dry.stdout
    assert (tags <= images(), scene.revisions()) == (True, [1, 2, 3, 4, 5, 7])
    for statement in deployer.pruning:
        for action in actions(statement):
            left = [part for part in actions(statement) if part != action]
            rest = [other for other in deployer.pruning if other != statement]
            deployer.allow([*stages, *rest, *([{**statement, "Action": left}] if left else [])])
            if action in {"ecs:ListTasks", "ecs:DescribeServices", "ecs:DescribeTasks", "scheduler:GetSchedule"}:
                continue  # of the service's own cluster the stages' statements allow them
            refused = deployer.runs(*words, "--yes")
            assert (refused.code, action in refused.report["message"]) == (4, True), (action, refused.stderr)
            assert tags <= images()
    deployer.allow([*stages, *deployer.pruning])
    done = deployer.runs(*words, "--yes")
    assert done.code == 0, done.stderr
    assert f"{old[2]} stays: rule {scene.name} needs it" in done.report["notes"]
    assert f"{old[3]} stays: schedule default/{scene.name} needs it" in done.report["notes"]
    assert scene.revisions() == [1, 4, 5, 7]
    assert images() & tags == {f"{scene.name}-2"}
    again = deployer.runs(*words, "--yes")
    assert (again.code, again.report["changed"]) == (0, False)
    scene.assert_nothing_left()
