"""What RunTask is given: all that makes a task like the service's own, and the same for everybody who asks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_pipeline.model.release import Epoch
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.task_definitions.run_parameters import run_parameters
from tests.unit.facts import deployment, later, revision, service

NETWORK = {
    "awsvpcConfiguration": {
        "subnets": ["subnet-a", "subnet-b"],
        "securityGroups": ["sg-1", "sg-2"],
        "assignPublicIp": "ENABLED",
    }
}
PROVIDERS = [
    {"capacityProvider": "FARGATE", "weight": 1, "base": 2},
    {"capacityProvider": "FARGATE_SPOT", "weight": 4, "base": 0},
]
VOLUME = {
    "name": "data",
    "managedEBSVolume": {"sizeInGiB": 20, "volumeType": "gp3", "encrypted": True, "roleArn": "arn:aws:iam::1:role/ebs"},
}


def parameters(raw: dict[str, Any] | None = None, name: str = "web", index: int = 0, **who: Any) -> dict[str, Any]:
    plain = {
        "revision": revision(2),
        "revision_tags": {},
        "release": "r2",
        "epoch": Epoch("abc", "r1"),
        "role": "canary",
    }
    asked = {**plain, **who}
    return run_parameters(service(raw, name=name), index=index, **asked)


def tags(raw: dict[str, Any] | None = None, **who: Any) -> dict[str, str]:
    listed = parameters(raw, **who)["tags"]
    found = {member["key"]: member["value"] for member in listed}
    assert len(found) == len(listed)
    return found


def test_one_task_of_the_revision_is_run_in_the_name_of_the_service() -> None:
    found = parameters()
    assert (found["taskDefinition"], found["count"], found["startedBy"]) == (revision(2), 1, "canary/web")
    assert tags(index=1) == {
        "ecs-pipeline:service": "web",
        "ecs-pipeline:release": "r2",
        "ecs-pipeline:turn": "abc/r1",
        "ecs-pipeline:role": "canary",
        "ecs-pipeline:index": "1",
        **release_tags.unjudged(),
    }
    assert not set(release_tags.unjudged()) & set(tags(role="baseline"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("networkConfiguration", NETWORK),
        ("capacityProviderStrategy", PROVIDERS),
        ("launchType", "FARGATE"),
        ("launchType", "EC2"),
        ("platformVersion", "1.4.0"),
        ("enableExecuteCommand", True),
        ("enableECSManagedTags", True),
        ("placementConstraints", [{"type": "distinctInstance"}]),
        ("placementStrategy", [{"type": "spread", "field": "host"}]),
    ],
)
def test_a_setting_of_the_service_goes_along_unchanged(key: str, value: Any) -> None:
    found = parameters({key: value})
    assert found[key] == value
    assert {**found, key: None} == {**parameters(), key: None}


def test_what_a_service_does_not_have_is_not_sent() -> None:
    empty: dict[str, Any] = {
        "networkConfiguration": None,
        "capacityProviderStrategy": [],
        "platformVersion": "",
        "placementConstraints": [],
        "placementStrategy": [],
    }
    assert parameters(empty) == parameters()
    always = {"taskDefinition", "count", "startedBy", "enableExecuteCommand", "enableECSManagedTags", "tags"}
    assert set(parameters()) == always


def test_capacity_providers_go_before_the_launch_type_that_they_exclude() -> None:
    found = parameters({"capacityProviderStrategy": PROVIDERS, "launchType": "FARGATE"})
    assert found["capacityProviderStrategy"] == PROVIDERS
    assert "launchType" not in found


@pytest.mark.parametrize("launch_type", ["EC2", "EXTERNAL"])
def test_instances_have_no_platform_version(launch_type: str) -> None:
    assert "platformVersion" not in parameters({"launchType": launch_type, "platformVersion": "LATEST"})
    assert parameters({"launchType": "FARGATE", "platformVersion": "LATEST"})["platformVersion"] == "LATEST"


@pytest.mark.parametrize(
    ("service_has", "sent"), [("TASK_DEFINITION", "TASK_DEFINITION"), ("SERVICE", None), ("NONE", None)]
)
def test_tags_are_propagated_from_the_revision_only_for_run_task_takes_nothing_else(
    service_has: str, sent: str | None
) -> None:
    assert parameters({"propagateTags": service_has}, revision_tags={"a": "1"}).get("propagateTags") == sent


def many(prefix: str, number: int) -> dict[str, str]:
    return {f"{prefix}-{at:02}": "x" for at in range(number)}


OF_REVISION = {"ecs-pipeline:release": "r2", "ecs-pipeline:turn": "abc/r1", "ecs-pipeline:commit": "c"}


@pytest.mark.parametrize("of_revision", [0, 1, 20, 36, 38])
@pytest.mark.parametrize("of_service", [0, 5, 41])
def test_tags_that_aws_propagates_from_the_revision_take_room_from_those_of_the_service(
    of_revision: int, of_service: int
) -> None:
    raw = {"propagateTags": "TASK_DEFINITION", "tags": many("service", of_service)}
    revision_tags = {**OF_REVISION, **many("revision", of_revision)}
    found = parameters(raw, revision_tags=revision_tags)
    given = {tag["key"] for tag in found["tags"]}
    assert found["propagateTags"] == "TASK_DEFINITION"
    assert len(given | set(revision_tags)) <= 50
    assert len([key for key in given if key.startswith("service-")]) == min(of_service, 40 - of_revision)


@pytest.mark.parametrize("of_revision", [41, 47])
def test_tags_of_the_revision_that_are_too_many_to_be_propagated_are_copied_as_far_as_there_is_room(
    of_revision: int,
) -> None:
    raw = {"propagateTags": "TASK_DEFINITION", "tags": many("service", 41)}
    found = parameters(raw, revision_tags={**OF_REVISION, **many("revision", of_revision)})
    given = {tag["key"] for tag in found["tags"]}
    assert "propagateTags" not in found
    assert len(given) <= 50
    assert len([key for key in given if key.startswith("revision-")]) == 41


def test_a_tag_of_both_is_left_to_the_revision() -> None:
    raw = {"propagateTags": "TASK_DEFINITION", "tags": {"team": "service"}}
    assert "team" not in tags(raw, revision_tags={"team": "revision"})


def test_a_volume_is_attached_as_for_the_service_and_goes_with_the_task() -> None:
    deployments = [
        {"status": "ACTIVE", "volumeConfigurations": [{"name": "old"}]},
        {"status": "PRIMARY", "volumeConfigurations": [VOLUME]},
    ]
    (volume,) = parameters({"deployments": deployments})["volumeConfigurations"]
    assert volume["managedEBSVolume"].pop("terminationPolicy") == {"deleteOnTermination": True}
    assert volume == VOLUME
    assert "terminationPolicy" not in VOLUME["managedEBSVolume"]


def volume_of(*specifications: dict[str, Any], **tags_of_service: str) -> dict[str, Any]:
    managed = {"sizeInGiB": 1, "roleArn": "arn:aws:iam::1:role/ebs", "tagSpecifications": list(specifications)}
    deployments = [{"status": "PRIMARY", "volumeConfigurations": [{"name": "data", "managedEBSVolume": managed}]}]
    (found,) = parameters({"deployments": deployments, "tags": tags_of_service})["volumeConfigurations"]
    return dict(found["managedEBSVolume"])


def test_the_tags_that_a_volume_has_from_the_service_are_given_for_run_task_takes_none_from_there() -> None:
    own = [{"key": "kind", "value": "data"}, {"key": "team", "value": "own"}]
    found = volume_of({"resourceType": "volume", "propagateTags": "SERVICE", "tags": own}, team="lab", cost="7")
    (specification,) = found["tagSpecifications"]
    assert specification.pop("tags") == [
        {"key": "cost", "value": "7"},
        {"key": "team", "value": "own"},
        {"key": "kind", "value": "data"},
    ]
    assert specification == {"resourceType": "volume"}


def test_a_volume_whose_tags_come_from_a_service_without_any_has_none() -> None:
    assert "tagSpecifications" not in volume_of({"resourceType": "volume", "propagateTags": "SERVICE"})


def test_a_volume_never_has_more_tags_than_there_may_be() -> None:
    own = [{"key": f"own-{at}", "value": "x"} for at in range(20)]
    specification = {"resourceType": "volume", "propagateTags": "SERVICE", "tags": own}
    found = volume_of(specification, **{f"of_service_{at}": "x" for at in range(41)})
    assert len(found["tagSpecifications"][0]["tags"]) == 50


@pytest.mark.parametrize("propagated", [{"propagateTags": "TASK_DEFINITION"}, {"propagateTags": "NONE"}, {}])
def test_other_tags_of_a_volume_stay_as_they_are(propagated: dict[str, Any]) -> None:
    specification = {"resourceType": "volume", "tags": [{"key": "a", "value": "1"}], **propagated}
    assert volume_of(specification, team="lab")["tagSpecifications"] == [specification]


def test_the_tags_of_the_service_go_along_but_for_ours_and_those_of_aws() -> None:
    theirs = {"Team": "lab", "cost": "7"}
    ours = {"ecs-pipeline:release": "promoted", "ecs-pipeline:wanted": "arn", "ecs-pipeline:targets:1": "1 10.0.0.1:80"}
    found = tags({"tags": {**theirs, **ours, "aws:cloudformation:stack-name": "s"}})
    assert found == {**tags(), **theirs}


def test_the_tags_that_a_task_gets_later_are_there_when_it_starts() -> None:
    found = tags({"tags": {f"key-{number:02}": "x" for number in range(50)}})
    assert len(found) == 50
    unjudged = {
        release_tags.VERDICT: "",
        release_tags.JUDGED_STEPS: "0",
        release_tags.JUDGED_TASKS: "0",
        release_tags.BAKE_BEGAN: "",
    }
    assert unjudged.items() <= found.items()
    assert release_tags.parse_task(unjudged, "t") == release_tags.parse_task({}, "t")
    assert set(tags()) <= set(found)
    kept = sorted(set(found) - set(tags()))
    assert kept == [f"key-{number:02}" for number in range(len(kept))]
    assert len(kept) == 41


@settings(derandomize=True)
@given(name=st.text(min_size=1, max_size=255))
def test_ecs_takes_it_whatever_the_service_is_called(name: str) -> None:
    found = parameters(name=name)
    assert re.fullmatch(r"[A-Za-z0-9/_-]{1,128}", found["startedBy"])
    assert all(re.fullmatch(r"[\w .:/=+\-@]{0,256}", tag["value"]) for tag in found["tags"])


def test_whatever_else_changes_at_the_service_the_parameters_stay_the_same() -> None:
    then = service({"launchType": "FARGATE", "tags": {"a": "1", "b": "2"}, "runningCount": 3, "events": []})
    now = service(
        {
            "launchType": "FARGATE",
            "tags": {"b": "2", "a": "1", "ecs-pipeline:under-way": "r2"},
            "events": [{"id": "1"}],
        },
        running=9,
        desired=9,
        deployments=(deployment(5, created=later(60)),),
        revision=revision(5),
    )
    who: dict[str, Any] = {"release": "r2", "epoch": Epoch(), "role": "canary", "index": 0}
    asked: dict[str, Any] = {"revision": revision(2), "revision_tags": {}, **who}
    assert run_parameters(then, **asked) == run_parameters(now, **asked)


@pytest.mark.parametrize(
    "other",
    [{"release": "r3"}, {"epoch": Epoch("abd", "r1")}, {"revision": revision(3)}, {"role": "baseline"}, {"index": 1}],
)
def test_another_release_turn_revision_role_or_number_is_another_task(other: dict[str, Any]) -> None:
    assert parameters(**other) != parameters()


def test_started_by_is_the_same_for_every_release_and_turn_of_a_service() -> None:
    found = [parameters(release=number, epoch=Epoch(number), index=int(number))["startedBy"] for number in ("1", "2")]
    assert found == ["canary/web", "canary/web"]
