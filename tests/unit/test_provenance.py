"""What an image's labels say of where it comes from, and which of them make it an image of something else."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ecs_pipeline.config.images import ImageSettings
from ecs_pipeline.engine.run import Origin
from ecs_pipeline.steps.provenance import Provenance, described, provenance

COMMIT = "ab12cd3" + 33 * "4"
THEN = datetime(2026, 11, 23, 16, 15, tzinfo=timezone(timedelta(hours=9)))
OURS = Provenance("prd/api", COMMIT, "https://git.example.com/shop.git", "services/api", "Dockerfile", THEN, "r-1")
LABELS = OURS.labels


def settings(**members: str) -> ImageSettings:
    return ImageSettings.model_validate(members)


def test_what_is_built_carries_where_it_comes_from() -> None:
    assert LABELS == {
        "org.opencontainers.image.revision": COMMIT,
        "org.opencontainers.image.created": "2026-11-23T07:15:00Z",
        "org.opencontainers.image.source": "https://git.example.com/shop.git",
        "org.opencontainers.image.version": "r-1",
        "ecs-pipeline.service": "prd/api",
        "ecs-pipeline.context": "services/api",
        "ecs-pipeline.dockerfile": "Dockerfile",
    }


def test_labels_of_the_config_go_before_those_that_an_image_gets_by_itself() -> None:
    given = {"org.opencontainers.image.revision": 40 * "9", "team": "shop"}
    found = provenance(Origin(commit=COMMIT), ImageSettings(labels=given), "prd/api", "r-1")
    assert {**found.labels, **given} == found.labels
    assert found.labels["org.opencontainers.image.version"] == "r-1"
    assert found.conflict(found.labels) == ""
    assert found.conflict(LABELS) == f"is of commit {COMMIT}, not {40 * '9'}"


def test_what_is_not_known_is_no_label() -> None:
    found = provenance(Origin(), settings(), "prd/api").labels
    assert set(found) == {"ecs-pipeline.service", "ecs-pipeline.dockerfile"}


@pytest.mark.parametrize(
    ("place", "context", "named"),
    [
        ("", ".", "."),
        ("", "services/api", "services/api"),
        ("services/api/", ".", "services/api"),
        ("services/api/", "./", "services/api"),
        ("services/api/", "../..", "."),
        ("services/api/", "../../..", ""),
        ("services/api/", "/srv/elsewhere", ""),
        (None, "services/api", ""),
    ],
)
def test_the_context_is_named_within_the_sources(place: str | None, context: str, named: str) -> None:
    assert provenance(Origin(place=place), settings(context=context), "prd/api").context == named


@pytest.mark.parametrize(
    ("label", "value", "conflict"),
    [
        ("ecs-pipeline.service", "prd/web", "was built for service prd/web, not for prd/api"),
        ("ecs-pipeline.context", "services/web", "was built from folder services/web, not from services/api"),
        ("ecs-pipeline.dockerfile", "Dockerfile.web", "was built from Dockerfile Dockerfile.web, not from Dockerfile"),
        ("org.opencontainers.image.revision", 40 * "9", f"is of commit {40 * '9'}, not {COMMIT}"),
        ("org.opencontainers.image.revision", "9999999", f"is of commit 9999999, not {COMMIT}"),
    ],
)
def test_an_image_of_something_else_is_told_apart(label: str, value: str, conflict: str) -> None:
    assert OURS.conflict({**LABELS, label: value}) == conflict
    assert OURS.conflict({label: value}) == conflict


@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        {},
        {"maintainer": "somebody"},
        {**LABELS, "ecs-pipeline.service": "stg/api"},
        {**LABELS, "org.opencontainers.image.created": "2020-01-01T00:00:00Z"},
        {**LABELS, "org.opencontainers.image.source": "git@git.example.com:shop.git"},
        {"org.opencontainers.image.revision": "ab12cd3"},
        {"org.opencontainers.image.revision": "v1.2.3"},
        {"org.opencontainers.image.revision": "17"},
        {**LABELS, "org.opencontainers.image.version": "r-0"},
    ],
)
def test_any_other_image_may_be_the_one(labels: dict[str, str]) -> None:
    assert OURS.conflict(labels) == ""


def test_what_this_run_does_not_know_is_not_compared() -> None:
    assert Provenance("prd/api").conflict(LABELS) == ""


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        ({}, "not built by ecs-pipeline, no label names its commit"),
        (
            {"org.opencontainers.image.revision": "v1.2.3"},
            "not built by ecs-pipeline, its label names commit v1.2.3",
        ),
        (LABELS, f"built for prd/api, its label names commit {COMMIT}"),
        (
            {"org.opencontainers.image.revision": "one\n" + 200 * "x"},
            f"not built by ecs-pipeline, its label names commit one {96 * 'x'}…",
        ),
    ],
)
def test_it_is_told_in_a_line(labels: dict[str, str], line: str) -> None:
    assert described(labels) == line
