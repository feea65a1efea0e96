"""The commands beside the stages, on real containers: what they read of AWS, and what they leave alone."""

from __future__ import annotations

import json

from tests.emulator.stages.deployer import Deployer, documents
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
