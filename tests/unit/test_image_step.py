"""The image: taken when the registry has it, else built and pushed; a given one is never built or tagged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.config.images import ImageSettings
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.images.build import Build, Secret
from ecs_pipeline.model.release import EcrRegistry, Image
from ecs_pipeline.steps import image as images
from ecs_pipeline.steps.image import BuiltImage, platform_of
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.ports import new_run
from tests.fakes.world import World
from tests.unit.image_runs import DIGEST, WEB, building, carried_out, run_of
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary


def test_an_image_of_that_tag_is_taken_and_pinned_by_digest() -> None:
    world = World(images={"v1": DIGEST})
    run, engine = run_of(world)
    image = carried_out(building(run), run)
    assert image == Image(f"{REGISTRY}/web@{DIGEST}", DIGEST)
    assert (engine.built, engine.pushed) == ([], [])
    assert not run.recorder.record.changed


def test_else_it_is_built_from_the_config_and_pushed_under_the_tag() -> None:
    run, engine = run_of(World())
    step = building(run, context="app", dockerfile="Dockerfile.prd", build_args={"A": "1", "B": None})
    assert carried_out(step, run).reference == f"{REGISTRY}/web@{DIGEST}"
    tag = f"{REGISTRY}/web:v1"
    labels = engine.built[0].labels
    expected = Build(Path("/somewhere/app"), "Dockerfile.prd", {"A": "1", "B": None}, "linux/amd64", tag, labels)
    assert engine.built == [expected]
    assert engine.pushed == [(tag, ("AWS", "password"))]
    assert run.recorder.record.changed


def test_stage_secrets_caches_and_labels_of_the_config_are_handed_to_the_engine() -> None:
    run, engine = run_of(World())
    step = building(
        run,
        target="runtime",
        secrets={"npm": {"env": "NPM_TOKEN"}, "rc": {"src": "./npmrc"}},
        cache_from=["r/web:cache", "type=local,src=cache"],
        cache_to=["type=local,dest=/var/cache,mode=max"],
        labels={"team": "shop", "org.opencontainers.image.version": "1.10"},
    )
    carried_out(step, run)
    (built,) = engine.built
    assert (built.target, built.secrets) == (
        "runtime",
        {"npm": Secret(variable="NPM_TOKEN"), "rc": Secret(file=Path("/somewhere/npmrc"))},
    )
    assert built.cache_from == ("type=registry,ref=r/web:cache", "type=local,src=/somewhere/cache")
    assert built.cache_to == ("type=local,dest=/var/cache,mode=max",)
    assert (built.labels["team"], built.labels["org.opencontainers.image.version"]) == ("shop", "1.10")


def test_secrets_and_buildx_are_looked_for_before_anything_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NPM_TOKEN", raising=False)
    world = start_of("P runs")
    world.has_buildx = False
    asked = {"secrets": {"npm": {"env": "NPM_TOKEN"}}, "cache_to": ["type=inline"]}
    settings = {"image": {"repository": "web", **asked}}
    missing = canary(world, release="A", settings=settings)
    assert (missing.code, missing.text) == (
        2,
        "image.secrets.npm: NPM_TOKEN is not set; set it in the job's environment",
    )
    monkeypatch.setenv("NPM_TOKEN", "s3cret")
    without = canary(world, release="A", settings=settings)
    assert (without.code, without.writes) == (2, [])
    assert without.text.startswith("image.secrets and image.cache_to need `docker buildx`")
    world.images["A"] = digest_of("A")
    assert canary(world, release="A", settings=settings).code == 0


# ---- for which platform


def test_the_platform_of_the_config_goes_before_that_of_the_task_definition() -> None:
    run, engine = run_of(World())
    carried_out(building(run, platform="linux/amd64"), run)
    run, engine = run_of(World())
    step = BuiltImage(run, ImageSettings.model_validate({"platform": "linux/arm64"}), WEB, "v1", "linux/amd64")
    carried_out(step, run)
    assert engine.built[0].platform == "linux/arm64"


@pytest.mark.parametrize(
    ("definition", "platform"),
    [
        ({}, "linux/amd64"),
        ({"runtimePlatform": None}, "linux/amd64"),
        ({"runtimePlatform": {"cpuArchitecture": "X86_64"}}, "linux/amd64"),
        ({"runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}}, "linux/arm64"),
    ],
)
def test_it_is_built_for_what_the_tasks_run_on(definition: dict[str, Any], platform: str) -> None:
    assert platform_of(definition) == platform


@pytest.mark.parametrize("family", ["WINDOWS_SERVER_2022_CORE", "WINDOWS_SERVER_2019_FULL"])
def test_no_image_for_windows_is_built_here(family: str) -> None:
    with pytest.raises(InvalidInput, match=f"the tasks run on {family}.*--image"):
        images.refuse_windows({"runtimePlatform": {"operatingSystemFamily": family}})
    images.refuse_windows({"runtimePlatform": {"operatingSystemFamily": "LINUX"}})
    images.refuse_windows({})


# ---- in another registry

ELSEWHERE = "210987654321/eu-west-1"


def test_it_is_pushed_to_the_registry_of_the_config_and_told_with_whose_credentials() -> None:
    world = World()
    run, engine = run_of(world)
    asked: list[tuple[str, EcrRegistry]] = []
    told: list[str] = []
    run.recorder.progress = told.append  # type: ignore[method-assign,assignment]
    for name in ("repository", "digest", "labels", "credentials"):
        plain = getattr(run.repositories, name)

        def noting(*given: Any, _name: str = name, _plain: Any = plain, **keys: Any) -> Any:
            asked.append((_name, keys.get("registry") or given[-1]))
            return _plain(*given, **keys)

        setattr(run.repositories, name, noting)
    settings = ImageSettings.model_validate({"repository": "web", "registry": ELSEWHERE})
    step = BuiltImage(run, settings, images.repository(run, settings), "v1", "linux/amd64")
    carried_out(step, run)
    assert {name for name, _ in asked} == {"repository", "digest", "credentials"}
    assert {registry for _, registry in asked} == {EcrRegistry("210987654321", "eu-west-1")}
    assert engine.pushed
    assert told[-1] == f"push {REGISTRY}/web:v1 with the job's own AWS credentials"


def test_with_a_role_the_push_is_made_with_its_credentials() -> None:
    role = "arn:aws:iam::123456789012:role/deploy"
    run = replace(run_of(World())[0], settings=new_run(World(), "canary", [], {"role_arn": role}).settings)
    told: list[str] = []
    run.recorder.progress = told.append  # type: ignore[method-assign,assignment]
    carried_out(building(run), run)
    assert told[-1].endswith(f" with the credentials of {role}")


def test_a_repository_that_the_registry_has_not_is_told_with_both() -> None:
    settings = ImageSettings.model_validate({"repository": "nope", "registry": ELSEWHERE})
    with pytest.raises(InvalidInput, match=f"no ECR repository nope in registry {ELSEWHERE}; .*image.registry"):
        images.repository(run_of(World())[0], settings)


# ---- the image of a rollback


def test_an_image_that_a_rollback_would_need_and_ecr_has_no_more_is_told() -> None:
    world = start_of("P runs")
    world.images.pop("P")
    end = canary(world, release="A")
    assert end.code == 0
    note = "ECR does not have the image of web:2, to which a rollback would return"
    assert end.run.recorder.record.notes == [note]
    refused = canary(world, settings={"image": {"repository": "web", "dockerfile": "gone"}}, release="B", replace=True)
    assert (refused.code, refused.run.recorder.record.notes) == (2, [note])


@pytest.mark.parametrize(
    ("error", "notes"),
    [
        (InvalidInput("image x is ARCHIVED"), ["to which a rollback would return: image x is ARCHIVED"]),
        (Trouble("AccessDenied"), []),
    ],
)
def test_an_archived_one_is_told_and_one_that_may_not_be_asked_for_is_not(
    monkeypatch: pytest.MonkeyPatch, error: Exception, notes: list[str]
) -> None:
    run, _ = run_of(World())

    def fails(*_given: Any, **_keys: Any) -> str:
        raise error

    monkeypatch.setattr(run.repositories, "digest", fails)
    current = run.definitions.get(run.ecs.service().revision)
    images.tell_lost(run, current, "app")
    assert [note.partition(", ")[2] for note in run.recorder.record.notes] == notes


def test_an_image_that_ecr_lists_late_is_waited_for() -> None:
    world = World()
    run, engine = run_of(world)
    shown_from = world.now + 3
    listed = run.repositories.digest
    lagging = replace_method(run.repositories, lambda *a, **k: listed(*a, **k) if world.now >= shown_from else "")
    assert carried_out(building(replace(run, repositories=lagging)), run).digest == DIGEST
    assert len(engine.pushed) == 1


def replace_method(repositories: Any, digest: Any) -> Any:
    """The repositories with another way to tell a digest."""
    repositories.digest = digest
    return repositories
