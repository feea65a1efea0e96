"""The statements of statements.py with the values of one service in place of their words. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecs_pipeline.config.lookups import BY_TEXT, CFN, SECRET, SSM, Lookup
from ecs_pipeline.policy.statements import STATEMENTS, VERSION, actions_of, resources_of

WORDS = re.compile(r"[A-Z]+(?:-[A-Z]+)*")
REPOSITORIES = "arn:aws:ecr:REGION:ACCOUNT:repository/REPOSITORY"
EXECUTION_ROLE = "arn:aws:iam::ACCOUNT:role/EXECUTION-ROLE"
TASK_ROLE = "arn:aws:iam::ACCOUNT:role/TASK-ROLE"
OF_BUILT_IMAGES = ("PushImages", "DeleteImages")
INSTANCE = "instance"
ISSUER, SUBJECT, AUDIENCE = "ISSUER", "SUBJECT", "sts.amazonaws.com"
RUNS = "ecs-pipeline:ran:*"
"""Tags of the service that named one-off commands write."""
SCALING = "ecs-pipeline:scaling"
"""The tag of the service that a promotion writes while it holds the autoscaling."""
ON_INSTANCES, INSTANCES = "ecs:DescribeContainerInstances", ":container-instance/"


ANY_SUFFIX = "secretsmanager:{place}:secret:{name}-??????"
LOOKUPS = (
    ("ssm:GetParameter", "LookUpParameters", SSM, "ssm:{place}:parameter/{name}"),
    ("cloudformation:DescribeStacks", "LookUpOutputs", CFN, "cloudformation:{place}:stack/{name}/*"),
    ("secretsmanager:DescribeSecret", "LookUpSecrets", SECRET, ANY_SUFFIX),
    ("secretsmanager:GetSecretValue", "ReadSecrets", BY_TEXT, ANY_SUFFIX),
)
"""Actions, Sid, kind of look-up and resource: Service Authorization Reference of the three services."""

SECRET_PARTS = 7
"""Of a secret's own ARN; a task definition may name a member and a version behind it."""
FIND_SECRETS, FIND_PARAMETERS, FIND_QUOTAS = "FindTaskSecrets", "FindTaskParameters", "FindQuotas"
TOLD_BY_VALIDATE = frozenset((FIND_SECRETS, FIND_PARAMETERS, FIND_QUOTAS))
"""Statements without which `validate` knows less, and a release goes through all the same."""


@dataclass(frozen=True)
class Values:
    """What stands for the words in capital letters; `images` and `pushed` are ARNs of repositories, `roles` of roles.

    `without`: statements that are left out, each with why. `on_instances`: the tasks run on EC2. `named_runs`: hooks or
    `run --name` write their tags. `holds_scaling`: a promotion holds the autoscaling.
    """

    partition: str
    words: Mapping[str, Sequence[str]]
    images: Sequence[str]
    pushed: Sequence[str]
    roles: Sequence[str]
    without: Mapping[str, str]
    on_instances: bool
    named_runs: bool = False
    holds_scaling: bool = False

    @property
    def unused_keys(self) -> Mapping[str, str]:
        """Keys of MarkService that are left out, each with why."""
        keys = {}
        if not self.named_runs:
            keys[RUNS] = "the config has no hooks; `run --name` needs it: --run"
        if not self.holds_scaling:
            keys[SCALING] = "promote.autoscaling is not hold"
        return keys


def filled(
    values: Values, more: Sequence[Mapping[str, Any]] = (), of: Sequence[Mapping[str, Any]] = STATEMENTS
) -> tuple[dict[str, Any], list[str]]:
    """The policy of these statements, with more at its end, and a line for each statement that was left out."""
    statements = [_filled(statement, values) for statement in of if statement["Sid"] not in values.without]
    kept = [statement for statement in statements if statement["Resource"]]
    notes = [f"left out {sid}: {why}" for sid, why in values.without.items()]
    notes += [f"left out {key} of MarkService: {why}" for key, why in values.unused_keys.items()]
    notes += [
        f"left out {statement['Sid']}: the service has nothing of the kind"
        for statement in statements
        if not statement["Resource"]
    ]
    return {"Version": VERSION, "Statement": [*kept, *more]}, notes


def trusting(partition: str, account: str, kind: str, issuer: str, subject: str) -> dict[str, Any]:
    """Who may become the role: the agents' instances, or tokens that Jenkins hands out (IAM user guide, OIDC)."""
    if kind == INSTANCE:
        statement = {"Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    else:
        issuer = issuer.removeprefix("https://").rstrip("/") or ISSUER
        provider = f"arn:{partition}:iam::{account}:oidc-provider/{issuer}"
        statement = {
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{issuer}:aud": AUDIENCE},
                "StringLike": {f"{issuer}:sub": subject or SUBJECT},
            },
        }
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}


def lookup_statements(used: Iterable[Lookup], partition: str, region: str, account: str) -> Iterator[dict[str, Any]]:
    """What a config looks up in AWS; a parameter of another account has to be allowed there as well."""
    place = f"{region}:{account}"
    for action, sid, kind, prefix in LOOKUPS:
        names = sorted({_looked_up_name(lookup) for lookup in used if lookup.kind == kind})
        resources = [
            name if name.startswith("arn:") else f"arn:{partition}:{prefix.format(place=place, name=name)}"
            for name in names
        ]
        if resources:
            yield {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resources}


def task_secret_statements(named: Iterable[str], partition: str, region: str, account: str) -> Iterator[dict[str, Any]]:
    """What `validate` needs to find the secrets that the tasks get; `named`: as their definition names them."""
    secrets: list[str] = []
    parameters: list[str] = []
    for value in named:
        if value.startswith("arn:") and value.split(":")[2:3] == ["secretsmanager"]:
            secrets.append(":".join(value.split(":")[:SECRET_PARTS]))
        elif value.startswith("arn:"):
            parameters.append(value)
        else:
            parameters.append(f"arn:{partition}:ssm:{region}:{account}:parameter/{value.removeprefix('/')}")
    wanted = (
        (FIND_SECRETS, "secretsmanager:DescribeSecret", secrets),
        (FIND_PARAMETERS, "ssm:GetParameter", parameters),
    )
    for sid, action, resources in wanted:
        if resources:
            yield {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": list(dict.fromkeys(resources))}


def _looked_up_name(lookup: Lookup) -> str:
    """What AWS knows it by: a parameter without its first slash, a stack without the output, a secret alone."""
    if lookup.kind == SSM:
        return lookup.name.removeprefix("/")
    return lookup.name.rpartition(".")[0] if lookup.kind == CFN else lookup.secret


def _filled(statement: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """A statement with the values; a resource as often as there are values, and no action that is of no use."""
    resources = list(dict.fromkeys(_resources(statement, values)))
    unused: Collection[str] = () if values.on_instances else (ON_INSTANCES,)
    actions = [action for action in actions_of(statement) if action not in unused]
    found = {**statement, "Action": actions, "Resource": "*" if resources == ["*"] else resources}
    if "Condition" in statement:
        found["Condition"] = _condition(statement["Condition"], values)
    return found


def _resources(statement: Mapping[str, Any], values: Values) -> Iterator[str]:
    whole = {
        REPOSITORIES: values.pushed if statement["Sid"] in OF_BUILT_IMAGES else values.images,
        EXECUTION_ROLE: values.roles,
        TASK_ROLE: values.roles,
    }
    for resource in resources_of(statement):
        if INSTANCES in resource and not values.on_instances:
            continue
        yield from whole[resource] if resource in whole else _each(resource, values)


def _each(text: str, values: Values) -> Iterator[str]:
    """The text with every combination of the values of its words."""
    used = [word for word in dict.fromkeys(WORDS.findall(text)) if word in values.words]
    for chosen in itertools.product(*(values.words[word] for word in used)):
        given = dict(zip(used, chosen, strict=True))
        in_partition = text.replace("arn:aws:", f"arn:{values.partition}:", 1)
        yield WORDS.sub(lambda found, given=given: given.get(found[0], found[0]), in_partition)  # type: ignore[misc]


def _condition(value: Any, values: Values) -> Any:
    """A condition with the values; one alone is a text, several are a list."""
    if isinstance(value, Mapping):
        return {key: _condition(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [key for key in value if key not in values.unused_keys]
    found = list(_each(value, values))
    return found[0] if len(found) == 1 else found
