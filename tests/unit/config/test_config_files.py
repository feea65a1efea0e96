"""What is told of a config file: keys that stand twice, broken YAML, environments, secrets that stay hidden."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecs_pipeline.config.load import load
from ecs_pipeline.errors import InvalidInput
from tests.unit.config.mistakes import Tell


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("canary:\n  tasks: 1\n  tasks: 2\n", 3),
        ("app: a\napp: b\n", 2),
        ("environments:\n  prd: {}\n  prd: {}\n", 3),
    ],
)
def test_a_key_that_stands_twice_is_told_at_its_second_place(told: Tell, text: str, line: int) -> None:
    (told_line,) = told(text)
    assert told_line.startswith(f"c.yml:{line}: found duplicate key ")


def test_the_value_of_a_key_that_stands_twice_is_not_shown(told: Tell) -> None:
    (line,) = told("image:\n  build_args:\n    TOKEN: hunter2\n    TOKEN: hunter3\n")
    assert "TOKEN" in line
    assert "hunter" not in line


@pytest.mark.parametrize(
    ("text", "line"),
    [("app: [a\nregion: b\n", 2), ("app: 'a\n", 2), ("a: b: c\n", 1), ("app: *nothing\n", 1), ("a: 1\n--- \nb: 2", 2)],
)
def test_broken_yaml_is_told_with_its_line(told: Tell, text: str, line: int) -> None:
    (told_line,) = told(text)
    assert told_line.startswith(f"c.yml:{line}: ")
    assert told_line.endswith("; correct the YAML there")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"app: \xff\xfe", "c.yml: not UTF-8 text; save the file as UTF-8"),
        (b"- a\n- b", "c.yml: a config is a map of keys, found a list; see docs/configuration.md"),
        (b"just words", "c.yml: a config is a map of keys, found plain text; see docs/configuration.md"),
    ],
)
def test_a_file_that_is_no_map_is_told(told: Tell, content: bytes, line: str) -> None:
    assert told(content) == [line]


def test_a_control_character_is_told(told: Tell) -> None:
    (line,) = told(b"app: \x01")
    assert line.startswith("c.yml: unacceptable character #x0001")


@pytest.mark.parametrize("name", ["gone.yml", "folder"])
def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    with pytest.raises(InvalidInput, match=rf"^{name}: .*; check --config$"):
        load(name, "", {})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "environments: {staging: {}, prd: {}}",
            "c.yml:1: no environment stagin (did you mean staging?); use one of: staging, prd",
        ),
        ("app: a\nenvironments: {prd: {}}", "c.yml:2: no environment stagin; use one of: prd"),
        (
            "environments: [stagin]",
            "c.yml:1: environments: a map of names is expected; write `environments: {prd: {…}}`",
        ),
        ("environments: {2024: {}, 7: {}}", "c.yml:1: no environment stagin; use one of: 2024, 7"),
        ("environments:\n  stagin: 5m", "c.yml:2: environments.stagin: a map of keys is expected"),
    ],
)
def test_an_environment_that_there_is_not_is_told_with_those_there_are(told: Tell, text: str, line: str) -> None:
    assert told(text, "stagin") == [line]


KEYS = st.sampled_from(["app", "cluster", "service", "canary", "image", "steps", "tasks", "percent", "bake", "drain"])
WORDS = st.text("abcdefg_-. ", min_size=1, max_size=3)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | WORDS, inner, max_size=5),
    max_leaves=10,
)


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(document=st.dictionaries(KEYS, DOCUMENTS, max_size=6))
def test_whatever_a_config_holds_it_is_read_or_refused_in_single_lines(tmp_path: Path, document: Any) -> None:
    file = tmp_path / "c.yml"
    file.write_text(json.dumps({"cluster": "c", "service": "s", **document}))
    try:
        load(str(file), "", {})
    except InvalidInput as error:
        lines = [str(error), *error.evidence]
        assert all(line.startswith(f"{file}:1: ") and "\n" not in line for line in lines)


SECRETS = [
    "canary: {checks: [{http: {headers: {X-Key: [hunter2]}}}]}",
    "image: {build_args: {TOKEN: [hunter2]}}",
    "image: {build_args: {TOKEN: hunter2, TOKEN: hunter2}}",
    "image: {build_args: {TOKEN: hunter2}, build_arg: 1}",
    "provision: {parameters: {Password: {a: hunter2}}}",
    "canary: {checks: [{http: {headers: {X-Key: hunter2}, port: no}}]}",
    "canary: {checks: [{http: 'http://ann:hunter2@host/'}]}",
    "canary: {checks: [{http: {via: load-balancer, url: 'ftp://ann:hunter2@host/?k=hunter2'}}]}",
    "canary: {checks: [{http: {via: load-balancer, url: ['http://ann:hunter2@host/']}}]}",
]


@pytest.mark.parametrize("line", SECRETS)
def test_no_secret_is_shown_not_even_in_a_traceback(tmp_path: Path, line: str) -> None:
    (tmp_path / "ecs-pipeline.yml").write_text(f"cluster: c\nservice: s\n{line}\n")
    with pytest.raises(InvalidInput) as caught:
        load(str(tmp_path / "ecs-pipeline.yml"), "", {})
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in str([caught.value.evidence])
