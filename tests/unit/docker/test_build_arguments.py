"""Build arguments, labels and secrets: given to the builder, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecs_pipeline.errors import Trouble
from ecs_pipeline.images.build import Secret
from tests.unit.docker.buildx import build, defined, given, stand_in


def test_a_secret_that_the_build_prints_is_hidden(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_TOKEN", "npm-s3cret")
    (folder / "rc").write_text("{\n//registry:_authToken=file-s3cret\n}\n")
    (folder / "pin").write_text("4711\n")
    stand_in(folder, "echo '{ npm-s3cret //registry:_authToken=file-s3cret 4711 }'; exit 3")
    secrets = {
        "npm": Secret(variable="NPM_TOKEN"),
        "rc": Secret(file=folder / "rc"),
        "pin": Secret(file=folder / "pin"),
    }
    with pytest.raises(Trouble) as caught:
        build(folder, secrets=secrets)
    assert caught.value.evidence == ("{ *** *** *** }",)


def test_values_of_build_arguments_are_neither_in_the_argument_list_nor_in_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "outside-value")
    stand_in(folder)
    build(folder, arguments={"TOKEN": "hunter2", "FROM_OUTSIDE": None})
    assert defined(folder)["args"] == {"TOKEN": "hunter2", "FROM_OUTSIDE": "outside-value"}
    arguments, environment = given(folder)
    said = " ".join([*arguments, *environment, *environment.values()])
    assert "hunter2" not in said
    assert "outside-value" not in said


def test_build_arguments_do_not_change_docker_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They were docker's own environment: `PATH: ./bin` ran a program of the workspace, DOCKER_HOST led elsewhere."""
    hostile = {"PATH": "./bin", "LD_PRELOAD": "/evil.so", "DOCKER_HOST": "tcp://evil:1", "AWS_PROFILE": "evil"}
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    stand_in(folder)
    build(folder, arguments=hostile)
    assert defined(folder)["args"] == hostile
    environment = given(folder)[1]
    assert environment["DOCKER_HOST"] == "tcp://127.0.0.1:1"
    assert environment["PATH"] == f"{folder / 'bin'}:/usr/bin:/bin"
    assert not {"LD_PRELOAD", "AWS_PROFILE"} & set(environment)


def test_variables_that_docker_needs_itself_stay_where_they_are_arguments_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    stand_in(folder)
    build(folder, arguments={"HTTPS_PROXY": None})
    assert (defined(folder)["args"]["HTTPS_PROXY"], given(folder)[1]["HTTPS_PROXY"]) == (2 * ("http://proxy:3128",))


def test_values_are_no_templates_of_bake(folder: Path) -> None:
    stand_in(folder)
    build(folder, arguments={"A": "${HOME} %{if} $$ $x {}", "B": "$${x} $", "C": 'line\n"quoted" \\'})
    assert defined(folder)["args"] == {
        "A": "$${HOME} %%{if} $$ $x {}",
        "B": "$$${x} $",
        "C": 'line\n"quoted" \\',
    }


def test_labels_are_given_to_the_command(folder: Path) -> None:
    stand_in(folder)
    labels = {"ecs-pipeline.service": "prd/web", "org.opencontainers.image.revision": "ab12cd3"}
    build(folder, labels=labels)
    assert defined(folder)["labels"] == labels


def test_an_argument_without_a_value_anywhere_leaves_the_dockerfiles_default(folder: Path) -> None:
    stand_in(folder)
    build(folder, arguments={"NOWHERE_TO_BE_FOUND": None})
    assert defined(folder)["args"] == {}


@pytest.mark.parametrize(
    ("value", "printed", "told"),
    [
        ("hunter2", "the token is hunter2.", "the token is ***."),
        ("prd", "prd: stage prd-1, approdprd, prd", "***: stage ***-1, approdprd, ***"),
        ("1", "#1 [1/12] v1.10", "#*** [***/12] v1.10"),
        ("-----BEGIN KEY-----\nMIIBOgIBAAJBAK\nab\n", "x MIIBOgIBAAJBAK y", "x *** y"),
        ("-----BEGIN KEY-----\nMIIBOgIBAAJBAK\nab\n", "-----BEGIN KEY----- ab abc", "*** *** abc"),
        ("a.c", "abc a.c", "abc ***"),
    ],
)
def test_a_value_from_the_environment_is_not_told_when_the_dockerfile_prints_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str, printed: str, told: str
) -> None:
    monkeypatch.setenv("TOKEN", value)
    (folder / "printed").write_text(printed)
    stand_in(folder, f"cat {folder}/printed; exit 1")
    with pytest.raises(Trouble) as caught:
        build(folder, arguments={"TOKEN": None})
    assert caught.value.evidence == (told,)


def test_a_value_that_begins_like_another_leaves_nothing_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHORT", "hunter2")
    monkeypatch.setenv("LONG", "hunter2-and-more")
    stand_in(folder, "echo hunter2-and-more hunter2")
    assert build(folder, arguments={"SHORT": None, "LONG": None})[-1] == "*** ***"
