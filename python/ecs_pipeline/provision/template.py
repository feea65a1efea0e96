"""The CloudFormation template of an environment: the package's own, or one that the config names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from ecs_pipeline.documents import suggestions, yaml
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.stacks import Change
from ecs_pipeline.provision.conditions import present

OURS = "environment.yml"
MOST_BYTES = 51_200
"""Of a template that is handed over as text (CreateChangeSet, TemplateBody)."""
NAMES = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}
"""The members by which IAM resources get names of their own, which CloudFormation wants to be allowed to give."""
IAM, NAMED_IAM, AUTO_EXPAND = "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"
CURE = "check provision.template"
IMAGE = "Image"
"""The parameter that takes the app's image; while it is empty there is no service yet."""


@dataclass(frozen=True)
class Template:
    """A template's text, and what it takes and makes: parameters by name, types of resources by theirs.

    `packaged`: it is the package's, whose parameters `provision` knows.
    """

    text: str
    name: str
    parameters: tuple[str, ...]
    resources: Mapping[str, str]
    body: Mapping[str, Any]
    packaged: bool = False

    @property
    def defaults(self) -> dict[str, str]:
        """The defaults of its parameters, as CloudFormation takes values."""
        definitions = self.body.get("Parameters") or {}
        return {
            str(key): str(parameter["Default"])
            for key, parameter in definitions.items()
            if "Default" in (parameter or {})
        }

    @property
    def takes_image(self) -> bool:
        """Whether it makes a service that wants an image; one of the user's own need not."""
        return IMAGE in self.parameters

    def refuse_unfit(self, capabilities: Collection[str]) -> None:
        """A template that CloudFormation does not take, or not with these capabilities. Raises InvalidInput."""
        size = len(self.text.encode())
        if size > MOST_BYTES:
            raise InvalidInput(
                f"{self.name}: {size:,} bytes; CloudFormation takes templates of {MOST_BYTES:,} at most",
                cure="leave comments out, or move parts of it into a stack of their own",
            )
        missing = next((needed for needed in self._needed() if needed[0] not in capabilities), None)
        if missing:
            raise InvalidInput(
                f"{self.name}: {missing[1]}, so CloudFormation wants {missing[0]}",
                cure=f"allow it: `provision: {{capabilities: [{', '.join(sorted({*capabilities, missing[0]}))}]}}`",
            )

    def _needed(self) -> Iterator[tuple[str, str]]:
        """The capabilities that CloudFormation wants for it, each with the reason; NAMED_IAM means IAM too."""
        for resource, kind in self.resources.items():
            body = self.body["Resources"].get(resource)
            properties = body.get("Properties") if isinstance(body, Mapping) else None
            named = isinstance(properties, Mapping) and NAMES.get(kind, "") in properties
            if named:
                yield NAMED_IAM, f"{resource} ({kind}) has a name of its own"
        if "Transform" in self.body or "Fn::Transform" in self.text:
            yield AUTO_EXPAND, "it uses a macro (Transform)"

    def refuse_unknown(self, given: Mapping[str, object]) -> None:
        """Parameters of the config that the template does not have. Raises InvalidInput."""
        for key in given:
            if key not in self.parameters:
                raise InvalidInput(
                    f"provision.parameters.{key}: the template has no such parameter"
                    f"{suggestions.closest(key, self.parameters)}",
                    cure=f"it has {', '.join(self.parameters)}",
                )

    def additions(self, values: Mapping[str, str]) -> list[Change]:
        """What a new stack would be: a change set would need an empty stack first."""
        return self.changes(replace(self, body={"Resources": {}}, resources={}), {}, values)

    def changes(self, old: Template, before: Mapping[str, str], values: Mapping[str, str]) -> list[Change]:
        """What this template and these values may change in a stack that the old one made of `before`.

        A change set would know it exactly, and would be something written.
        """
        touched = {name for name in values if values[name] != before.get(name)}
        there, wanted = present(old.body, before), present(self.body, values)
        for section in ("Conditions", "Mappings"):
            mine, theirs = (template.body.get(section) or {} for template in (self, old))
            touched |= {name for name in mine if _mentioned(mine[name]) & touched or not _same(mine, theirs, name)}
        found = []
        for name, kind in sorted({**old.resources, **self.resources}.items()):
            mine, theirs = self.body["Resources"], old.body["Resources"]
            if name not in there and name not in wanted:
                continue
            if name not in there or name not in wanted:
                found.append(Change("Add" if name in wanted else "Remove", name, kind))
            elif not _same(mine, theirs, name) or _mentioned(mine[name]) & touched:
                found.append(Change("Modify", name, kind))
        return found


def read(folder: Path, own: str) -> Template:
    """The template `own` in the config's folder, the package's when that is ''. Raises InvalidInput."""
    return parse(yaml.read_text(folder / own, CURE, CURE), own) if own else packaged()


@cache
def packaged() -> Template:
    """The package's own template; it is large, so it is parsed once."""
    text = resources.files("ecs_pipeline.resources").joinpath(OURS).read_text("utf-8")
    return replace(parse(text, OURS), packaged=True)


def parse(text: str, name: str) -> Template:
    """A template of that text; `name` is where it comes from. Raises InvalidInput."""
    document = yaml.parse_yaml(text, name)
    if not isinstance(document, Mapping) or not isinstance(document.get("Resources"), Mapping):
        raise InvalidInput(f"{name}: not a CloudFormation template", cure="a map with Resources is expected")
    parts = {str(key): body if isinstance(body, Mapping) else {} for key, body in document["Resources"].items()}
    kinds = {key: str(body.get("Type", "")) for key, body in parts.items()}
    return Template(text, name, tuple(sorted(document.get("Parameters") or {})), kinds, document)


def _same(mine: Mapping[str, Any], theirs: Mapping[str, Any], name: str) -> bool:
    return bool(_plain(mine.get(name)) == _plain(theirs.get(name)))


def _plain(value: Any) -> Any:
    """A value of the document to compare: comments, quotes and styles make no difference, tags (`!Ref`) do."""
    tag = str(getattr(getattr(value, "tag", None), "value", ""))
    if isinstance(value, Mapping):
        return tag, {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return tag, [_plain(item) for item in value]
    return tag, str(getattr(value, "value", value))


def _mentioned(value: Any) -> set[str]:
    """The names in a part of a template: what it refers to is among them."""
    if isinstance(value, Mapping):
        return {name for item in value.values() for name in _mentioned(item)}
    if isinstance(value, list):
        return {name for item in value for name in _mentioned(item)}
    return set(re.findall(r"\w+", str(getattr(value, "value", value))))
