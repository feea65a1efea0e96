"""A list in parts: many operations of AWS take so many things at once and no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(things: Sequence[T], most: int) -> Iterator[list[T]]:
    """The things in their order, `most` in each part; nothing for none. (itertools.batched needs Python 3.12.)"""
    for start in range(0, len(things), most):
        yield list(things[start : start + most])
