"""Reading YAML and JSON: whatever a file holds, it is read as it says or refused in one line with its place."""

from __future__ import annotations

import json
import os
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_pipeline.documents import suggestions, yaml
from ecs_pipeline.documents.yaml import as_written, line_of, parse_yaml, read_yaml
from ecs_pipeline.errors import InvalidInput

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
PIECES = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"a"',
    "1",
    "null",
    "a: b",
    "\n",
    "  ",
    "- ",
    "&x ",
    "*x",
    "// c",
    "/* c */",
    "# c",
]
PIECES += ["{{ x }}", "${X}", "? ", "|", "!!int", "%YAML", "---", "\t", "'", '"', "<<: ", "\\", "\u2028"]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=25).map("".join)
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(9 * ['*' + before])}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def refused(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_yaml(text, "f")
    return str(caught.value)


@given(VALUES, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_a_json_document_arrives_as_it_is(value: Any, indent: Any, ascii_only: bool) -> None:  # noqa: FBT001
    document = {"it": value}
    assert parse_yaml(json.dumps(document, indent=indent, ensure_ascii=ascii_only), "f") == document


@given(TEXTS)
def test_any_text_is_a_document_or_bad_input_in_one_line(text: str) -> None:
    try:
        parse_yaml(text, "f")
    except InvalidInput as error:
        assert str(error).startswith("f:")  # noqa: PT017 - either is fine


@given(TEXTS)
def test_no_member_of_what_python_reads_as_json_is_lost(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        return
    try:
        found = parse_yaml(text, "f")
    except InvalidInput:
        return  # keys that stand twice
    if isinstance(expected, dict | list):
        assert found == expected


def test_lines_of_json_are_those_of_its_keys_and_entries() -> None:
    text = '{\n "a":\n  1, "b": {"c": [1,\n 2, {"d": 3}]},\n\n "e": "x\\ny"\n}'
    document = parse_yaml(text, "f")
    places: list[list[str | int]] = [["a"], ["b"], ["b", "c", 0], ["b", "c", 1], ["b", "c", 2, "d"], ["e"]]
    assert [line_of(document, place) for place in places] == [2, 3, 3, 4, 4, 6]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\ufeff", "\u00a0", "\U0001f600"])
def test_a_separator_in_a_value_arrives_unchanged(sign: str) -> None:
    assert parse_yaml(json.dumps({"a": f"x{sign}y"}, ensure_ascii=False), "f") == {"a": f"x{sign}y"}


@pytest.mark.parametrize("text", ['{"v": 1.10}', "v: 1.10"])
def test_a_number_is_known_as_it_is_written(text: str) -> None:
    assert as_written(parse_yaml(text, "f")["v"]) == "1.10"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{\n"a": 1, // the first\n"b": 2}', "f:2: JSON has no comments; remove it; in YAML a comment begins with #"),
        ('{ /* all */ "a": 1}', "f:1: JSON has no comments; remove it; in YAML a comment begins with #"),
        ("{a: 1,\n// x: 3, b: 2}", "f:2: a key begins with //; a comment begins with #"),
        ('{\n"memory": {{ env "MEMORY" "512" }},\n"b": 1}', "f:2: placeholders such as {{ … }} are not filled"),
        ('{\n"memory": ${MEMORY},\n"b": 1}', "f:2: placeholders such as"),
        ('a: 1\nmemory: {{ env "MEMORY" }}\n', "f:2: placeholders such as"),
        ("a: 1\n{% if x %}\nb: 2\n", "f:2: placeholders such as"),
        ("a:\n  ? {b: c}\n  : d\n", "f:1: a map or a list cannot be a key; correct the YAML there"),
        ("[a, b]: c\n", "f:1: a map or a list cannot be a key; correct the YAML there"),
        ('{"a": 1, "a": 2}', 'f:1: found duplicate key "a"; correct the YAML there'),
        ("[" * 5000, "f:1: nested more than 100 levels deep; correct the JSON there"),
        ("a: " + "[" * 1500, "f: nested too deeply; correct the YAML"),  # deeper than Python's stack
        ("a:\n" + "".join(f"{' ' * n}- \n" for n in range(1, 150)), "f: nested too deeply, or its aliases stand for"),
        (BOMB, "f: nested too deeply, or its aliases stand for too much; write it out, without aliases"),
        ("b: 1\na: !!float foo", "f:2: cannot be read as YAML (ValueError); correct the YAML there"),
        ("b: 1\na:\n  - c: 2001-02-30\n", "f:3: cannot be read as YAML (ValueError); correct the YAML there"),
        ("a: 1\x00", "f: unacceptable character"),
    ],
)
def test_what_is_no_document_of_ours_is_told_with_its_place(text: str, line: str) -> None:
    assert refused(text).startswith(line)


def test_nine_lines_of_aliases_are_not_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    real = yaml._entries

    def counting(document: Any) -> Any:
        for entry in real(document):
            looked.append(1)
            yield entry

    monkeypatch.setattr(yaml, "_entries", counting)
    refused(BOMB)
    assert len(looked) <= yaml.MOST_ENTRIES + 2


@pytest.mark.parametrize("text", ["hunter2: &a {b: *a}", "password: hunter2\npassword: hunter2\n", '{"a": "hunter2" x'])
def test_no_value_is_shown_not_even_in_a_traceback(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_yaml("a: 1\n" + text + "\n\t- :", "f")
    assert "hunter2" not in "".join(traceback.format_exception(caught.value)).replace(text, "")


# ---- files


def read(path: Path) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_yaml(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_a_pipe_that_brings_nothing_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "PIPE_WITHIN", 0.2)
    os.mkfifo(tmp_path / "pipe")
    assert read(tmp_path / "pipe") == "nothing came of it within 0.2s; check --config"


def test_a_pipe_may_bring_a_config(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text("a: 1\n" + 30_000 * "# x\n"), daemon=True)
    writer.start()
    assert read_yaml(tmp_path / "pipe") == {"a": 1}
    writer.join()


def test_a_file_is_read_as_far_as_a_config_may_reach(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("#" * (yaml.MOST_BYTES + 1))
    assert read(tmp_path / "large") == "larger than 256 KiB; check --config"
    assert read(Path("/dev/zero")) == "larger than 256 KiB; check --config"


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"\xff\xfea\x00", "not UTF-8 text; save the file as UTF-8"), (None, "Is a directory; check --config")],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, content: bytes | None, why: str) -> None:
    if content is None:
        (tmp_path / "file").mkdir()
    else:
        (tmp_path / "file").write_bytes(content)
    assert read(tmp_path / "file") == why
    assert read(tmp_path / "absent") == "No such file or directory; check --config"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_yaml(tmp_path / "file") == {"a": 1}


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("env", ["region", "environment"], "environment"),
        ("pattern", ["per", "filter"], "filter"),
        ("bakee", ["bake", "tasks"], "bake"),
        ("count", ["tasks", "percent"], "tasks"),
        ("environ", ["region", "environment"], "environment"),
        ("pattern", ["per", "at_most"], ""),
    ],
)
def test_the_word_that_is_meant_is_found(word: str, known: list[str], meant: str) -> None:
    assert suggestions.nearest(word, known) == meant
