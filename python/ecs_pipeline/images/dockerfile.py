"""What a Dockerfile is built from: the registries of its base images, as far as they can be told without building."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.images import references

SCRATCH = "scratch"
INSTRUCTION = re.compile(r"\s*(FROM|ARG|COPY)\s+(.*)", re.IGNORECASE)
NAMED_STAGE = re.compile(r"\s+AS\s+(\S+)\s*$", re.IGNORECASE)
FROM_FLAG = re.compile(r"--from=(\S+)")
VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?[^}]*\}|(\w+))")


def registries(text: str, arguments: Mapping[str, str]) -> list[str]:
    """The registries that its images come from, each once, in order; what cannot be told is left out."""
    known: dict[str, str] = {}
    stages: set[str] = set()
    found: dict[str, None] = {}
    for line in re.sub(r"[\\`]\r?\n", " ", text).splitlines():
        instruction = INSTRUCTION.fullmatch(line.rstrip())
        if not instruction:
            continue
        name, rest = instruction[1].upper(), instruction[2]
        if name == "ARG":
            key, _, default = rest.strip().partition("=")
            known[key] = arguments.get(key, _filled(default.strip("\"'"), known))
            continue
        for image in _images(name, rest):
            registry = _registry(_filled(image, known), stages)
            found.update({registry: None} if registry else {})
        stage = NAMED_STAGE.search(rest) if name == "FROM" else None
        stages |= {stage[1].lower()} if stage else set()
    return list(found)


def _images(name: str, rest: str) -> list[str]:
    if name == "COPY":
        return FROM_FLAG.findall(rest)
    return [word for word in rest.split() if not word.startswith("--")][:1]


def _registry(image: str, stages: set[str]) -> str:
    if image.lower() in stages or image == SCRATCH or image.isdigit():
        return ""
    try:
        return references.parse(image).registry
    except InvalidInput:
        return ""


def _filled(text: str, known: Mapping[str, str]) -> str:
    """The text with its variables filled in."""
    return VARIABLE.sub(lambda found: known.get(found[1] or found[3]) or found[2] or "", text)
