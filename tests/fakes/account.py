"""What `prune` asks beside the ports of every stage: the account's clusters, rules, schedules and stored images."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Revision, RevisionUse, StoredImage
from ecs_pipeline.plans.needed import Tools
from tests.fakes.names import CLUSTER, PREFIX
from tests.fakes.world import World

OWN_CLUSTER = f"{PREFIX}:cluster/{CLUSTER}"


@dataclass
class FakeAccount:
    """All ports of `prune` on a world: `elsewhere`, `rules` and `scheduled` are what a test puts there."""

    world: World
    elsewhere: list[RevisionUse] = field(default_factory=list)
    rules: list[RevisionUse] = field(default_factory=list)
    scheduled: list[RevisionUse] = field(default_factory=list)
    stored: list[StoredImage] = field(default_factory=list)
    indexes: dict[str, set[str]] = field(default_factory=dict)

    def tools(self, run: Run) -> Tools:
        """The tools of a run."""
        return Tools(run, self, FakeRules(self), FakeSchedules(self), lambda _repository: FakeStored(self))

    def clusters(self) -> list[str]:
        return [OWN_CLUSTER]

    def uses(self, cluster: str) -> list[RevisionUse]:
        assert cluster == OWN_CLUSTER
        service = self.world.service_facts()
        running = [RevisionUse(deployment.revision, "a deployment") for deployment in service.deployments]
        tasks = [RevisionUse(task.revision, f"task {task.arn.rpartition('/')[2]}") for task in self.world.alive()]
        return [*running, *tasks, *self.elsewhere]

    def revisions(self, family: str) -> list[str]:
        same = [
            arn for arn, revision in self.world.revisions.items() if revision.active and Revision(arn).family == family
        ]
        return sorted(same, key=lambda arn: Revision(arn).number, reverse=True)


@dataclass
class FakeRules:
    """RulesPort."""

    account: FakeAccount

    def uses(self, cluster: str) -> Iterable[RevisionUse]:
        assert cluster == OWN_CLUSTER
        return self.account.rules


@dataclass
class FakeSchedules:
    """SchedulesPort."""

    account: FakeAccount

    def uses(self, clusters: Collection[str]) -> Iterable[RevisionUse]:
        assert list(clusters) == [OWN_CLUSTER]
        return self.account.scheduled


@dataclass
class FakeStored:
    """StoredImagesPort: as ECR, it deletes nothing that an index refers to."""

    account: FakeAccount
    at_once: int = 100

    def all(self) -> list[StoredImage]:
        return list(self.account.stored)

    def members(self, indexes: Sequence[str]) -> set[str]:
        return set().union(*(self.account.indexes.get(digest, set()) for digest in indexes))

    def delete(self, digests: Sequence[str]) -> list[str]:
        def act() -> list[str]:
            there = {image.digest for image in self.account.stored}
            held = self.members([digest for digest in self.account.indexes if digest in there])
            left = [digest for digest in digests if digest in held]
            gone = set(digests) - set(left)
            self.account.stored = [image for image in self.account.stored if image.digest not in gone]
            return left

        found: list[str] = self.account.world.call("BatchDeleteImage", act, write=True, detail=list(digests))
        return found
