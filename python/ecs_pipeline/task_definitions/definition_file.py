"""A task definition from the user's file, checked as far as that goes without AWS."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ecs_pipeline.config.lookups import Blame, Lookups, as_number
from ecs_pipeline.documents.suggestions import closest
from ecs_pipeline.documents.yaml import Place, line_of, read_yaml
from ecs_pipeline.errors import InvalidInput, PipelineError
from ecs_pipeline.model.load_balancing import LoadBalancing

Members = Callable[[Sequence[str]], frozenset[str]]
"""The members that there are at a place, named by keys alone: `("containerDefinitions",)` is any container."""

TypeOf = Callable[[Sequence[str]], str]
"""The type of the member at a place, as AWS' model names it: `string`, `integer`, `boolean` …; '' when unknown."""
NUMBERS = frozenset(("integer", "long", "float", "double", "boolean"))
ALIKE = 0.85
"""That much like a known one, a member deep inside is a typing mistake."""


def read(path: Path, members: Members, type_of: TypeOf, lookups: Lookups) -> dict[str, Any]:
    """A definition as `aws ecs register-task-definition` takes or `describe-task-definition` prints it; JSON or YAML.

    Look-ups are filled in. Read-only members of a description are left out by the caller.
    Raises InvalidInput with the line of a mistake.
    """
    document = read_yaml(path, cure="check task_definition in the config")
    if isinstance(document, Mapping) and isinstance(document.get("taskDefinition"), Mapping):
        tags = {"tags": document["tags"]} if document.get("tags") else {}
        document = document["taskDefinition"]
    else:
        tags = {}
    if not isinstance(document, Mapping) or not isinstance(document.get("containerDefinitions"), list):
        raise InvalidInput(f"{path}: not a task definition", cure="a JSON object with containerDefinitions is expected")
    _refuse_containers(path, document)
    for place, near in _misspelt(document, (), members):
        name = ".".join(str(part) for part in place)
        raise InvalidInput(f"{path}:{line_of(document, place)}: {name}: no such member of a task definition{near}")
    plain: dict[str, Any] = json.loads(json.dumps({**document, **tags}, default=str))
    return _filled(plain, type_of, lookups, partial(_placed, path, document))


def _placed(path: Path, document: Any, place: Place, what: str) -> str:
    line = line_of(document, place)
    return f"{path}{f':{line}' if line else ''}: {'.'.join(str(part) for part in place)}: {what}"


def _filled(plain: dict[str, Any], type_of: TypeOf, lookups: Lookups, blame: Blame) -> dict[str, Any]:
    """The definition with its look-ups filled in; where a number, true or false belongs, it is one."""
    found: dict[str, Any]
    found, written = lookups.filled(plain, blame)
    for place, text in written.items():
        *above, last = place
        if type_of([part for part in place if isinstance(part, str)]) not in NUMBERS:
            continue
        holder: Any = found
        for part in above:
            holder = holder[part]
        number = as_number(holder[last])
        if number is None:
            raise InvalidInput(blame(place, f"what {text} says is not a number, true or false"))
        holder[last] = number
    return found


def nulls(definition: Any, place: str = "") -> Iterator[str]:
    """The members that are null: to AWS they are the same as absent ones, so what a file says there goes."""
    if definition is None:
        yield place
    elif isinstance(definition, Mapping):
        for key, value in definition.items():
            yield from nulls(value, f"{place}.{key}" if place else str(key))
    elif isinstance(definition, list):
        for index, value in enumerate(definition):
            yield from nulls(value, f"{place}.{index}")


def family(path: Path, lookups: Lookups) -> str:
    """The family that a file names; '' when it names none or cannot be read: a rollback does not depend on it."""
    try:
        document = read_yaml(path)
        inner = document.get("taskDefinition", document) if isinstance(document, Mapping) else {}
        named = inner.get("family") if isinstance(inner, Mapping) else ""
        return str(lookups.filled(named, lambda _place, what: what)[0] or "")
    except PipelineError:
        return ""


def refuse_unfit(definition: Mapping[str, Any], balancing: Sequence[LoadBalancing]) -> None:
    """A definition that the service's load balancers find no container or port in. Raises InvalidInput."""
    containers = {str(container["name"]): container for container in definition["containerDefinitions"]}
    for entry in balancing:
        found = containers.get(entry.container)
        if found is None:
            raise InvalidInput(
                f"no container {entry.container}, which the service's load balancer sends requests to",
                cure=f"name it so, not {', '.join(containers)}",
            )
        if not any(_opens(mapping, entry.port) for mapping in found.get("portMappings") or ()):
            raise InvalidInput(
                f"container {entry.container} does not open port {entry.port}, which the service's load balancer "
                "sends requests to",
                cure=f'add "portMappings": [{{"containerPort": {entry.port}}}]',
            )


def _opens(mapping: Mapping[str, Any], port: int) -> bool:
    first, _, last = str(mapping.get("containerPortRange", "")).partition("-")
    within = first.isdigit() and last.isdigit() and int(first) <= port <= int(last)
    return within or mapping.get("containerPort") == port


def _refuse_containers(path: Path, document: Mapping[str, Any]) -> None:
    containers = document["containerDefinitions"]
    if not containers:
        line = line_of(document, ["containerDefinitions"])
        raise InvalidInput(f"{path}:{line}: containerDefinitions: there is no container", cure="add one")
    names: set[str] = set()
    for index, container in enumerate(containers):
        where = f"{path}:{line_of(document, ['containerDefinitions', index])}: containerDefinitions.{index}"
        if not isinstance(container, Mapping) or not isinstance(container.get("name"), str) or not container["name"]:
            raise InvalidInput(f"{where}: a container with a name is expected")
        if container["name"] in names:
            raise InvalidInput(f"{where}: there is a container {container['name']} already", cure="name it otherwise")
        names.add(container["name"])


def _misspelt(value: Any, place: Place, members: Members) -> Iterator[tuple[Place, str]]:
    """Members that there are not, and the ones that must be meant; others may be newer than the installed botocore."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _misspelt(item, (*place, index), members)
    if not isinstance(value, Mapping):
        return
    known = members([part for part in place if isinstance(part, str)])
    for key, item in value.items():
        if known and key not in known:
            near = _nearly(str(key), known) if place else closest(str(key), sorted(known))
            if near:
                yield (*place, str(key)), near
        else:
            yield from _misspelt(item, (*place, str(key)), members)


def _nearly(key: str, known: frozenset[str]) -> str:
    """The known member that differs in a letter or in capitals only."""
    small = {member.lower(): member for member in known}
    found = difflib.get_close_matches(key.lower(), list(small), n=1, cutoff=ALIKE)
    near = found and abs(len(found[0]) - len(key)) <= 1
    return f" (did you mean {small[found[0]]}?)" if near else ""
