"""Where a service may be sent back to: a revision or a release by name, registered anew when it was deregistered."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.release import Revision, Service
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps import copies
from ecs_pipeline.steps.revision import Base, from_file
from ecs_pipeline.task_definitions import definition, definition_file, previous_definition

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

    def wanted(self, run: Run) -> copies.Wanted:
        """The revision to be registered."""
        ours = {
            release_tags.SOURCE: self.source,
            release_tags.RESTORES: self.restores,
            release_tags.RELEASE: self.release,
        }
        return copies.Wanted(
            f"made from {self.base.file}",
            self.base.definition,
            {**self.base.tags, **{key: value for key, value in ours.items() if value}},
            release_tags.SOURCE,
            lambda found: definition.made_of(self.base.definition, found.definition, run.definitions.read_only_members),
        )

    def changes(self, run: Run, label: str) -> list[str]:
        """What is to be done, a line each."""
        found = copies.existing(run, self.wanted(run))
        if found:
            return [f"update {label} to {Revision(found).name}, which was registered from {self.base.file}"]
        return [f"register a revision of {self.base.family} from {self.base.file}", f"update {label} to it"]


Target = str | FromFile


def family_of(target: Target) -> str:
    """The family that the service would run afterwards."""
    return target.base.family if isinstance(target, FromFile) else Revision(target).family


def resolve(run: Run, seen: Snapshot, wanted: str) -> Target:
    """What `--to` means: an ARN, FAMILY:NUMBER, NUMBER, the id of a release, or a FILE. Raises InvalidInput."""
    current = Revision(seen.service.revision)
    if wanted.lower().endswith(FILES):
        return _file(run, seen.service, Path(wanted))
    if wanted.startswith("arn:"):
        return run.definitions.get(wanted).revision.arn
    family, _, number = wanted.rpartition(":")
    if number.isdecimal() and number.isascii():
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
    tags = {tag["key"]: tag.get("value", "") for tag in document.get("tags") or ()}
    arn = str(document.get("taskDefinitionArn", ""))
    return FromFile(base, arn if arn.partition(":task-definition/")[2] else "", tags.get(release_tags.RELEASE, ""))


def usable(run: Run, target: Target) -> str:
    """The revision to send the service to: as it is, or registered when it was deregistered or comes from a file."""
    if isinstance(target, FromFile):
        file = target.base.file
        return copies.registered(
            run, target.wanted(run), f"register a revision of {target.base.family} from {file}", f"register {file}"
        )
    return target if run.definitions.revision(target).active else copies.registered_anew(run, target)
