"""An account in memory for `provision`: one stack, the default network and repositories, and runs of the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from ecs_pipeline.errors import PipelineError
from ecs_pipeline.model.release import EcrRegistry, Repository
from ecs_pipeline.model.stacks import Change, ChangeSet, Stack
from ecs_pipeline.ports import OWN_REGISTRY
from ecs_pipeline.provision.environment_parameters import REPOSITORIES
from ecs_pipeline.provision.plan import Options, Tools
from ecs_pipeline.provision.template import Template, parse
from ecs_pipeline.stages import provision as stage
from tests.fakes.images import FakeRepositories
from tests.fakes.ports import new_run
from tests.fakes.world import World

HOST = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"
APP = f"{HOST}/web@sha256:{64 * 'a'}"


@cache
def _parsed(text: str) -> Template:
    return parse(text, "stack")


@dataclass
class Repositories(FakeRepositories):
    """The account's repositories by name; pushed images are the world's."""

    world: World
    names: set[str]

    def repository(self, name: str, registry: EcrRegistry = OWN_REGISTRY) -> Repository | None:
        host = f"{registry.account}.dkr.ecr.{registry.region}.amazonaws.com" if registry.account else HOST
        return Repository(name, f"{host}/{name}", registry) if name in self.names else None


@dataclass
class Account:
    """StackPort and NetworkPort; `parameters` are those of the stack, None while there is none.

    `changed` are the resources that a change set would modify, `failure` is why it cannot be prepared.
    """

    name: str = "prd"
    parameters: dict[str, str] | None = None
    repositories: set[str] = field(default_factory=lambda: {"web"})
    network: tuple[str, list[str]] | None = ("vpc-1", ["subnet-a", "subnet-b"])
    text: str = ""
    given: list[dict[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    changed: tuple[str, ...] = ("Cluster",)
    failure: str = ""
    deleted: bool = False
    _status: str = "CREATE_COMPLETE"

    def stack(self) -> Stack | None:
        return None if self.parameters is None else Stack(self.name, self._status, "", self.parameters, {})

    def template(self) -> str:
        return self.text

    def create_change_set(
        self, name: str, template: str, parameters: Sequence[Mapping[str, Any]], *, new: bool
    ) -> None:
        self.names.append(name)
        self.texts.append(template)
        self._status = f"{'CREATE' if new else 'UPDATE'}_COMPLETE"
        before = self.parameters or {}
        self.given.append(
            {
                parameter["ParameterKey"]: parameter["ParameterValue"]
                if "ParameterValue" in parameter
                else before[parameter["ParameterKey"]]
                for parameter in parameters
            }
        )

    def change_set(self, name: str) -> ChangeSet:
        if self.failure:
            return ChangeSet("FAILED", self.failure, ())
        return ChangeSet(
            "CREATE_COMPLETE", "", tuple(Change("Modify", name, f"AWS::ECS::{name}") for name in self.changed)
        )

    def execute(self, name: str) -> None:
        """DescribeStacks then tells all parameters, those with their defaults too."""
        self.text = self.texts[-1]
        self.parameters = {**_parsed(self.text).defaults, **self.given[-1]}
        for flag, suffix in REPOSITORIES.items():
            if self.parameters.get(flag) == "true":
                self.repositories.add(self.parameters["RepositoryName"] + suffix)

    def drop_change_set(self, name: str) -> None:
        self.dropped.append(name)

    def delete(self) -> None:
        self.parameters, self.deleted = None, True

    def events(self, since: datetime) -> list[tuple[str, str]]:
        return []

    def default_network(self) -> tuple[str, list[str]] | None:
        return self.network


@dataclass
class Outcome:
    """How the command ended: '' when it did well."""

    text: str
    code: int
    changes: list[str]
    plan: list[str]


def provision(account: Account, *, world: World | None = None, **keys: Any) -> Outcome:
    """Run the command with these keys of `provision`; `image`, `delete`, `confirm` are options, `dry_run` one too.

    `settings`: other keys of the config.
    """
    world = world or World()
    options = Options(**{name: keys.pop(name) for name in ("image", "delete", "confirm") if name in keys})
    dry_run = keys.pop("dry_run", False)
    settings = keys.pop("settings", {})
    run = new_run(world, "provision", stage.STEPS, {"provision": keys, **settings})
    run = replace(run, dry_run=dry_run, repositories=Repositories(world, account.repositories))
    tools = Tools(run, account, account, lambda region: "aws-cn" if region.startswith("cn-") else "aws")
    try:
        stage.provision(tools, options)
    except PipelineError as error:
        return Outcome(str(error), error.exit_code, run.recorder.record.changes, run.recorder.record.plan)
    return Outcome("", 0, run.recorder.record.changes, run.recorder.record.plan)


def environment(**parameters: str) -> Account:
    """An account with an environment that was made of these parameters."""
    account = Account()
    end = provision(account, image=APP, parameters=parameters)
    assert end.code == 0, end.text
    return account
