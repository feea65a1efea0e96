"""What somebody must have meant by a word that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

SHORTEST_BEGINNING = 3
ALIKE = 0.65
OTHER_NAMES = {
    "env": ("environment",),
    "stage": ("environment",),
    "pattern": ("filter",),
    "count": ("tasks",),
    "instances": ("tasks",),
    "replicas": ("tasks",),
    "weight": ("percent",),
    "traffic": ("percent",),
    "timeout": ("healthy_within", "stable_within"),
    "duration": ("bake",),
    "url": ("path",),
    "tag": ("image",),
    "docker_file": ("dockerfile",),
    "args": ("build_args",),
    "threshold": ("at_most", "failures"),
}
"""What others call things, and our words for them."""


def closest(word: str, known: Sequence[str]) -> str:
    """` (did you mean X?)` or ''."""
    near = nearest(word, known)
    return f" (did you mean {near}?)" if near else ""


def nearest(word: str, known: Sequence[str]) -> str:
    """The known word that must be meant: another name of it, the one that begins so, the most alike; '' for none."""
    meant = [name for name in OTHER_NAMES.get(word.lower(), ()) if name in known]
    begun = [name for name in known if len(word) >= SHORTEST_BEGINNING and name.startswith(word.lower())]
    alike = difflib.get_close_matches(word, known, n=1, cutoff=ALIKE)
    return next(iter([*meant, *begun, *alike]), "")
