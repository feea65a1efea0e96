"""The CloudFormation template of an environment: the package's own, or one that the config names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ecs_pipeline import documents
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.stacks import Change

OURS = "environment.yml"


@dataclass(frozen=True)
class Template:
    """A template's text, and what it takes and makes: parameters by name, types of resources by theirs."""

    text: str
    parameters: tuple[str, ...]
    resources: Mapping[str, str]

    def refuse_unknown(self, given: Mapping[str, object]) -> None:
        """Parameters of the config that the template does not have. Raises InvalidInput."""
        for key in given:
            if key not in self.parameters:
                raise InvalidInput(
                    f"provision.parameters.{key}: the template has no such parameter"
                    f"{documents.closest(key, self.parameters)}",
                    cure=f"it has {', '.join(self.parameters)}",
                )

    def additions(self) -> list[Change]:
        """What a new stack would be: a change set would need an empty stack first."""
        return [Change("Add", name, kind) for name, kind in sorted(self.resources.items())]


def read(folder: Path, own: str) -> Template:
    """The template `own` in the config's folder, the package's when that is ''. Raises InvalidInput."""
    text = _text(folder / own) if own else resources.files("ecs_pipeline.resources").joinpath(OURS).read_text("utf-8")
    document = documents.parse_yaml(text, own or OURS)
    if not isinstance(document, Mapping) or not isinstance(document.get("Resources"), Mapping):
        raise InvalidInput(f"{own or OURS}: not a CloudFormation template", cure="a map with Resources is expected")
    kinds = {str(name): str((one or {}).get("Type", "")) for name, one in document["Resources"].items()}
    return Template(text, tuple(sorted(document.get("Parameters") or {})), kinds)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "") or "not UTF-8 text"
        raise InvalidInput(f"{path}: {why}", cure="check provision.template") from error
