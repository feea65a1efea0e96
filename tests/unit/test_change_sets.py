"""Provision's change sets: their names, and what a dry run tells of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ecs_pipeline.stacks import ChangeSet, Stack
from ecs_pipeline.stages.provision import STEPS, Provision, ProvisionOptions
from tests.fakes.ports import new_run
from tests.fakes.world import REGISTRY, World, digest_of


@dataclass
class Stacks:
    """StackPort: a stack that is made by its first change set."""

    name: str = "web-prd"
    made: list[str] = field(default_factory=list)
    status: str = ""

    def stack(self) -> Stack | None:
        return Stack(self.name, self.status, "", {}, {}) if self.status else None

    def template(self) -> str:
        return ""

    def create_change_set(
        self, name: str, template: str, parameters: Sequence[Mapping[str, Any]], *, new: bool
    ) -> None:
        self.made.append(name)

    def change_set(self, name: str) -> ChangeSet:
        return ChangeSet("CREATE_COMPLETE", "", ())

    def execute(self, name: str) -> None:
        self.status = "CREATE_COMPLETE"

    def drop_change_set(self, name: str) -> None:
        raise AssertionError(name)

    def delete(self) -> None:
        raise AssertionError

    def events(self, since: datetime) -> list[tuple[str, str]]:
        return []


class Network:
    """NetworkPort."""

    def default_network(self) -> tuple[str, list[str]] | None:
        return "vpc-1", ["subnet-1", "subnet-2"]


def provision(*, dry_run: bool = False) -> tuple[Stacks, list[str]]:
    """A new environment; the plan of a dry run."""
    world = World()
    world.images["v1"] = digest_of("v1")
    run = replace(new_run(world, "provision", STEPS, {"app": "web"}), dry_run=dry_run)
    stacks = Stacks()
    Provision(run, stacks, Network(), ProvisionOptions(image=f"{REGISTRY}/web:v1"))()
    return stacks, run.recorder.record.plan


def test_two_runs_of_one_second_make_change_sets_of_two_names() -> None:
    (first,), (second,) = provision()[0].made, provision()[0].made
    assert first != second
    assert first.startswith("ecs-pipeline-")


def test_a_dry_run_plans_each_resource_and_makes_no_change_set() -> None:
    stacks, plan = provision(dry_run=True)
    assert stacks.made == []
    assert "add Cluster (AWS::ECS::Cluster)" in plan
