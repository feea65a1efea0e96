"""Config files: overlays, flags, names that follow from others. Mistakes in them: test_config_mistakes.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ecs_pipeline.config.load import Config, load
from ecs_pipeline.config.settings import Settings
from ecs_pipeline.errors import InvalidInput

Read = Callable[..., Settings]

NAMES = "cluster: c\nservice: s\n"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a config and read it."""

    def reading(text: str | bytes, environment: str = "", **flags: str) -> Settings:
        file = tmp_path / "deploy.yml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        settings: Settings = load(str(file), environment, flags).settings
        return settings

    return reading


def test_an_overlay_changes_what_it_names_at_any_depth_and_nothing_else(read: Read) -> None:
    text = NAMES + (
        "image: {context: app, build_args: {A: one, B: two}}\n"
        "canary: {tasks: 2, bake: 1m}\n"
        "environments: {prd: {image: {build_args: {B: three}}, canary: {bake: 9m}}}\n"
    )
    settings = read(text, "prd")
    assert settings.image.build_args == {"A": "one", "B": "three"}
    assert (settings.image.context, settings.canary.tasks, settings.canary.bake) == ("app", 2, 540)


def test_only_the_overlay_of_the_environment_that_is_named_counts(read: Read) -> None:
    text = NAMES + "region: eu-west-1\nenvironments: {stg: {region: eu-west-2}, prd: {region: eu-west-3}}\n"
    assert [read(text, name).region for name in ("", "stg", "prd")] == ["eu-west-1", "eu-west-2", "eu-west-3"]


def test_an_overlay_replaces_a_list_whole(read: Read) -> None:
    text = NAMES + (
        "canary: {steps: [{tasks: 1}, {tasks: 2}]}\nenvironments: {prd: {canary: {steps: [{percent: 50}]}}}\n"
    )
    steps = read(text, "prd").canary.steps
    assert [(step.tasks, step.percent) for step in steps] == [(None, 50)]


@pytest.mark.parametrize("empty", ["", "null", "{}"])
def test_an_empty_overlay_changes_nothing(read: Read, empty: str) -> None:
    assert read(f"{NAMES}canary: {{tasks: 2}}\nenvironments:\n  prd: {empty}\n", "prd").canary.tasks == 2


@pytest.mark.parametrize("over", ["tasks: 4", "percent: 40", "steps: [{tasks: 4}]"])
@pytest.mark.parametrize("base", ["tasks: 2", "percent: 20", "steps: [{tasks: 2}]"])
def test_the_size_of_an_overlay_takes_the_place_of_whatever_size_the_base_has(read: Read, base: str, over: str) -> None:
    text = f"{NAMES}canary: {{{base}, bake: 7m}}\nenvironments: {{prd: {{canary: {{{over}}}}}}}\n"
    mixed, alone = read(text, "prd").canary, read(f"{NAMES}canary: {{{over}, bake: 7m}}\n").canary
    assert mixed == alone


def test_an_overlay_without_a_size_keeps_the_size_of_the_base(read: Read) -> None:
    text = NAMES + "canary: {percent: 20}\nenvironments: {prd: {canary: {bake: 1m}}}\n"
    assert read(text, "prd").canary.percent == 20


@pytest.mark.parametrize("key", ["cluster", "service", "region", "role_arn"])
def test_a_flag_wins_over_file_and_overlay(read: Read, key: str) -> None:
    start = "arn:aws:iam::123456789012:role/" if key == "role_arn" else ""
    in_file, in_overlay, in_flag = (start + source for source in ("file", "overlay", "flag"))
    base = {"cluster": "c", "service": "s", key: in_file}
    document = json.dumps({**base, "environments": {"prd": {key: in_overlay}}})
    values = [getattr(read(document, *given), key) for given in ((), ("prd",))]
    assert values == [in_file, in_overlay]
    assert getattr(read(document, "prd", **{key: in_flag}), key) == in_flag


def test_a_flag_that_is_not_given_leaves_the_file_alone(read: Read) -> None:
    assert read(NAMES + "region: eu-west-1\n", region="").region == "eu-west-1"


def test_names_follow_from_app_and_environment(read: Read) -> None:
    settings = read("app: shop\n", "prd")
    assert (settings.cluster, settings.service, settings.image.repository) == ("shop-prd", "shop", "shop")


def test_names_that_are_given_do_not_follow_from_app(read: Read) -> None:
    settings = read("app: shop\ncluster: big\nservice: web\nimage: {repository: images}\n")
    assert (settings.cluster, settings.service, settings.image.repository) == ("big", "web", "images")


def test_an_app_that_the_overlay_names_gives_the_names(read: Read) -> None:
    settings = read("app: shop\nenvironments: {prd: {app: store}}\n", "prd")
    assert (settings.cluster, settings.service) == ("store-prd", "store")


def test_the_repository_is_the_service_where_there_is_no_app(read: Read) -> None:
    assert read("cluster: c\nservice: web\n").image.repository == "web"


def test_a_file_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load("", "", {"cluster": "c", "service": "s"}).settings
    assert (settings.cluster, settings.service, settings.canary.sizes[0].tasks) == ("c", "s", 1)


def test_the_default_file_is_read_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ecs-pipeline.yml").write_text("app: shop\n")
    assert load("", "stg", {}).settings.cluster == "shop-stg"


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "deploy" / "web.yml"
    file.parent.mkdir()
    file.write_text(NAMES)
    config: Config = load(str(file), "", {})
    assert config.folder == tmp_path / "deploy"


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "---\n", "{}", "\ufeff"])
def test_an_empty_file_is_an_empty_config(read: Read, text: str) -> None:
    assert read(text, cluster="c", service="s") == Settings.model_validate(
        {"cluster": "c", "service": "s", "image": {"repository": "s"}}
    )


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffcluster: c\nservice: s\n",
        "cluster: c\r\nservice: s\r\n",
        '{"cluster": "c",\n\t"service": "s"}',
        "app: &name s\ncluster: c\nservice: *name\n",
    ],
    ids=["byte order mark", "carriage returns", "JSON with tabs", "anchor"],
)
def test_what_yaml_allows_is_read(read: Read, text: str) -> None:
    settings = read(text)
    assert (settings.cluster, settings.service) == ("c", "s")


def test_a_merge_key_of_yaml_is_followed(read: Read) -> None:
    text = NAMES + "environments:\n  stg: &stg {canary: {tasks: 3}}\n  prd: {<<: *stg, region: eu-west-1}\n"
    settings = read(text, "prd")
    assert (settings.canary.tasks, settings.region) == (3, "eu-west-1")


def test_yaml_12_keeps_words_and_versions_as_they_are_written(read: Read) -> None:
    settings = read(NAMES + "app: no\nregion: 1:30\nimage: {build_args: {VERSION: '1.10'}}\n")
    assert (settings.app, settings.region, settings.image.build_args) == ("no", "1:30", {"VERSION": "1.10"})


def test_a_number_may_name_an_environment(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text("app: web\nenvironments: {2024: {cluster: old}}\n")
    assert load(str(tmp_path / "c.yml"), "2024", {}).settings.cluster == "old"


def test_of_an_arn_the_last_part_is_the_name() -> None:
    arn = "arn:aws:ecs:eu-west-1:123456789012:"
    found = load("", "", {"cluster": f"{arn}cluster/prd", "service": f"{arn}service/prd/web"}).settings
    assert (found.cluster, found.service) == ("prd", "web")


@pytest.mark.parametrize("number", ["1.10", "007", "1e3", "10", "-3", "0x1F", "2026-11-25", "1.0", "3.10.2"])
def test_a_build_argument_is_what_is_written(read: Read, number: str) -> None:
    """A version is no number: 1.10 would be built as 1.1."""
    text = f"{NAMES}image: {{build_args: {{A: {number}}}}}\nprovision: {{parameters: {{B: {number}}}}}\n"
    settings = read(text)
    assert (settings.image.build_args, settings.provision.parameters) == ({"A": number}, {"B": number})


@pytest.mark.parametrize(
    "registry", ["123456789012", "012345678901", "012345678901/eu-west-1", "123456789012/us-gov-west-1"]
)
def test_an_account_is_what_is_written(read: Read, registry: str) -> None:
    assert read(f"{NAMES}image: {{registry: {registry}}}\n").image.registry == registry


@pytest.mark.parametrize(
    "registry", ["12345", "'123456789012.dkr.ecr.eu-west-1.amazonaws.com'", "123456789012/", "eu-west-1"]
)
def test_what_is_no_registry_is_bad_input(read: Read, registry: str) -> None:
    with pytest.raises(InvalidInput, match="is not an ECR registry; write ACCOUNT or ACCOUNT/REGION"):
        read(f"{NAMES}image: {{registry: {registry}}}\n")


def test_the_words_of_a_command_are_what_is_written(read: Read) -> None:
    settings = read(f"{NAMES}canary: {{checks: [{{command: {{run: [./check, 1.10, true, 5]}}}}]}}\n")
    assert settings.canary.checks[0].command is not None
    assert settings.canary.checks[0].command.run == ("./check", "1.10", "true", "5")


ARN = "arn:aws:ecs:eu-west-1:123456789012"


def test_an_arn_names_the_region_and_a_services_its_cluster_too(read: Read) -> None:
    settings = read(f"service: {ARN}:service/prd/web\n")
    assert (settings.region, settings.cluster, settings.service) == ("eu-west-1", "prd", "web")
    settings = read("service: web\nregion: eu-west-1\n", cluster=f"{ARN}:cluster/prd")
    assert (settings.region, settings.cluster) == ("eu-west-1", "prd")


def test_an_arn_of_another_region_is_bad_input(read: Read) -> None:
    """Its name alone might be found in this one."""
    with pytest.raises(InvalidInput, match=r"^cluster arn:.*:cluster/prd is in region eu-west-1, not us-east-1; give"):
        read(f"cluster: {ARN}:cluster/prd\nservice: web\n", region="us-east-1")
