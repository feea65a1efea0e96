"""The new revision: the service's current one, or the given file, with only the image changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecs_pipeline.engine.converge import Step
from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import AnswerLost, InvalidInput
from ecs_pipeline.model.release import Image, Revision, Service, TaskDefinition
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.protocol.observe import SCANNED
from ecs_pipeline.steps.deregister import discard
from ecs_pipeline.task_definitions import definition, definition_file
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline, Judgement, Settled, Waiting

REGISTERED_WITHIN = 60.0
LISTED_WITHIN = 4.0
"""Seconds after which a revision whose registration got no answer is taken not to have been registered."""
POLL = 1.0
"""Seconds between two looks for it."""
ATTEMPTS = 4


@dataclass(frozen=True)
class Base:
    """What the new revision is made from; `file` is the config's, '' when it is the service's current one."""

    definition: Mapping[str, Any]
    tags: Mapping[str, str]
    container: str
    file: str = ""

    @property
    def family(self) -> str:
        """The family that the revision joins."""
        return str(self.definition["family"])


def base_of(run: Run, current: TaskDefinition, service: Service, container: str) -> Base:
    """The current revision, or the config's task-definition file, without what only a description has."""
    if run.settings.task_definition:
        base = from_file(run, run.folder / run.settings.task_definition, current, service)
    else:
        base = Base(_registrable(run, current.definition), release_tags.theirs(current.tags), container)
    _refuse_crowded(run, base)
    return base


def _refuse_crowded(run: Run, base: Base) -> None:
    """More tags than leave room for ours. Raises InvalidInput."""
    ours = (
        len((release_tags.RELEASE, release_tags.EPOCH, release_tags.PROMOTED))
        + bool(run.origin.commit)
        + bool(run.origin.build)
    )
    if len(base.tags) + ours > release_tags.MOST_TAGS:
        raise InvalidInput(
            f"{base.file or f'task definition {base.family}'}: it has {len(base.tags)} tags; "
            f"ECS allows {release_tags.MOST_TAGS}, and {ours} of them are needed here",
            cure="remove some",
        )


def from_file(run: Run, path: Path, current: TaskDefinition, service: Service) -> Base:
    """A file's definition, checked before anything is written; without tags or a family it has the current ones."""
    whole = definition_file.read(path, run.definitions.members, run.definitions.type_of, run.lookups)
    dropped = list(definition_file.nulls(definition.without(whole, run.definitions.read_only_members)))
    if dropped:
        run.recorder.progress(f"{path}: null and so left out: {', '.join(dropped)}")
    plain = _registrable(run, whole)
    plain = {**plain, "family": plain.get("family") or current.revision.family}
    problem = run.definitions.problem(plain)
    if problem:
        raise InvalidInput(f"{path}: {problem}", cure="write it as `aws ecs register-task-definition` takes it")
    tags = {tag.get("key", ""): tag.get("value", "") for tag in plain.pop("tags", ())} or current.tags
    if "" in tags:
        raise InvalidInput(f"{path}: tags: each has a key and a value", cure='write [{"key": …, "value": …}]')
    try:
        definition_file.refuse_unfit(plain, service.load_balancing)
        container = definition.chosen_container(plain, service, run.settings.container)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error.message}", cure=error.cure) from error
    return Base(plain, release_tags.theirs(tags), container, str(path))


def _registrable(run: Run, whole: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = definition.without_nulls(definition.without(whole, run.definitions.read_only_members))
    return plain


@dataclass
class RevisionStep(Step["Revision | None", TaskDefinition]):
    """Register the revision, or take the one that a dead process of this release registered."""

    run: Run
    fence: Fence
    base: Base
    image: Image
    release: str
    newer_than: int
    made: list[str] = field(default_factory=list)
    name = "task-definition"
    _unproven: list[Revision] = field(default_factory=list, init=False)
    """Revisions that say they are the release's, and differ from what is given."""
    _proven: str = field(default="", init=False)

    def observe(self) -> Revision | None:
        """The revision of this release and epoch."""
        known = self._proven or next(iter(self.made), "")
        return self.run.definitions.get(known).revision if known else self._registered_before()

    def decide(self, seen: Revision | None) -> str:
        """Register when there is none."""
        return "" if seen else f"register a revision of {self.base.family} with {self.image.reference}"

    def act(self, seen: Revision | None) -> None:
        """RegisterTaskDefinition has no token: when no answer came, look for what it may have made."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                made = self.fence.write(self._register)
            except AnswerLost:
                if self._appears():
                    return
                if attempt == ATTEMPTS:
                    raise
            else:
                self._check(made)
                self._compare(made)
                return

    def judge(self, seen: Revision | None) -> Judgement[TaskDefinition]:
        """It is there, with its marks."""
        if seen is None:
            return Waiting(f"ECS does not list the revision of {self.base.family} yet")
        return Settled(self.run.definitions.get(seen.arn))

    def planned(self, seen: Revision | None) -> TaskDefinition:
        """The revision as it would be."""
        arn = f"{self.base.family}:new"
        return TaskDefinition(Revision(arn, self.release, self.fence.epoch), self._definition(), self._tags())

    def told(self, result: TaskDefinition) -> str:
        """FAMILY:NUMBER."""
        return result.revision.name

    def is_as_given(self, arn: str) -> bool:
        """Whether a revision is, member by member, what this step would register."""
        whole, read_only = self.run.definitions.get(arn), self.run.definitions.read_only_members
        return definition.made_of(self._definition(), whole.definition, read_only)

    def _registered_before(self) -> Revision | None:
        """(4) The revision that a process of this release registered in this epoch, as this process would register it.

        Its tags alone prove nothing. After a change of the task definition another one is registered.
        """
        definitions = self.run.definitions
        newest = definitions.revisions(self.base.family, most=SCANNED)
        known = [definitions.revision(arn, newest) for arn in newest if Revision(arn).number > self.newer_than]
        wanted = self.fence.require().marks.wanted
        named = [revision for revision in known if decide.reusable([revision], self.release, self.fence.epoch, wanted)]
        same = [revision for revision in named if self.is_as_given(revision.arn)]
        self._unproven = [revision for revision in named if revision not in same]
        return decide.reusable(same, self.release, self.fence.epoch, wanted)

    def _compare(self, made: TaskDefinition) -> None:
        """AWS writes some values otherwise than they are given (`1 vCPU`): what it made alike is the release's own.

        Then the older is taken, as everybody would choose it, and what is alike beside it goes.
        """
        definitions, read_only = self.run.definitions, self.run.definitions.read_only_members
        alike = [
            revision
            for revision in self._unproven
            if not definition.changes(definitions.get(revision.arn), made, read_only)
        ]
        if not alike:
            return
        first, *others = sorted([*alike, made.revision], key=lambda revision: revision.number)
        self._proven = first.arn
        for revision in others:
            discard(self.run, revision.arn)

    def _register(self) -> TaskDefinition:
        """Noted before the look that may find the release cancelled: then it is taken back."""
        try:
            made = self.run.definitions.register(self._definition(), self._tags())
        except InvalidInput as error:
            where = f"{self.base.file}: " if self.base.file else ""
            raise InvalidInput(f"{where}{error.message}", cure="correct the task definition") from error
        self.made.append(made.revision.arn)
        return made

    def _definition(self) -> dict[str, Any]:
        return definition.with_image(self.base.definition, self.base.container, self.image.reference)

    def _tags(self) -> dict[str, str]:
        ours = {
            release_tags.RELEASE: self.release,
            release_tags.EPOCH: release_tags.epoch_value(self.fence.epoch),
            release_tags.COMMIT: release_tags.tag_value(self.run.origin.commit),
            release_tags.BUILD: release_tags.build_value(self.run.origin.build),
        }
        return {**self.base.tags, **{key: value for key, value in ours.items() if value}, release_tags.PROMOTED: ""}

    def _appears(self) -> bool:
        """Whether the revision shows up although no answer told of it."""
        looks = wait.looks(self.run.clock, POLL, Deadline.after(self.run.clock, LISTED_WITHIN))
        return any(self.observe() is not None for _ in looks)

    def _check(self, made: TaskDefinition) -> None:
        """Say so when AWS did not take a member as it was given."""
        kept = definition.without(made.definition, self.run.definitions.read_only_members)
        for member in definition.lost(self._definition(), kept):
            note(self.run.recorder, f"{made.revision.name}: AWS did not keep {member} as it was given")
