"""Look-ups in a config: what stands there afterwards, where which may stand, and what is said of one that fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_pipeline.config.load import Config, load
from ecs_pipeline.config.lookups import EnvironmentSource, Lookups
from ecs_pipeline.config.sources import settings_of
from ecs_pipeline.errors import InvalidInput

NAMES = "cluster: c\nservice: s\n"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-aBcDeF"
NOWHERE_ELSE = "a secret may stand in `secrets`, `repository_credentials`, `headers` and `valueFrom`"
HEADERS = "canary: {checks: [{http: {headers: {Token: '${secret:probe}'}}}]}\n"


@dataclass
class Known:
    """A source that knows a few things, and what it was asked."""

    asked: list[str] = field(default_factory=list)

    def env(self, name: str) -> str | None:
        return {"TASKS": "2", "REGION": "eu-west-3", "EMPTY": "", "WORD": "two"}.get(name)

    def parameter(self, name: str) -> str:
        self.asked.append(name)
        return {"/bake": "7m", "/cluster": "big"}.get(name) or self._none()

    def output(self, stack: str, name: str) -> str:
        self.asked.append(f"{stack} {name}")
        return {("net", "Cluster"): "made"}.get((stack, name)) or self._none()

    def secret_arn(self, name: str) -> str:
        self.asked.append(name)
        return ARN

    def secret(self, name: str, key: str) -> str:
        self.asked.append(f"{name}#{key}")
        return "hush"

    @staticmethod
    def _none() -> str:
        raise LookupError("there is none")


Read = Callable[..., Config]


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def read(tmp_path: Path, known: Known, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Write a config and read it with what is known."""
    monkeypatch.setenv("REGION", "eu-west-3")

    def reading(text: str, environment: str = "", **options: Any) -> Config:
        file = tmp_path / "deploy.yml"
        file.write_text(text)
        return load(str(file), environment, {}, lambda _names: Lookups(known), **options)

    return reading


def told(read: Read, text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert not caught.value.evidence
    return str(caught.value).partition("deploy.yml:")[2]


def test_every_kind_is_filled_in_whole_or_as_a_part(read: Read) -> None:
    text = (
        "cluster: ${cfn:net.Cluster}\nservice: shop-${env:TASKS}\nregion: ${env:REGION}\n"
        "canary: {tasks: '${env:TASKS}', bake: '${ssm:/bake}', baseline: '${env:NOT_SET:-true}'}\n"
    )
    settings = read(text).settings
    assert (settings.cluster, settings.service, settings.region) == ("made", "shop-2", "eu-west-3")
    assert (settings.canary.tasks, settings.canary.bake, settings.canary.baseline) == (2, 420, True)


def test_a_default_is_for_what_is_not_set_and_not_for_what_is_empty(read: Read) -> None:
    text = NAMES + "image: {build_args: {A: '${env:NONE:-x}', B: '${env:EMPTY:-x}', C: '${env:NONE:-}'}}\n"
    assert read(text).settings.image.build_args == {"A": "x", "B": "", "C": ""}


def test_numbers_stay_text_where_text_is_expected(read: Read) -> None:
    assert read(NAMES + "image: {build_args: {TASKS: '${env:TASKS}'}}\n").settings.image.build_args == {"TASKS": "2"}
    assert read("cluster: ${env:TASKS}\nservice: s\n").settings.cluster == "2"


def test_what_else_looks_like_a_placeholder_is_left_alone(read: Read) -> None:
    text = NAMES + "image: {build_args: {A: '$${env:TASKS}', B: '${HOME}', C: '$(date)', D: '${other:x}'}}\n"
    assert list(read(text).settings.image.build_args.values()) == ["${env:TASKS}", "${HOME}", "$(date)", "${other:x}"]


def test_names_that_follow_from_others_follow_from_what_was_looked_up(read: Read) -> None:
    settings = read("app: shop${env:TASKS}\n", "prd").settings
    assert (settings.cluster, settings.service, settings.image.repository) == ("shop2-prd", "shop2", "shop2")


def test_an_overlay_that_replaces_a_look_up_leaves_it_alone(read: Read, known: Known) -> None:
    assert read(NAMES + "region: x${ssm:/none}\nenvironments: {prd: {region: eu-west-1}}\n", "prd").settings.region
    assert known.asked == []


def test_a_secret_goes_to_ecs_by_its_arn_and_to_a_check_by_its_text(read: Read, known: Known) -> None:
    text = NAMES + HEADERS + "provision: {containers: {app: {secrets: {DB: '${secret:db}:url::'}}}}\n"
    settings = read(text).settings
    assert settings.provision.containers["app"].secrets == {"DB": f"{ARN}:url::"}
    assert settings.canary.checks[0].http.headers == {"Token": "hush"}
    assert known.asked == ["probe#", "db"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "region: eu\nimage:\n  context: ${env:NONE}\n",
            "5: image.context: ${env:NONE}: NONE is not set; set it, or give a default: ${env:NONE:-…}",
        ),
        ("canary:\n  bake: ${ssm:/none}\n", "4: canary.bake: ${ssm:/none}: there is none"),
        ("canary:\n  tasks: ${env:WORD}\n", "4: canary.tasks: a whole number is expected, not '${env:WORD}'"),
        (
            "canary:\n  bake: ${env:TASKS}\n",
            "4: canary.bake: '${env:TASKS}' is not a duration; write 300ms, 90s, 5m or 1h",
        ),
        ("region: ${ssm:/region}\n", "3: region: ${ssm:…} cannot stand here: AWS is asked with it"),
        (
            "image: {context: '${cfn:Output}'}\n",
            "3: image.context: ${cfn:Output}: this is not a look-up; write ${cfn:STACK.Output}",
        ),
        (
            "image: {build_args: {A: '${secret:db}'}}\n",
            f"3: image.build_args.A: ${{secret:db}}: {NOWHERE_ELSE}",
        ),
    ],
)
def test_one_that_fails_is_told_in_one_line_with_its_place(read: Read, text: str, line: str) -> None:
    assert told(read, NAMES + text) == line


def test_a_command_asks_for_nothing_in_sections_that_it_has_no_use_for(read: Read, known: Known) -> None:
    text = NAMES + HEADERS + "image: {context: '${ssm:/none}'}\nrollback: {drain: '${ssm:/bake}'}\n"
    settings = read(text, unused=("canary", "image")).settings
    assert (settings.canary.checks, settings.rollback.drain, known.asked) == ((), 420, ["/bake"])
    assert read(NAMES + "canary: {tasks: 3}\n", unused=("canary",)).settings.canary.tasks == 3


def test_config_shows_the_look_up_and_its_line_and_not_what_it_found(read: Read) -> None:
    config = read(NAMES + HEADERS + "promote:\n  stalled_after: ${ssm:/bake}\n")
    shown = {setting.key: (setting.value, setting.line) for setting in settings_of(config)}
    assert shown["promote.stalled_after"] == ("${ssm:/bake}", 5)
    assert shown["canary.checks.0.http.headers.Token"] == ("${secret:probe}", 3)
    assert "hush" not in str(shown)


@given(st.text(alphabet="${}:-envsmcft /.#A", max_size=60))
def test_any_text_is_filled_in_or_refused_by_its_look_up(text: str) -> None:
    lookups = Lookups(EnvironmentSource({"A": "1"}))
    try:
        found, written = lookups.filled({"x": text}, lambda _place, what: what)
    except InvalidInput:
        found, written = {"x": text}, {("x",): text}
    assert isinstance(found["x"], str)
    assert found["x"] == text or written == {("x",): text}
