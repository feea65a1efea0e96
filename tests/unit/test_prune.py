"""`prune`: only what releases made and nothing needs goes, and a dry run tells it without a write."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from ecs_pipeline.cli import wiring
from ecs_pipeline.model.release import RevisionUse, StoredImage
from ecs_pipeline.protocol import release_tags
from tests.fakes.account import FakeAccount
from tests.fakes.names import PREFIX, REGISTRY, definition_with, digest_of, utc
from tests.fakes.world import World
from tests.unit.commands import NAMED, Commands, commands, report

OURS = {"ecs-pipeline.service": "prd/web"}
KEEP_2 = ("prune", *NAMED, "--keep", "2")


class Pruned(Commands):
    """Commands with the account that `prune` looks at."""

    account: FakeAccount

    def release(self, number: int, tags: dict[str, str] | None = None, labels: dict[str, str] | None = None) -> str:
        """A release that was: its revision and its image, pushed in the order of the numbers."""
        name = f"rel-{number}"
        image = StoredImage(digest_of(name), (name,), utc(0) + timedelta(hours=number))
        self.account.stored.append(image)
        self.world.labels[image.digest] = OURS if labels is None else labels
        given = {release_tags.RELEASE: name} if tags is None else tags
        return self.world.register(definition_with(f"{REGISTRY}/web@{image.digest}"), given)

    @property
    def active(self) -> list[str]:
        return [arn.rpartition("/")[2] for arn, revision in self.world.revisions.items() if revision.active]

    @property
    def images(self) -> list[str]:
        return [image.tags[0] if image.tags else image.digest for image in self.account.stored]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Pruned:
    commands(monkeypatch, capsys, tmp_path)
    made = Pruned(monkeypatch, capsys)
    made.world = World()
    made.account = FakeAccount(made.world)
    monkeypatch.setattr(wiring, "new_prune", made.account.tools)
    for number in range(2, 7):
        made.release(number)
    made.world.deployments[0].revision = f"{PREFIX}:task-definition/web:6"
    return made


def test_a_dry_run_is_the_default_and_tells_what_would_go(run: Pruned) -> None:
    end = run(*KEEP_2, "--output", "json")
    assert end.code == 0, end.err
    told = json.loads(end.out)
    deregistered = [f"deregister web:{number} of release rel-{number}" for number in (4, 3, 2)]
    assert told["plan"] == [*deregistered, *(f"delete image web:rel-{number}" for number in (2, 3, 4))]
    assert "web:6 stays: service web needs it" in told["notes"]
    assert "web:5 stays: one of the last releases" in told["notes"]
    assert "kept, as no release registered them: web:1" in told["notes"]
    assert (run.world.writes(), Path("ecs-pipeline-reports").exists()) == ([], False)


def test_with_yes_old_releases_go_and_a_second_time_nothing_does(run: Pruned) -> None:
    end = run(*KEEP_2, "--yes")
    assert end.code == 0, end.err
    assert run.active == ["web:1", "web:5", "web:6"]
    assert run.images == ["rel-5", "rel-6"]
    root = etree.parse("ecs-pipeline-reports/TEST-ecs-pipeline-prune.xml").getroot()
    assert [case.get("name") for case in root.iter("testcase")] == ["preflight", "revisions", "images"]
    assert report("prune")["changed"] is True

    before = len(run.world.writes())
    assert run(*KEEP_2, "--yes").code == 0
    assert run.world.writes()[before:] == []
    assert report("prune")["changed"] is False


def arn(number: int) -> str:
    return f"{PREFIX}:task-definition/web:{number}"


@pytest.mark.parametrize(
    "needs",
    [
        lambda run: run.world.service_tags.update({release_tags.PREVIOUS: arn(3)}),
        lambda run: run.world.service_tags.update({release_tags.WANTED: arn(3)}),
        lambda run: run.world.service_tags.update({release_tags.UNDER_WAY: "rel-3"}),
        lambda run: run.world.service_tags.update({release_tags.RELEASE: "rel-3"}),
        lambda run: run.account.elsewhere.append(RevisionUse(arn(3), "task 1")),
        lambda run: run.account.rules.append(RevisionUse(arn(3), "rule nightly")),
        lambda run: run.account.rules.append(RevisionUse("web:3", "rule nightly")),
        lambda run: run.account.scheduled.append(RevisionUse(arn(3), "schedule default/nightly")),
        lambda run: run.world.revisions[arn(3)].tags.update({release_tags.RESTORES: arn(1)}),
    ],
)
def test_what_something_needs_stays_with_its_image(run: Pruned, needs: Callable[[Pruned], None]) -> None:
    needs(run)
    end = run(*KEEP_2, "--yes")
    assert end.code == 0, end.err
    assert run.active == ["web:1", "web:3", "web:5", "web:6"]
    assert run.images == ["rel-3", "rel-5", "rel-6"]


def test_a_rule_that_names_the_family_means_its_newest_revision(run: Pruned) -> None:
    newest = run.release(7)
    run.account.rules.append(RevisionUse("web", "rule nightly"))
    end = run(*KEEP_2, "--output", "json")
    assert f"{newest.rpartition('/')[2]} stays: rule nightly needs it" in json.loads(end.out)["notes"]


def test_a_revision_of_another_family_keeps_its_image(run: Pruned) -> None:
    other = run.world.register(definition_with(f"{REGISTRY}/web:rel-3", "web-stg"), {})
    run.account.elsewhere.append(RevisionUse(other, "service web of stg"))
    assert run(*KEEP_2, "--yes").code == 0
    assert run.active == ["web:1", "web:5", "web:6", "web-stg:1"]
    assert run.images == ["rel-3", "rel-5", "rel-6"]


def test_an_image_that_a_task_runs_stays_whatever_its_tag_names_now(run: Pruned) -> None:
    digests = frozenset([digest_of("rel-2")])
    run.account.elsewhere.append(RevisionUse(arn(6), "task 1", digests))
    assert run(*KEEP_2, "--yes").code == 0
    assert run.images == ["rel-2", "rel-5", "rel-6"]


@pytest.mark.parametrize("labels", [{}, {"ecs-pipeline.service": "stg/web"}])
def test_images_that_were_not_built_for_this_service_stay(run: Pruned, labels: dict[str, str]) -> None:
    run.world.labels[digest_of("rel-2")] = labels
    assert run(*KEEP_2, "--yes").code == 0
    assert run.images == ["rel-2", "rel-5", "rel-6"]


def test_the_image_of_a_release_that_begins_stays(run: Pruned) -> None:
    begins = StoredImage(digest_of("begins"), ("begins",), utc(0) + timedelta(hours=9))
    run.account.stored.append(begins)
    run.world.labels[begins.digest] = OURS
    assert run(*KEEP_2, "--yes").code == 0
    assert run.images == ["rel-5", "rel-6", "begins"]


def test_the_images_of_releases_that_were_rolled_back_go(run: Pruned) -> None:
    run.world.revisions[arn(3)].active = False
    assert run(*KEEP_2, "--yes").code == 0
    assert run.images == ["rel-5", "rel-6"]


def test_with_fewer_releases_than_are_kept_all_images_stay(run: Pruned) -> None:
    end = run("prune", *NAMED, "--yes")
    assert end.code == 0, end.err
    assert "there are fewer than 10 releases: all images stay" in end.err
    assert run.world.writes() == []


def test_an_index_goes_before_what_it_refers_to(run: Pruned) -> None:
    child = StoredImage(digest_of("child"), (), utc(0))
    run.account.stored[0] = StoredImage(digest_of("rel-2"), ("rel-2",), utc(0), is_index=True)
    run.account.stored.insert(0, child)
    run.account.indexes = {digest_of("rel-2"): {child.digest}}
    run.world.labels[child.digest] = OURS
    assert run(*KEEP_2, "--yes").code == 0
    assert run.images == ["rel-5", "rel-6"]


def test_what_an_index_that_stays_refers_to_stays(run: Pruned) -> None:
    child = StoredImage(digest_of("child"), (), utc(0))
    run.account.stored = [child, *run.account.stored[:-1]]
    run.account.stored.append(StoredImage(digest_of("rel-6"), ("rel-6",), utc(9), is_index=True))
    run.account.indexes = {digest_of("rel-6"): {child.digest}}
    run.world.labels[child.digest] = OURS
    assert run(*KEEP_2, "--yes").code == 0
    assert child in run.account.stored


def test_a_revision_that_aws_describes_no_more_keeps_all_images(run: Pruned) -> None:
    run.account.elsewhere.append(RevisionUse(f"{PREFIX}:task-definition/gone:1", "task 1"))
    end = run(*KEEP_2, "--yes")
    assert "AWS does not describe gone:1, which is in use: all images stay" in end.err
    assert "BatchDeleteImage" not in run.world.writes()


@pytest.mark.parametrize("call", ["DeregisterTaskDefinition", "GetDownloadUrlForLayer"])
def test_prune_stops_when_a_stage_begins_meanwhile(run: Pruned, call: str) -> None:
    def begin(when: str, made: str, _write: bool) -> None:  # noqa: FBT001
        if (when, made) == ("after", call):
            run.world.service_tags[release_tags.UNDER_WAY] = "rel-9"

    run.world.hook = begin
    end = run(*KEEP_2, "--yes")
    assert end.code == 3
    assert "prd/web changed while prune ran" in end.err
    assert "BatchDeleteImage" not in run.world.writes()


def test_a_revision_that_a_task_began_to_use_stays(run: Pruned) -> None:
    started: list[Any] = []

    def start(when: str, call: str, _write: bool) -> None:  # noqa: FBT001
        if (when, call) == ("after", "DeregisterTaskDefinition") and not started:
            started.append(
                run.world.run_task({"clientToken": "x", "taskDefinition": arn(2), "tags": [], "startedBy": "me"})
            )

    run.world.hook = start
    end = run(*KEEP_2, "--yes")
    assert end.code == 0, end.err
    assert "web:2 stays: task" in end.err
    assert report("prune")["steps"][1]["message"] == "deregister: web:4, web:3"
    assert run.active == ["web:1", "web:2", "web:5", "web:6"]
    assert run.images == ["rel-2", "rel-5", "rel-6"]


def test_a_process_that_died_is_finished_by_the_next(run: Pruned) -> None:
    def die(when: str, call: str, _write: bool) -> None:  # noqa: FBT001
        if (when, call) == ("after", "DeregisterTaskDefinition"):
            raise KeyboardInterrupt

    run.world.hook = die
    assert run(*KEEP_2, "--yes").code == 130
    run.world.hook = lambda *_: None
    assert run(*KEEP_2, "--yes").code == 0
    assert (run.active, run.images) == (["web:1", "web:5", "web:6"], ["rel-5", "rel-6"])


@pytest.mark.parametrize("given", ["0", "-1", "1001", "many"])
def test_a_number_that_is_none_is_wrong_usage(run: Pruned, given: str) -> None:
    assert run("prune", *NAMED, "--keep", given).code == 2
    assert run.world.writes() == []
