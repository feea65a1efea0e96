"""What tests of wrong configs share."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[..., list[str]]
NAMES = "cluster: c\nservice: s\n"
NO_CACHE = "this is not a cache; write type=registry,ref=REPOSITORY:TAG, type=inline or type=local,…"
