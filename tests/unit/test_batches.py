"""Lists in parts of what AWS takes at once."""

from __future__ import annotations

import pytest

from ecs_pipeline.batches import batches


@pytest.mark.parametrize(
    ("count", "parts"), [(0, []), (1, [[0]]), (2, [[0, 1]]), (3, [[0, 1], [2]]), (4, [[0, 1], [2, 3]])]
)
def test_everything_comes_once_in_its_order(count: int, parts: list[list[int]]) -> None:
    assert list(batches(range(count), 2)) == parts
