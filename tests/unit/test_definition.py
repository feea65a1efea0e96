"""Task definitions as documents: the image changed and nothing else, differences without secrets."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.load_balancing import LoadBalancing
from ecs_pipeline.task_definitions import definition
from tests.unit.facts import GROUP, OTHER_GROUP, service

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abn", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def containers(*names: str) -> dict[str, Any]:
    return {"containerDefinitions": [{"name": name, "image": f"old/{name}"} for name in names]}


def test_only_the_image_of_the_one_container_changes() -> None:
    before = {**containers("app", "proxy"), "cpu": "256", "unknown": {"image": "kept"}}
    untouched = copy.deepcopy(before)
    changed = definition.with_image(before, "app", "new")
    assert before == untouched
    assert [container["image"] for container in changed["containerDefinitions"]] == ["new", "old/proxy"]
    changed["containerDefinitions"][0]["image"] = "old/app"
    assert changed == before


def test_the_container_that_is_named_gets_the_image() -> None:
    assert definition.chosen_container(containers("app", "proxy"), service(), "proxy") == "proxy"


def test_else_the_one_behind_the_load_balancer() -> None:
    found = service(load_balancing=(LoadBalancing(GROUP, "proxy", 80), LoadBalancing(OTHER_GROUP, "proxy", 81)))
    assert definition.chosen_container(containers("app", "proxy"), found, "") == "proxy"


@pytest.mark.parametrize("behind", [(), (LoadBalancing(GROUP, "gone", 80),)])
def test_else_the_only_one(behind: tuple[LoadBalancing, ...]) -> None:
    assert definition.chosen_container(containers("app"), service(load_balancing=behind), "") == "app"
    assert definition.chosen_container(containers("app"), None, "") == "app"


def test_a_container_that_there_is_not_is_told_with_those_there_are() -> None:
    with pytest.raises(InvalidInput) as caught:
        definition.chosen_container(containers("app", "proxy"), service(), "aps")
    assert str(caught.value) == "no container aps in the task definition (did you mean app?); use one of: app, proxy"


@pytest.mark.parametrize("behind", [(), (LoadBalancing(GROUP, "app", 80), LoadBalancing(OTHER_GROUP, "proxy", 81))])
def test_an_unclear_container_is_not_guessed(behind: tuple[LoadBalancing, ...]) -> None:
    with pytest.raises(InvalidInput, match="not clear: app, proxy; name it: `container:` in the config"):
        definition.chosen_container(containers("app", "proxy"), service(load_balancing=behind), "")


@settings(derandomize=True)
@given(value=VALUES)
def test_a_definition_does_not_differ_from_itself(value: Any) -> None:
    assert list(definition.difference(value, copy.deepcopy(value))) == []
    assert list(definition.lost(value, copy.deepcopy(value))) == []


def test_each_difference_is_told_by_its_place_whatever_the_order() -> None:
    old = {"cpu": "256", "memory": "512", "containerDefinitions": [{"name": "a", "image": "x"}, {"name": "b"}]}
    new = {
        "containerDefinitions": [{"name": "b", "user": "1"}, {"name": "a", "image": "y", "command": ["z"]}],
        "memory": "1024",
        "pidMode": "task",
    }
    assert sorted(definition.difference(old, new)) == [
        "containerDefinitions.a.command: changed",
        "containerDefinitions.a.image: x → y",
        "containerDefinitions.b.user: nothing → 1",
        "cpu: 256 → nothing",
        "memory: 512 → 1024",
        "pidMode: nothing → task",
    ]


def test_entries_without_names_are_compared_by_their_position() -> None:
    ports = [{"containerPort": 1}, {"containerPort": 2}]
    more = [{"containerPort": 1}, {"containerPort": 3}, {"containerPort": 4, "protocol": "tcp"}]
    assert list(definition.difference({"portMappings": ports}, {"portMappings": more})) == [
        "portMappings[1].containerPort: 2 → 3",
        "portMappings[2].containerPort: nothing → 4",
        "portMappings[2].protocol: nothing → tcp",
    ]


def test_a_long_value_is_cut_but_never_an_image_by_digest() -> None:
    image = "r/a@sha256:" + "0" * 64
    lines = list(definition.difference({"image": "x", "user": "x"}, {"image": image, "user": "y" * 100}))
    assert lines == [f"image: x → {image}", f"user: x → {'y' * 59}…"]


def test_a_harmless_list_is_shown_whole() -> None:
    old, new = {"requiresCompatibilities": ["EC2"]}, {"requiresCompatibilities": ["EC2", "FARGATE"]}
    assert list(definition.difference(old, new)) == ['requiresCompatibilities: ["EC2"] → ["EC2", "FARGATE"]']


def test_a_line_is_one_line_whatever_a_definition_holds() -> None:
    old = {"user": "a\nb\x1b[2J", "dockerLabels": {"x\r\nFinished: SUCCESS": "1"}}
    assert list(definition.difference(old, {})) == ["user: a b → nothing", "dockerLabels.x Finished: SUCCESS: changed"]


@pytest.mark.parametrize("added", [True, False])
def test_no_secret_is_shown_of_a_container_that_is_added_or_removed_whole(*, added: bool) -> None:
    side = {"environment": [{"name": "KEY", "value": "hunter2"}], "name": "side", "image": "x"}
    less, more = {"containerDefinitions": [{"name": "app"}]}, {"containerDefinitions": [side, {"name": "app"}]}
    lines = sorted(definition.difference(*((less, more) if added else (more, less))))
    assert "hunter2" not in "".join(lines)
    assert f"containerDefinitions.side.image: {'nothing → x' if added else 'x → nothing'}" in lines
    assert "containerDefinitions.side.environment.KEY: changed" in lines


@pytest.mark.parametrize(
    ("member", "old", "new"),
    [
        ("environment", [{"name": "KEY", "value": "hunter1"}], [{"name": "KEY", "value": "hunter2"}]),
        ("environment", [{"name": "KEY", "value": "hunter1"}], []),
        ("environment", [], [{"name": "KEY", "value": "hunter2"}]),
        ("environment", [{"name": "KEY", "value": "hunter1"}] * 2, [{"name": "KEY", "value": "hunter2"}]),
        ("environment", None, [{"name": "KEY", "value": "hunter2"}]),
        ("secrets", [{"name": "KEY", "valueFrom": "hunter1"}], [{"name": "KEY", "valueFrom": "hunter2"}]),
        ("environmentFiles", [{"value": "hunter1"}], [{"value": "hunter2"}]),
        ("logConfiguration", {"options": {"token": "hunter1"}}, {"options": {"token": "hunter2"}}),
        ("firelensConfiguration", {"options": {"token": "hunter1"}}, {"options": {}}),
        ("command", ["login", "hunter1"], ["login", "hunter2"]),
        ("command", None, ["login", "hunter2"]),
        ("entryPoint", ["sh", "-c", "hunter1"], ["sh", "-c", "hunter2"]),
        ("healthCheck", {"command": ["CMD-SHELL", "hunter1"]}, {"command": ["CMD-SHELL", "hunter2"]}),
        ("dockerLabels", {"key": "hunter1"}, {"key": "hunter2"}),
        ("dockerLabels", {"image": "hunter1", "user": "x"}, {"image": "hunter2"}),
        ("dockerSecurityOptions", ["hunter1"], ["hunter2"]),
        ("repositoryCredentials", {"credentialsParameter": "hunter1"}, {"credentialsParameter": "hunter2"}),
        ("systemControls", [{"namespace": "n", "value": "hunter1"}], [{"namespace": "n", "value": "hunter2"}]),
        ("aMemberThatAwsAddsLater", {"name": "hunter1"}, {"name": "hunter2"}),
        ("aMemberThatAwsAddsLater", "hunter1", "hunter2"),
    ],
)
def test_a_value_that_may_be_secret_is_told_to_have_changed_and_not_shown(member: str, old: Any, new: Any) -> None:
    lines = list(
        definition.difference(
            {"containerDefinitions": [{"name": "app", member: old}]},
            {"containerDefinitions": [{"name": "app", member: new}]},
        )
    )
    assert lines
    assert all(line.startswith(f"containerDefinitions.app.{member}") and line.endswith(": changed") for line in lines)
    assert "hunter" not in "".join(lines)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (
            {"volumes": [{"name": "v", "dockerVolumeConfiguration": {"driverOpts": {"o": "password=hunter1"}}}]},
            {"volumes": [{"name": "v", "dockerVolumeConfiguration": {"driverOpts": {"o": "password=hunter2"}}}]},
            "volumes.v.dockerVolumeConfiguration.driverOpts.o: changed",
        ),
        (
            {"proxyConfiguration": {"properties": [{"name": "token", "value": "hunter1"}], "containerName": "a"}},
            {"proxyConfiguration": {"properties": [{"name": "token", "value": "hunter2"}], "containerName": "a"}},
            "proxyConfiguration.properties.token: changed",
        ),
    ],
)
def test_what_may_be_secret_beside_the_containers_is_not_shown(old: Any, new: Any, place: str) -> None:
    assert list(definition.difference(old, new)) == [place]


@given(VALUES, VALUES)
def test_only_harmless_members_are_ever_shown(old: Any, new: Any) -> None:
    secret = {"secret": old, "containerDefinitions": [{"name": "a", "labels": old}]}
    other = {"secret": new, "containerDefinitions": [{"name": "a", "labels": new}]}
    for line in definition.difference(secret, other):
        assert line.endswith(": changed")


def test_members_that_were_not_kept_are_named_and_added_ones_are_defaults() -> None:
    given_, kept = containers("app", "proxy"), containers("app", "proxy")
    given_.update(cpu="256", new={"a": [1, {"b": 2}]})
    kept.update(cpu="512", essential=True, new={"a": [1, {"b": 3}]})
    kept["containerDefinitions"][1].pop("image")
    assert sorted(definition.lost(given_, kept)) == ["containerDefinitions[1].image", "cpu", "new.a[1].b"]


@pytest.mark.parametrize("kept", [[1], [1, 2, 3], None, "12"])
def test_a_list_of_another_length_is_not_kept(kept: Any) -> None:
    assert list(definition.lost({"a": [1, 2]}, {"a": kept})) == ["a"]


def test_nulls_are_left_out_at_any_depth() -> None:
    value = {"a": None, "b": [{"c": None, "d": 0}, None], "e": "", "f": {"g": None}, "h": False}
    assert definition.without_nulls(value) == {"b": [{"d": 0}, None], "e": "", "f": {}, "h": False}


# ---- whether a described revision is made of a definition

GIVEN = {
    "family": "web",
    "containerDefinitions": [{"name": "app", "image": "x", "portMappings": [{"containerPort": 80}]}],
}


def described(container: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """GIVEN as AWS describes it, and what somebody else made of it."""
    port = {"containerPort": 80, "hostPort": 0, "protocol": "tcp"}
    app = {"name": "app", "image": "x", "cpu": 0, "essential": True, "environment": [], "portMappings": [port]}
    return {
        "family": "web",
        "volumes": [],
        "status": "ACTIVE",
        "containerDefinitions": [app | (container or {})],
        **members,
    }


@pytest.mark.parametrize(
    "container", [{}, {"portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]}]
)
def test_what_aws_adds_to_a_registration_makes_it_no_other_one(container: dict[str, Any]) -> None:
    assert definition.made_of(GIVEN, described(container), ("status",))


@pytest.mark.parametrize(
    "other",
    [
        described({"image": "y"}),
        described({"command": ["sh"]}),
        described({"environment": [{"name": "DEBUG", "value": ""}]}),
        described({"essential": False}),
        described({"privileged": True}),
        described({"user": "root"}),
        described({"dockerLabels": {"cpu": "1"}}),
        described({"portMappings": [{"containerPort": 80, "hostPort": 22, "protocol": "tcp"}]}),
        described(taskRoleArn="arn:aws:iam::1:role/admin"),
        described(pidMode="host"),
        described(newMemberOfAws={"x": 1}),
        described(containerDefinitions=[*described()["containerDefinitions"], {"name": "his", "image": "z"}]),
        described(family="evil"),
    ],
)
def test_what_somebody_added_makes_it_another_one(other: dict[str, Any]) -> None:
    assert not definition.made_of(GIVEN, other, ("status",))


def test_what_is_missing_makes_it_another_one() -> None:
    assert not definition.made_of({**GIVEN, "taskRoleArn": "arn:aws:iam::1:role/app"}, described(), ("status",))


@settings(max_examples=200)
@given(VALUES)
def test_whatever_a_definition_has_it_is_made_of_itself(value: Any) -> None:
    assert definition.made_of({"a": value}, {"a": value})
