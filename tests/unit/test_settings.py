"""What a config may say: durations, the sizes of a canary, values that are read more kindly than strictly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ecs_pipeline.config.settings import CanarySettings, Settings
from ecs_pipeline.config.types import parse_duration
from ecs_pipeline.model.release import canaries_for, share


def canary(**keys: Any) -> CanarySettings:
    return CanarySettings.model_validate(keys)


def sizes(**keys: Any) -> list[tuple[int | None, float | None, float | None]]:
    return [(size.tasks, size.percent, size.bake) for size in canary(**keys).sizes]


@pytest.mark.parametrize(
    ("text", "seconds"), [("300ms", 0.3), ("90s", 90), ("5m", 300), ("1h", 3600), ("1.5h", 5400), ("0s", 0)]
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


def test_durations_are_written_as_they_may_be_read() -> None:
    written = canary(bake="5m", healthy_within="300ms").model_dump()
    assert (written["bake"], written["healthy_within"]) == ("5m", "300ms")
    assert CanarySettings.model_validate(written) == canary(bake="5m", healthy_within="300ms")


def test_the_defaults_are_those_of_the_documentation() -> None:
    found = Settings.model_validate({"cluster": "c", "service": "s"})
    assert sizes() == [(1, None, 300)]
    assert (found.canary.healthy_within, found.promote.stable_within, found.promote.stalled_after) == (300, None, 300)
    assert found.rollback.drain is None
    assert (found.image.context, found.image.dockerfile) == (".", "Dockerfile")


@pytest.mark.parametrize(("text", "seconds"), [("auto", None), ("0s", 0), ("2m", 120)])
def test_the_time_to_drain_is_the_target_groups_or_a_duration(text: str, seconds: float | None) -> None:
    found = Settings.model_validate({"cluster": "c", "service": "s", "rollback": {"drain": text}})
    assert found.rollback.drain == seconds


@pytest.mark.parametrize(("text", "seconds"), [("auto", None), ("2h", 7200)])
def test_the_time_of_a_rollout_follows_from_the_service_or_is_a_duration(text: str, seconds: float | None) -> None:
    found = Settings.model_validate({"cluster": "c", "service": "s", "promote": {"stable_within": text}})
    assert found.promote.stable_within == seconds


def test_a_canary_of_tasks_has_one_size() -> None:
    assert sizes(tasks=3, bake="1m") == [(3, None, 60)]


def test_a_canary_of_a_percentage_has_one_size() -> None:
    assert sizes(percent=33, bake="1m") == [(None, 33, 60)]


def test_a_canary_of_steps_bakes_each_for_its_own_time_or_for_that_of_the_canary() -> None:
    steps = [{"tasks": 1, "bake": "0s"}, {"percent": 50}, {"tasks": 4, "bake": "10m"}]
    assert sizes(steps=steps, bake="7m") == [(1, None, 0), (None, 50, 420), (4, None, 600)]


@pytest.mark.parametrize(
    ("key", "value", "taken"),
    [
        ("role_duration", "15m", True),
        ("role_duration", "12h", True),
        ("role_duration", "14m", False),
        ("role_duration", "13h", False),
        ("role_external_id", "shop/7:a=b", True),
        ("role_external_id", "a", False),
        ("role_external_id", "two words", False),
    ],
)
def test_a_roles_session_is_as_aws_takes_it(key: str, value: str, *, taken: bool) -> None:
    config = {"cluster": "c", "service": "s", key: value}
    if taken:
        assert Settings.model_validate(config)
        return
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(config)
    assert caught.value.errors()[0]["loc"] == (key,)


def test_settings_cannot_be_changed_by_a_stage() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(canary(tasks=1), "tasks", 2)  # noqa: B010 - mypy would refuse the plain assignment


@pytest.mark.parametrize(
    ("value", "argument"), [(True, "true"), (False, "false"), (3, "3"), (1.5, "1.5"), (None, None)]
)
def test_a_build_argument_may_be_written_without_quotes(value: Any, argument: str | None) -> None:
    found = Settings.model_validate({"cluster": "c", "service": "s", "image": {"build_args": {"A": value}}})
    assert found.image.build_args == {"A": argument}


@pytest.mark.parametrize(
    ("percent", "desired", "tasks"),
    [(33, 2, 1), (33, 3, 2), (50, 3, 3), (25, 3, 1), (10, 9, 1), (10, 10, 2), (1, 3, 1), (33, 0, 1), (99, 1, 99)],
)
def test_a_percentage_is_the_least_number_of_tasks_that_makes_up_so_much(
    percent: float, desired: int, tasks: int
) -> None:
    assert canaries_for(percent, desired) == tasks


@settings(derandomize=True)
@given(percent=st.integers(1, 99), desired=st.integers(1, 500))
def test_one_task_less_would_be_less_than_the_percentage(percent: int, desired: int) -> None:
    tasks = canaries_for(percent, desired)
    assert 100 * tasks >= percent * (tasks + desired)
    assert tasks == 1 or 100 * (tasks - 1) < percent * (tasks - 1 + desired)


def test_the_share_is_that_of_equal_targets() -> None:
    assert [share(1, 3), share(3, 3), share(0, 3), share(1, 0)] == [25, 50, 0, 100]
