"""docs/aws-fidelity.md: the tests that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "aws-fidelity.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("file", "name"), sorted(set(re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", PAGE))))
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    functions = re.findall(r"^def (test_\w+)", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert any(name in function for function in functions), f"{file} has no test with {name} in its name"


def test_every_statement_has_a_place_and_a_test_or_says_that_it_has_none() -> None:
    rows = [row.split("|")[1:-1] for row in PAGE.splitlines() if row.startswith("| ") and not row.startswith("| ---")]
    assert len(rows) > 20
    for statement, place, held_by in (row for row in rows if "statement" not in row[0]):
        assert place.strip(), statement
        assert ".py" in held_by or "make check" in held_by or held_by.strip().startswith("nothing"), statement
