"""`validate`: what IAM allows the caller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.aws import permissions
from ecs_pipeline.aws.permissions import Permissions
from ecs_pipeline.aws.session import AwsError
from tests.fakes.world import World
from tests.unit.commands import NAMED, Commands, commands, report
from tests.unit.validations import ROLE


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    made = commands(monkeypatch, capsys, tmp_path)
    made.world = World()
    return made


def test_what_iam_does_not_allow_is_a_finding_with_its_statement(run: Commands) -> None:
    run.world.principal, run.world.denied = ROLE, {"ecs:RunTask", "ecs:StopTask"}
    assert run("validate", *NAMED).code == 2
    assert report("validate")["evidence"] == [
        f"{ROLE} may not ecs:RunTask (statement StartCanary); give it what `ecs-pipeline policy` prints",
        "ecs:StopTask (statement StopCanary)",
    ]


def test_what_iam_does_not_tell_cannot_be_known_and_is_no_finding(run: Commands) -> None:
    run.world.principal, run.world.denied = ROLE, None
    assert run("validate", *NAMED).code == 0
    [step] = [step for step in report("validate")["steps"] if step["name"] == "permissions"]
    assert step["message"].startswith("cannot be known")


class Client:
    """A client that answers with these pages, or fails."""

    def __init__(self, *pages: dict[str, Any], error: str = "") -> None:
        self.pages, self.error = list(pages), error
        self.asked: list[dict[str, Any]] = []

    def client(self, _name: str) -> Client:
        return self

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if self.error:
            raise AwsError(operation, self.error, "no")
        return self.pages.pop(0)


def result(action: str, decision: str) -> dict[str, str]:
    return {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": decision}


def test_the_adapter_reads_all_pages_and_hands_the_condition_keys_on() -> None:
    first = {"EvaluationResults": [result("a", "allowed")], "IsTruncated": True, "Marker": "m"}
    second = {"EvaluationResults": [result("b", "implicitDeny")], "IsTruncated": False}
    client = Client(first, second)
    keys = {"one": ["x"], "many": ["x", "y"]}
    assert Permissions(client).allowed(ROLE, ["a", "b"], ["*"], keys) == {("a", "*")}  # type: ignore[arg-type]
    assert [request.get("Marker") for request in client.asked] == [None, "m"]
    kinds = {entry["ContextKeyName"]: entry["ContextKeyType"] for entry in client.asked[0]["ContextEntries"]}
    assert kinds == {"one": "string", "many": "stringList"}


@pytest.mark.parametrize("code", sorted(permissions.UNKNOWN))
def test_the_adapter_says_that_it_does_not_know(code: str) -> None:
    assert Permissions(Client(error=code)).allowed(ROLE, ["a"], ["*"], {}) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        ("arn:aws:sts::123456789012:assumed-role/deploy/build-7", ROLE),
        ("arn:aws:iam::123456789012:user/people/ann", "arn:aws:iam::123456789012:user/people/ann"),
        ("arn:aws:iam::123456789012:root", ""),
    ],
)
def test_the_caller_is_a_user_or_the_role_of_its_session(arn: str, principal: str) -> None:
    assert Permissions(Client({"Arn": arn})).principal() == principal  # type: ignore[arg-type]
