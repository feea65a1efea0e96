"""A deployer with the policies of docs/iam.md and nothing else, and people with other rights."""

from __future__ import annotations

import copy
import json
import re
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from tests.emulator.stages.images import REPOSITORY
from tests.emulator.stages.outcome import Outcome
from tests.emulator.stages.scene import Scene

PAGE = Path(__file__).parents[3] / "docs" / "iam.md"
TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}


def documents() -> list[str]:
    """The policies of the page in its order: stages, everybody else, `role_arn`, validate, prune, provision."""
    return re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def actions(statement: dict[str, Any]) -> list[str]:
    """The actions of a statement."""
    found = statement["Action"]
    return list(found) if isinstance(found, list) else [found]


@dataclass
class Deployer:
    """The role that deploys one scene's service, and the agent that assumes it."""

    scene: Scene
    key: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        iam = self.scene.client("iam")
        iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=json.dumps(TRUST))
        self.allow(self.stages["Statement"])
        self.key = self.person(f"agent-{self.scene.name}", self.filled(documents()[2])["Statement"])

    @property
    def role(self) -> str:
        """The deploy role's name."""
        return f"deploy-{self.scene.name}"

    @property
    def role_arn(self) -> str:
        """The deploy role's ARN."""
        return f"arn:aws:iam::{self.scene.server.account}:role/{self.role}"

    def filled(self, document: str) -> Any:
        """A policy of the page with this scene's values for the words in capital letters."""
        scene = self.scene
        words = {
            "REGION": scene.server.region,
            "ACCOUNT": scene.server.account,
            "CLUSTER": scene.name,
            "SERVICE": scene.name,
            "FAMILY": scene.name,
            "REPOSITORY": REPOSITORY,
            "LOG-GROUP": f"/{scene.name}",
            "TARGET-GROUP": scene.name,
            "EXECUTION-ROLE": f"execution-{scene.name}",
            "TASK-ROLE": f"task-{scene.name}",
            "DEPLOY-ROLE": self.role,
        }
        pattern = r"\b(" + "|".join(sorted(words, key=len, reverse=True)) + r")\b"
        return json.loads(re.sub(pattern, lambda found: words[found[1]], document))

    @cached_property
    def stages(self) -> dict[str, Any]:
        """The policy of the stages."""
        return dict(self.filled(documents()[0]))

    @cached_property
    def pruning(self) -> list[dict[str, Any]]:
        """The statements that `prune` needs beside the stages'."""
        return list(self.filled(documents()[4])["Statement"])

    @cached_property
    def deny(self) -> list[dict[str, Any]]:
        """What is denied to everybody else, and to the deploy role too where it does not except it."""
        return list(self.filled(documents()[1])["Statement"])

    def roles(self) -> dict[str, str]:
        """The roles that the tasks get, as members of a task definition."""
        arn = f"arn:aws:iam::{self.scene.server.account}:role"
        return {
            "executionRoleArn": f"{arn}/execution-{self.scene.name}",
            "taskRoleArn": f"{arn}/task-{self.scene.name}",
        }

    def allow(self, statements: list[dict[str, Any]]) -> None:
        """Give the deploy role these statements and the Deny that everybody has."""
        document = {"Version": "2012-10-17", "Statement": [*statements, *self.deny]}
        self.scene.client("iam").put_role_policy(
            RoleName=self.role, PolicyName="deploy", PolicyDocument=json.dumps(document)
        )

    def without(self, action: str, sid: str = "") -> None:
        """Take an action away, from one statement or from all."""
        left = []
        for statement in copy.deepcopy(self.stages["Statement"]):
            kept = [name for name in actions(statement) if name != action or sid not in ("", statement["Sid"])]
            left += [{**statement, "Action": kept}] if kept else []
        self.allow(left)

    def person(self, name: str, statements: list[dict[str, Any]]) -> dict[str, str]:
        """Somebody with these statements; his keys, as environment variables."""
        iam = self.scene.client("iam")
        iam.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def client(self, service: str, statements: list[dict[str, Any]]) -> Any:
        """A client of somebody with these statements."""
        return self.client_of(service, self.person(f"person-{uuid.uuid4().hex[:8]}", statements))

    def client_of(self, service: str, key: dict[str, str]) -> Any:
        """A client with these keys."""
        session = boto3.Session(*key.values(), region_name=self.scene.server.region)
        return session.client(service, endpoint_url=self.scene.server.endpoint)

    def deploys(self) -> Any:
        """A client of ECS with the deploy role's rights."""
        sts = self.client_of("sts", self.key)
        given = sts.assume_role(RoleArn=self.role_arn, RoleSessionName="by-hand")["Credentials"]
        session = boto3.Session(
            given["AccessKeyId"],
            given["SecretAccessKey"],
            given["SessionToken"],
            region_name=self.scene.server.region,
        )
        return session.client("ecs", endpoint_url=self.scene.server.endpoint)

    def runs(self, *words: str) -> Outcome:
        """Run a command as the agent does."""
        return self.scene.ecs_pipeline(words[0], "--role-arn", self.role_arn, *words[1:], **self.key)

    def canary(self, variant: str = "v2", *words: str) -> Outcome:
        """`canary --image` of a variant, with its name as the release id."""
        return self.runs("canary", "--image", self.scene.images.uri(variant), "--release", variant, *words)
