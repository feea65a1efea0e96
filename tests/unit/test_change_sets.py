"""Provision's change sets: their names, which are dropped, and what a dry run tells instead."""

from __future__ import annotations

import pytest

from ecs_pipeline.model.stacks import NO_CHANGES
from tests.fakes.images import FakeRepositories
from tests.fakes.names import digest_of
from tests.unit.provision_world import HOST, Account, Outcome, provision


@pytest.fixture(autouse=True)
def _image_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeRepositories, "digest", lambda *_, **__: digest_of("v1"))


def new_environment(*, dry_run: bool = False) -> tuple[Account, Outcome]:
    """A new environment, at the time at which the world begins."""
    account = Account()
    return account, provision(account, image=f"{HOST}/web:v1", dry_run=dry_run)


def test_two_runs_of_one_second_make_change_sets_of_two_names() -> None:
    (first,), (second,) = new_environment()[0].names, new_environment()[0].names
    assert first != second
    assert first.startswith("ecs-pipeline-")


def test_a_dry_run_plans_each_resource_and_makes_no_change_set() -> None:
    account, end = new_environment(dry_run=True)
    assert account.names == []
    assert "add Cluster (AWS::ECS::Cluster)" in end.plan


def test_what_would_move_the_service_is_given_the_revision_that_it_runs() -> None:
    account, _ = new_environment()
    account.names.clear()
    account.changed = ("Cluster", "Service")
    assert provision(account, image=f"{HOST}/web:v1").code == 0
    first, second = account.names
    assert (account.dropped, second) == ([first], f"{first}-kept")
    assert account.given[-2]["CurrentTaskDefinition"] == ""
    assert account.given[-1]["CurrentTaskDefinition"].endswith(":task-definition/web:1")


def test_a_change_set_without_changes_is_dropped_and_tells_so() -> None:
    account, _ = new_environment()
    account.failure = f"The submitted information {NO_CHANGES[0]}."
    end = provision(account, image=f"{HOST}/web:v1")
    assert (end.code, end.changes, account.dropped) == (0, [], account.names[-1:])


@pytest.mark.parametrize("new", [True, False])
def test_a_change_set_that_fails_leaves_no_empty_stack(*, new: bool) -> None:
    account = Account() if new else new_environment()[0]
    account.failure = "Template error"
    end = provision(account, image=f"{HOST}/web:v1")
    assert (end.code, end.text) == (2, "stack prd: Template error; correct the template's parameters")
    assert (account.dropped, account.deleted) == (account.names[-1:], new)


def test_a_dry_run_of_a_deletion_deletes_nothing() -> None:
    account, _ = new_environment()
    end = provision(account, delete=True, confirm="prd", dry_run=True)
    assert (end.code, end.plan, account.deleted) == (0, ["delete stack prd"], False)
    assert provision(account, delete=True, confirm="prd").code == 0
    assert account.deleted


def test_an_environment_that_is_not_there_is_deleted_already() -> None:
    account = Account()
    assert provision(account, delete=True).code == 0
    assert (account.deleted, account.names) == (False, [])
