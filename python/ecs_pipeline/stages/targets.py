"""Where a service may be sent back to: a revision or a release by name, registered anew when it was deregistered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecs_pipeline import definition, definition_file, marks, previous_definition
from ecs_pipeline.errors import AnswerLost, InvalidInput, Refused
from ecs_pipeline.look import Look
from ecs_pipeline.model import Revision, Service
from ecs_pipeline.run import Run
from ecs_pipeline.steps.revision import Base, from_file

FILES = (".json", ".yml", ".yaml")
LISTED = 100
"""So many of the newest revisions are searched for a release."""


@dataclass(frozen=True)
class FromFile:
    """What `--to FILE` means: a definition to be registered; `restores` is the revision that it says it is of."""

    base: Base
    restores: str
    release: str

    @property
    def source(self) -> str:
        """What tells it from every other definition: a run after a death takes what the first one registered."""
        text = json.dumps([self.base.definition, self.base.tags], sort_keys=True, default=str)
        return f"file {hashlib.sha256(text.encode()).hexdigest()}"

    def changes(self, label: str) -> list[str]:
        """What is to be done, a line each."""
        return [f"register a revision of {self.base.family} from {self.base.file}", f"update {label} to it"]


Target = str | FromFile


def family_of(target: Target) -> str:
    """The family that the service would run afterwards."""
    return target.base.family if isinstance(target, FromFile) else Revision(target).family


def resolve(run: Run, seen: Look, wanted: str) -> Target:
    """What `--to` means: an ARN, FAMILY:NUMBER, NUMBER, the id of a release, or a FILE. Raises InvalidInput."""
    current = Revision(seen.service.revision)
    if wanted.lower().endswith(FILES):
        return _file(run, seen.service, Path(wanted))
    if wanted.startswith("arn:"):
        return run.definitions.get(wanted).revision.arn
    family, _, number = wanted.rpartition(":")
    if number.isdigit():
        arn = f"{current.arn.rpartition('/')[0]}/{family or current.family}:{number}"
        if family or run.definitions.exists(arn):
            return run.definitions.get(arn).revision.arn
    for status in ("ACTIVE", "INACTIVE"):
        for arn in run.definitions.revisions(current.family, status, LISTED):
            if run.definitions.revision(arn).release == wanted:
                return arn
    raise InvalidInput(
        f"no revision of {current.family} among the newest {LISTED} belongs to release {wanted}",
        cure="give the revision: FAMILY:NUMBER",
    )


def _file(run: Run, service: Service, path: Path) -> FromFile:
    if not path.is_file():
        raise InvalidInput(f"{path}: no such file", cure="give a revision, a release, or the path of a definition")
    current = run.definitions.get(service.revision)
    base = from_file(run, path, current, service)
    hidden = previous_definition.hidden_in(base.definition)
    if hidden:
        raise InvalidInput(
            f"{path}: values are still to be written in: {', '.join(hidden)}",
            cure=f"`aws ecs describe-task-definition --task-definition {current.revision.name}` has those of now",
        )
    document = definition_file.read(path, run.definitions.members, run.definitions.type_of, run.lookups)
    tags = {one["key"]: one.get("value", "") for one in document.get("tags") or ()}
    arn = str(document.get("taskDefinitionArn", ""))
    return FromFile(base, arn if arn.partition(":task-definition/")[2] else "", tags.get(marks.RELEASE, ""))


def usable(run: Run, target: Target) -> str:
    """The revision to send the service to: as it is, or registered when it was deregistered or comes from a file."""
    if isinstance(target, FromFile):
        return _registered(run, target)
    return target if run.definitions.revision(target).active else registered_anew(run, target)


def _registered(run: Run, target: FromFile) -> str:
    """The revision of a file; the one that an earlier process registered is taken."""
    family = target.base.family
    ours = {marks.SOURCE: target.source, marks.RESTORES: target.restores, marks.RELEASE: target.release}
    tags = {**target.base.tags, **{key: value for key, value in ours.items() if value}}
    found = _tagged(run, family, marks.SOURCE, target.source)
    if found:
        return found
    run.recorder.progress(f"register a revision of {family} from {target.base.file}")
    return _register(run, target.base.definition, tags, (marks.SOURCE, target.source), f"register {target.base.file}")


def refuse_lost(run: Run, arn: str) -> None:
    """A revision to return to that was deregistered and that AWS does not describe any more. Raises Refused."""
    if _tagged(run, Revision(arn).family, marks.RESTORES, arn) or run.definitions.exists(arn):
        return
    name = Revision(arn).name
    raise Refused(
        f"{name}, to which the service is to return, was deregistered, and AWS describes it no more",
        cure="`rollback --to FILE`: the reports of its promotion have it as promote.previous-task-definition.json; "
        "or `rollback --to` another revision",
    )


def registered_anew(run: Run, arn: str) -> str:
    """A copy of a revision that somebody deregistered; the one that an earlier process made is taken."""
    found = _tagged(run, Revision(arn).family, marks.RESTORES, arn)
    if found:
        return found
    refuse_lost(run, arn)
    old = run.definitions.get(arn)
    run.recorder.progress(f"{old.revision.name} was deregistered: it is registered anew")
    given = definition.without(old.definition, run.definitions.read_only_members)
    plain = {key: value for key, value in given.items() if value is not None}
    release = old.tags.get(marks.RELEASE, "")
    tags = {**marks.theirs(old.tags), marks.RESTORES: arn, **({marks.RELEASE: release} if release else {})}
    return _register(run, plain, tags, (marks.RESTORES, arn), f"register {old.revision.name} anew")


def _register(run: Run, plain: Mapping[str, Any], tags: Mapping[str, str], known_by: tuple[str, str], what: str) -> str:
    """RegisterTaskDefinition; when no answer came, what it may have made is looked for by its tag."""
    try:
        with run.recorder.noting(what):
            return run.definitions.register(plain, tags).revision.arn
    except AnswerLost:
        run.clock.sleep(2)
        again = _tagged(run, str(plain["family"]), *known_by)
        if again:
            return again
        raise


def _tagged(run: Run, family: str, key: str, value: str) -> str:
    """One of the newest ACTIVE revisions of a family that has a tag; '' when none has."""
    for arn in run.definitions.revisions(family, "ACTIVE", 10):
        if run.definitions.get(arn).tags.get(key) == value:
            return arn
    return ""
