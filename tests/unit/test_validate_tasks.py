"""`validate`: the secrets and the platform of the service's tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.config.settings import Settings
from ecs_pipeline.errors import Trouble
from tests.fakes.account_limits import FakeSecrets
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.world import World
from tests.unit.commands import NAMED, Commands, commands, report
from tests.unit.validations import ROLE, message_of


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    made = commands(monkeypatch, capsys, tmp_path)
    made.world = World()
    return made


SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-aBcDeF"


def with_secrets(run: Commands, problems: dict[str, str | None]) -> None:
    """The tasks get a secret, a parameter, a log's token and a registry's login; these are wrong."""
    running = run.world.revisions[run.world.deployments[0].revision]
    running.definition["containerDefinitions"][0] |= {
        "secrets": [{"name": "DB", "valueFrom": SECRET}, {"name": "KEY", "valueFrom": "/app/key"}],
        "logConfiguration": {"logDriver": "splunk", "secretOptions": [{"name": "token", "valueFrom": "/log"}]},
        "repositoryCredentials": {"credentialsParameter": f"{SECRET}-login"},
    }
    run.changes["secrets"] = FakeSecrets(problems)


def test_a_secret_that_is_not_there_is_a_finding_with_its_place(run: Commands) -> None:
    with_secrets(run, {SECRET: "there is no such secret", "/log": "there is no such parameter"})
    assert run("validate", *NAMED).code == 2
    cure = "create it, or name another one: no task would start"
    assert report("validate")["evidence"] == [
        f"web:1: secret DB of container app: {SECRET}: there is no such secret; {cure}",
        "web:1: secret token of container app: /log: there is no such parameter",
    ]


def test_a_secret_that_nobody_may_ask_for_cannot_be_known_and_is_no_finding(run: Commands) -> None:
    with_secrets(run, {"/app/key": None})
    assert run("validate", *NAMED).code == 0
    assert message_of("secrets") == "3 of 4 are there"
    assert "whether these secrets are there cannot be known (no permission): /app/key" in report("validate")["notes"]


def test_a_role_that_may_not_find_secrets_keeps_no_release_from_going_through(run: Commands) -> None:
    with_secrets(run, {})
    run.world.principal = ROLE
    run.world.denied = {"secretsmanager:DescribeSecret", "ssm:GetParameter"}
    assert run("validate", *NAMED).code == 0


def test_tasks_without_secrets_are_fine(run: Commands) -> None:
    assert run("validate", *NAMED).code == 0
    assert message_of("secrets") == "the tasks get none"


@pytest.mark.parametrize(
    ("definition", "platform", "wrong"),
    [
        ({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, "linux/amd64", True),
        ({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, "linux/arm64/v8", False),
        ({"requiresCompatibilities": ["FARGATE"]}, "linux/arm64", True),
        ({"requiresCompatibilities": ["EC2"]}, "linux/arm64", False),
        ({"runtimePlatform": {"cpuArchitecture": "X86_64"}}, "", False),
    ],
)
def test_an_image_for_another_platform_than_the_tasks_is_a_finding(
    run: Commands, definition: dict[str, Any], platform: str, *, wrong: bool
) -> None:
    run.world.revisions[run.world.deployments[0].revision].definition.update(definition)
    image = {"repository": "web", "platform": platform}
    run.changes["settings"] = Settings.model_validate({"cluster": "prd", "service": "web", "image": image})
    assert run("validate", *NAMED).code == (2 if wrong else 0)
    if wrong:
        [line] = report("validate")["evidence"]
        assert line.startswith(f"image.platform is {platform}, but the tasks run on linux/")
        assert line.endswith("leave image.platform out: the task definition decides then")


ARM = {"runtimePlatform": {"cpuArchitecture": "ARM64"}}
WINDOWS = {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE", "cpuArchitecture": "X86_64"}}


def with_image(run: Commands, definition: dict[str, Any], *platforms: str) -> str:
    """The tasks' definition has these members; an image in ECR is for these platforms."""
    run.world.revisions[run.world.deployments[0].revision].definition.update(definition)
    run.world.images["v2"] = digest_of("v2")
    run.world.platforms[digest_of("v2")] = list(platforms)
    return f"{REGISTRY}/web:v2"


@pytest.mark.parametrize(
    ("definition", "platforms", "wrong"),
    [
        (ARM, ("linux/amd64",), True),
        (ARM, ("linux/amd64", "linux/arm64/v8"), False),
        (ARM, ("linux/arm64",), False),
        (WINDOWS, ("linux/amd64",), True),
        (WINDOWS, ("windows/amd64",), False),
        ({"requiresCompatibilities": ["FARGATE"]}, ("linux/arm64", "linux/s390x"), True),
        ({"requiresCompatibilities": ["EC2"]}, ("linux/arm64",), False),
    ],
)
@pytest.mark.parametrize("by_tag", [True, False])
def test_an_image_that_is_given_for_another_platform_than_the_tasks_is_a_finding(
    run: Commands, definition: dict[str, Any], platforms: tuple[str, ...], *, wrong: bool, by_tag: bool
) -> None:
    image = with_image(run, definition, *platforms)
    words = ("--tag", "v2") if by_tag else ("--image", image)
    assert run("validate", *NAMED, *words).code == (2 if wrong else 0)
    if not wrong:
        assert message_of("image") == f"{REGISTRY}/web@{digest_of('v2')}"
        return
    [line] = report("validate")["evidence"]
    assert line.startswith(
        f"image {REGISTRY}/web@{digest_of('v2')} is for {', '.join(platforms)}, but the tasks run on "
    )
    assert "(runtimePlatform of family web); build it for " in line


def test_a_platform_that_nobody_may_read_cannot_be_known_and_is_no_finding(
    run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> list[str]:
        raise Trouble("ecr:BatchGetImage: AccessDeniedException")

    image = with_image(run, ARM)
    assert run("validate", *NAMED, "--image", image).code == 0
    assert any(note.startswith(f"the platform of image {REGISTRY}/web@") for note in report("validate")["notes"])
    monkeypatch.setattr("tests.fakes.images.FakeRepositories.platforms", fail)
    assert run("validate", *NAMED, "--image", image).code == 0
    assert any(note.endswith("ecr:BatchGetImage: AccessDeniedException") for note in report("validate")["notes"])


def test_an_image_that_is_given_and_not_there_is_a_finding(run: Commands) -> None:
    assert run("validate", *NAMED, "--image", f"{REGISTRY}/web:gone").code == 2
    assert "has no image gone; push it first" in report("validate")["evidence"][0]
    assert run("validate", *NAMED, "--image", "x:1", "--tag", "v2").code == 2
