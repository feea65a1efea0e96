"""The image: taken when the registry has it, else built and pushed; a given one is never built or tagged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.config.images import ImageSettings
from ecs_pipeline.engine.converge import converge
from ecs_pipeline.engine.run import Origin, Run
from ecs_pipeline.errors import InvalidInput, PipelineError, Refused, Trouble
from ecs_pipeline.images import registry
from ecs_pipeline.images.build import Build, Secret
from ecs_pipeline.model.release import EcrRegistry, Image, Repository
from ecs_pipeline.ports import OWN_REGISTRY
from ecs_pipeline.steps import image as images
from ecs_pipeline.steps.image import BuiltImage, GivenImage, platform_of
from ecs_pipeline.timing.wait import Deadline
from tests.fakes.ports import FakeEngine, new_run
from tests.fakes.world import REGISTRY, World, digest_of
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary

WEB = Repository("web", f"{REGISTRY}/web")
DIGEST = digest_of("v1")


class Engine(FakeEngine):
    """Remembers what it built and pushed."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.built: list[Build] = []
        self.pushed: list[tuple[str, tuple[str, str]]] = []

    def build(self, build: Build, told: Any) -> None:
        super().build(build, told)
        self.built.append(build)

    def push(self, tag: str, login: tuple[str, str], told: Any) -> None:
        self.pushed.append((tag, login))
        super().push(tag, login, told)


def run_of(world: World) -> tuple[Run, Engine]:
    engine = Engine(world)
    return replace(new_run(world, "canary", ["image"]), engine=engine, folder=Path("/somewhere")), engine


def carried_out(step: Any, run: Run) -> Image:
    image: Image = converge(step, run, Deadline.after(run.clock, 60))
    return image


def building(run: Run, tag: str = "v1", platform: str = "linux/amd64", **settings: Any) -> BuiltImage:
    return BuiltImage(run, ImageSettings.model_validate(settings), WEB, tag, platform)


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


# ---- where it comes from


COMMIT = "ab12cd3" + 33 * "4"


def from_sources(world: World) -> tuple[Run, Engine]:
    """A run in a clean checkout."""
    run, engine = run_of(world)
    committed = datetime(2026, 11, 23, 7, 15, tzinfo=timezone.utc)
    origin = Origin(COMMIT, True, "", "https://git.example.com/shop.git", "services/web/", committed)  # noqa: FBT003
    return replace(run, origin=origin), engine


def label_calls(world: World) -> list[str]:
    return [name for _, name, _ in world.log if name in ("BatchGetImage", "GetDownloadUrlForLayer")]


def test_what_is_built_here_carries_where_it_comes_from_and_is_not_asked_for_it() -> None:
    world = World()
    run, engine = from_sources(world)
    carried_out(building(run), run)
    assert engine.built[0].labels == {
        "org.opencontainers.image.revision": COMMIT,
        "org.opencontainers.image.created": "2026-11-23T07:15:00Z",
        "org.opencontainers.image.source": "https://git.example.com/shop.git",
        "org.opencontainers.image.version": "v1",
        "ecs-pipeline.service": "prd/web",
        "ecs-pipeline.context": "services/web",
        "ecs-pipeline.dockerfile": "Dockerfile",
    }
    assert (label_calls(world), run.recorder.record.notes) == ([], [])


def test_what_an_earlier_run_of_the_release_pushed_is_taken_and_that_is_told() -> None:
    world = World()
    carried_out(building(from_sources(world)[0]), from_sources(world)[0])
    run, engine = from_sources(world)
    assert carried_out(building(run), run).digest == DIGEST
    assert (engine.built, label_calls(world)) == ([], ["BatchGetImage", "GetDownloadUrlForLayer"])
    (note,) = run.recorder.record.notes
    assert note == (f"web:v1 is taken from the registry, not built: built for prd/web, its label names commit {COMMIT}")


def test_an_image_without_labels_is_taken_and_told_on_a_line_of_its_own() -> None:
    said: list[str] = []
    run, _ = from_sources(World(images={"v1": DIGEST}))
    run.recorder.progress = said.append  # type: ignore[method-assign,assignment]
    carried_out(building(run), run)
    line = "web:v1 is taken from the registry, not built: not built by ecs-pipeline, no label names its commit"
    assert (said, run.recorder.record.notes) == ([line], [line])


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({"ecs-pipeline.service": "prd/api"}, "was built for service prd/api, not for prd/web"),
        ({"ecs-pipeline.context": "services/api"}, "was built from folder services/api, not from services/web"),
        ({"org.opencontainers.image.revision": 40 * "9"}, f"is of commit {40 * '9'}, not {COMMIT}"),
    ],
)
@pytest.mark.parametrize("dry", [False, True], ids=["done", "dry run"])
def test_an_image_of_another_service_place_or_commit_is_refused(labels: dict[str, str], why: str, *, dry: bool) -> None:
    run, engine = from_sources(World(images={"v1": DIGEST}, labels={DIGEST: labels}))
    run = replace(run, dry_run=dry)
    with pytest.raises(Refused) as refusal:
        carried_out(building(run), run)
    assert str(refusal.value) == (
        f"image web:v1 is in the registry already, and {why}; "
        "give this release an id of its own (--release), or the image that is meant (--image)"
    )
    assert (engine.built, engine.pushed) == ([], [])


def test_a_canary_that_is_refused_for_its_image_leaves_nothing() -> None:
    world = start_of("P runs")
    before = world.marks()
    world.images["A"] = digest_of("A")
    world.labels[digest_of("A")] = {"ecs-pipeline.service": "prd/other"}
    end = canary(world, release="A")
    assert (end.code, end.run.recorder.record.step("image").outcome) == (3, "failed")
    assert (world.marks(), world.alive()) == (before, [])


class Late(Engine):
    """Another run of the release pushed its image while this one was built, and the tag is immutable."""

    labels_there: Mapping[str, str] = {}

    def push(self, tag: str, login: tuple[str, str], told: Any) -> None:
        super().push(tag, login, told)
        self.world.labels[DIGEST] = self.labels_there or self.labels
        raise Trouble("push: tag invalid: the image tag 'v1' already exists and cannot be overwritten")


def test_when_another_run_of_the_release_was_faster_its_image_is_taken() -> None:
    world = World()
    run = replace(from_sources(world)[0], engine=Late(world))
    assert carried_out(building(run), run).digest == DIGEST
    assert "is taken from the registry" in run.recorder.record.notes[0]


def test_when_somebody_else_was_faster_that_image_is_refused() -> None:
    world = World()
    engine = Late(world)
    engine.labels_there = {"ecs-pipeline.service": "prd/other"}
    run = replace(from_sources(world)[0], engine=engine)
    with pytest.raises(Refused, match="was built for service prd/other"):
        carried_out(building(run), run)


def test_a_push_that_failed_and_left_nothing_is_trouble() -> None:
    class Broken(Engine):
        def push(self, tag: str, login: tuple[str, str], told: Any) -> None:
            raise Trouble("push: no route to host")

    world = World()
    run = replace(from_sources(world)[0], engine=Broken(world))
    with pytest.raises(Trouble, match="no route to host"):
        carried_out(building(run), run)


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


def test_a_given_image_is_neither_built_nor_pushed() -> None:
    run, engine = run_of(World())
    image = Image("r/web@sha256:1", "sha256:1")
    assert carried_out(GivenImage(image), run) == image
    assert (engine.built, engine.pushed) == ([], [])


@pytest.mark.parametrize("text", [f"{REGISTRY}/web:v1", f"{REGISTRY}/web@{DIGEST}", f"{REGISTRY}/web:v1@{DIGEST}"])
def test_a_given_image_of_ecr_is_pinned_by_what_ecr_says(text: str) -> None:
    run, _ = run_of(World(images={"v1": DIGEST, DIGEST: DIGEST}))
    assert images.given(run, text) == Image(f"{REGISTRY}/web@{DIGEST}", DIGEST)


def test_a_given_image_of_another_registry_is_taken_by_its_digest_without_asking() -> None:
    run, _ = run_of(World())
    text = f"registry.invalid/team/app@{DIGEST}"
    assert images.given(run, text) == Image(text, DIGEST)


def test_ecr_without_permission_does_not_keep_another_registrys_image_out(monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = run_of(World())

    monkeypatch.setattr(run.repositories, "repository", denied)
    assert images.given(run, f"registry.invalid/app@{DIGEST}").digest == DIGEST


def denied(_name: str, _registry: EcrRegistry = OWN_REGISTRY) -> Repository:
    raise Trouble("ecr:DescribeRepositories: AccessDenied")


def test_an_image_that_only_ecr_may_know_is_trouble_without_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = run_of(World())
    monkeypatch.setattr(run.repositories, "repository", denied)
    with pytest.raises(Trouble, match="AccessDenied"):
        images.given(run, "registry.invalid/app:v1")


@pytest.mark.parametrize("error", [InvalidInput("image docker.io/library/demo-v5:latest: no such image"), Trouble("x")])
def test_an_image_without_a_registry_says_that_docker_hub_was_asked(
    error: PipelineError, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = run_of(World())

    def refuse(*_: Any) -> str:
        raise error

    monkeypatch.setattr(registry, "digest_of", refuse)
    said = str(error)
    with pytest.raises(type(error)) as caught:
        images.given(run, "demo-v5")
    assert str(caught.value) == (
        f"{said} (Docker Hub was asked, as demo-v5 names no registry); "
        "write REGISTRY/REPOSITORY:TAG, or give a tag of the service's own repository as `canary --tag`"
    )
    error.message = "no"
    with pytest.raises(type(error), match=r"^no;"):
        images.given(run, "registry.invalid/demo:v5")


def test_a_tag_is_one_of_the_repository_that_the_service_uses() -> None:
    world = World(images={"v1": DIGEST, "v5": digest_of("v5")})
    end = canary(world, tag="v5")
    assert end.code == 0, end.text
    assert end.run.recorder.record.release.image == f"{REGISTRY}/web@{digest_of('v5')}"
    assert "ECR repository web has no image v6" in canary(World(), tag="v6").text


def test_what_is_no_tag_is_told_before_aws_is_asked() -> None:
    world = World()
    end = canary(world, tag="web:v5")
    assert (end.code, world.log) == (2, [])
    assert end.text == "'web:v5' is not an image tag; give the tag alone, or the whole image as --image"


def test_a_given_image_that_ecr_does_not_have_is_bad_input() -> None:
    run, _ = run_of(World())
    with pytest.raises(InvalidInput, match="ECR repository web has no image v9; push it first"):
        images.given(run, f"{REGISTRY}/web:v9")
