"""Provision's change sets: their names, and what a dry run tells of them."""

from __future__ import annotations

import pytest

from tests.fakes.ports import FakeRepositories
from tests.fakes.world import digest_of
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
