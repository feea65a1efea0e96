"""`promote.autoscaling: hold`: suspended for the time of a promotion, put back as it was, also after a kill."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.aws.application_autoscaling import ApplicationAutoScaling
from ecs_pipeline.aws.session import AwsError
from ecs_pipeline.config.settings import Settings
from ecs_pipeline.model import scaling
from ecs_pipeline.model.scaling import ALL, Suspended
from ecs_pipeline.plans.refusals import OUR_TAGS
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.reports.status_table import rows
from ecs_pipeline.stages import status as status_stage
from tests.fakes.ports import new_run
from tests.fakes.world import World
from tests.unit.aws_stub import AwsStub, aws_stub, ok, refused, session
from tests.unit.canary_world import at, kill_at, once
from tests.unit.clocks import RecordingClock
from tests.unit.commands import NAMED, Commands, commands
from tests.unit.facts import service
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import QUICK, End, canary, promote, rollback, serving

HOLD: dict[str, Any] = {"promote": {**QUICK["promote"], "autoscaling": "hold"}}
BY_HAND = Suspended(scheduled=True)
"""What a person suspended before, which stays so."""


def held_world(failing: str = "") -> World:
    """The canary of A waits for its promotion, of a service with scaling of which a part is suspended."""
    world = start_of("A is a canary", {"A": failing} if failing else {})
    world.scaling = BY_HAND
    return world


def held_promote(world: World) -> End:
    return promote(world, release="A", settings=HOLD)


def suspensions(world: World) -> list[Suspended]:
    """What was sent, in order."""
    return [detail for _, name, detail in world.log if name == "RegisterScalableTarget"]


def mark(world: World) -> str:
    return world.service_tags.get(release_tags.SCALING, "")


def refuse(world: World, call: str, *, after: int = 0) -> None:
    """From then on the call is refused."""
    left = [after]

    def fail() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise AwsError(f"application-autoscaling:{call}", "AccessDeniedException", "not allowed")

    at(world, "before", call, fail)


def assert_as_before(world: World) -> None:
    assert (world.scaling, mark(world)) == (BY_HAND, "")


def test_it_is_suspended_before_the_update_and_put_back_after_the_rollout() -> None:
    world = held_world()
    seen: list[tuple[Suspended | None, str]] = []
    at(world, "before", "UpdateService", lambda: seen.append((world.scaling, mark(world))))
    end = held_promote(world)
    assert (end.code, seen) == (0, [(ALL, "in=no out=no scheduled=yes")]), end.text
    assert_as_before(world)
    assert suspensions(world) == [BY_HAND, ALL, BY_HAND]
    assert not list(clean(world))


def test_the_hold_is_looked_at_after_each_of_its_writes_and_put_back_at_the_end() -> None:
    world = held_world()
    assert held_promote(world).code == 0
    calls = [name for _, name, _ in world.log]
    begun = calls.index("DescribeScalableTargets")
    assert calls[begun : begun + 7] == [
        "DescribeScalableTargets",
        "RegisterScalableTarget",
        "TagResource",
        "DescribeServices",
        "RegisterScalableTarget",
        "DescribeServices",
        "TagResource",
    ]
    assert calls[-4:] == ["DescribeScalableTargets", "RegisterScalableTarget", "DescribeServices", "TagResource"]


def test_it_takes_as_many_calls_as_the_page_on_time_and_cost_says() -> None:
    plain, holding = held_world(), held_world()
    assert promote(plain, release="A").code == held_promote(holding).code == 0
    more = len(holding.log) - len(plain.log)
    page = (Path(__file__).parents[2] / "docs" / "time-and-cost.md").read_text(encoding="utf-8")
    assert f"`promote.autoscaling: hold` takes {more} calls more" in page


def test_the_mark_is_written_before_the_suspension() -> None:
    world = held_world()
    kill_at(world, "before", "RegisterScalableTarget", lambda: held_promote(world), count=2)
    assert (world.scaling, mark(world)) == (BY_HAND, str(BY_HAND))


def test_without_the_option_nobody_asks_for_scaling() -> None:
    world = held_world()
    assert promote(world, release="A").code == 0
    assert rollback(world).code == 0
    assert not [name for _, name, _ in world.log if "Scalable" in name]


def test_a_rollout_that_fails_is_restored_and_the_scaling_too() -> None:
    world = held_world("rollout")
    end = held_promote(world)
    assert (end.code, serving(world)) == (1, "web:2"), end.text
    assert_as_before(world)
    assert not list(clean(world))


def test_the_scaling_goes_on_before_the_hooks() -> None:
    world = held_world()
    seen: list[Suspended | None] = []
    at(world, "before", "RunTask", lambda: seen.append(world.scaling))
    hooks = {"hooks": {"after_promote": [{"name": "purge", "command": ["./purge"]}]}}
    assert promote(world, release="A", settings={**HOLD, **hooks}).code == 0
    assert seen == [BY_HAND]


def test_a_service_without_a_scalable_target_has_nothing_to_hold() -> None:
    world = held_world()
    world.scaling = None
    end = held_promote(world)
    assert end.code == 0, end.text
    assert end.run.recorder.record.notes == ["prd/web has no scalable target: there is no autoscaling to hold"]
    assert (suspensions(world), mark(world)) == ([], "")


def test_what_is_suspended_already_stays_so_and_takes_no_mark() -> None:
    world = held_world()
    world.scaling = ALL
    end = held_promote(world)
    assert (end.code, world.scaling, suspensions(world), mark(world)) == (0, ALL, [], "")
    assert end.run.recorder.record.notes == ["the autoscaling of prd/web is suspended already, and stays so"]


@pytest.mark.parametrize("call", ["DescribeScalableTargets", "RegisterScalableTarget"])
def test_what_is_not_allowed_ends_it_before_anything_is_written(call: str) -> None:
    world = held_world()
    refuse(world, call)
    end = held_promote(world)
    assert (end.code, end.writes) == (4, []), end.text
    assert call in end.text
    assert_as_before(world)


WRITES = ("TagResource", "RegisterScalableTarget", "UpdateService", "DeregisterTargets", "StopTask")
PLACES = [
    (moment, call, count)
    for call in WRITES
    for moment in ("before", "after")
    for count in ((1, 2, 3) if call in WRITES[:2] else (1,))
]
AGAIN: dict[str, Callable[[World], End]] = {
    "promote": held_promote,
    "promote without the option": lambda world: promote(world, release="A"),
    "rollback": rollback,
}


@pytest.mark.parametrize("again", AGAIN)
@pytest.mark.parametrize(("moment", "call", "count"), PLACES)
def test_after_a_kill_anywhere_the_next_command_puts_it_back(moment: str, call: str, count: int, again: str) -> None:
    world = held_world()
    kill_at(world, moment, call, lambda: held_promote(world), count=count)
    end = AGAIN[again](world)
    assert end.code == 0, end.text
    assert_as_before(world)


@pytest.mark.parametrize("call", ["RegisterScalableTarget", "TagResource"])
def test_a_canary_after_a_killed_promote_puts_it_back(call: str) -> None:
    """Killed at the last write of the hold: the promotion is done, and its own release needs no other command."""
    world = held_world()
    count = 3 if call == "RegisterScalableTarget" else 4
    kill_at(world, "before", call, lambda: held_promote(world), count=count)
    assert mark(world)
    assert canary(world, release="B").code == 0
    assert_as_before(world)


def test_a_canary_in_the_middle_of_the_rollout_leaves_it_to_the_promotion() -> None:
    world = held_world()
    seen: list[Suspended | None] = []

    def look() -> None:
        canary(world, release="A")
        seen.append(world.scaling)

    once(world, "after", "UpdateService", look)
    assert held_promote(world).code == 0
    assert seen == [ALL]
    assert_as_before(world)


def test_a_restore_that_was_killed_leaves_it_to_the_rollback() -> None:
    world = held_world("rollout")
    kill_at(world, "after", "TagResource", lambda: held_promote(world), count=4)
    assert release_tags.parse_epoch(world.service_tags[release_tags.EPOCH]).cancelled == "A"
    assert mark(world)
    assert (rollback(world).code, serving(world)) == (0, "web:2")
    assert_as_before(world)


@pytest.mark.parametrize("call", ["TagResource", "RegisterScalableTarget"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_rollback_at_the_moment_of_the_hold_leaves_nothing_suspended(call: str, count: int) -> None:
    world = held_world()
    left = [count]

    def cancelled() -> None:
        left[0] -= 1
        if not left[0]:
            assert rollback(world).code == 0

    at(world, "before", call, cancelled)
    end = held_promote(world)
    assert (end.code, serving(world)) == (3, "web:2"), end.text
    assert_as_before(world)


def test_marks_that_vanish_meanwhile_do_not_leave_it_suspended() -> None:
    world = held_world()
    once(world, "after", "UpdateService", world.service_tags.clear)
    end = held_promote(world)
    assert (end.code, world.scaling) == (3, BY_HAND), end.text


def test_a_stage_that_aws_fails_puts_it_back_too() -> None:
    world = held_world()
    at(world, "before", "StopTask", lambda: (_ for _ in ()).throw(AwsError("ecs:StopTask", "X", "no")))
    end = held_promote(world)
    assert end.code == 4
    assert_as_before(world)
    world.hook = lambda *_: None
    assert held_promote(world).code == 0
    assert_as_before(world)


WARNING = (
    "warning: the autoscaling of prd/web may still be suspended: application-autoscaling:RegisterScalableTarget: "
    "AccessDeniedException: not allowed; the next promote, rollback or canary tries it again; "
    "now: `aws … register-scalable-target … in=no out=no scheduled=yes`"
)


def test_a_rollback_is_not_stopped_by_what_cannot_be_put_back() -> None:
    world = held_world()
    kill_at(world, "after", "UpdateService", lambda: held_promote(world))
    refuse(world, "RegisterScalableTarget")
    end = rollback(world)
    assert (end.code, serving(world), world.scaling) == (0, "web:2", ALL), end.text
    assert end.run.recorder.record.notes == [WARNING]
    assert mark(world)
    world.hook = lambda *_: None
    assert canary(world, release="B").code == 0
    assert_as_before(world)


def test_the_service_is_back_before_the_scaling_is_asked_about() -> None:
    world = held_world()
    kill_at(world, "after", "UpdateService", lambda: held_promote(world))
    seen: list[str] = []
    at(world, "before", "DescribeScalableTargets", lambda: seen.append(serving(world)))
    assert rollback(world).code == 0
    assert seen == ["web:2"]


def test_nor_is_a_promotion() -> None:
    world = held_world()
    refuse(world, "RegisterScalableTarget", after=2)
    end = held_promote(world)
    assert (end.code, serving(world)) == (0, "web:3"), end.text
    assert end.run.recorder.record.notes == [WARNING]
    assert mark(world)


def test_a_target_that_was_removed_meanwhile_needs_nothing_but_the_mark_emptied() -> None:
    world = held_world()
    kill_at(world, "after", "UpdateService", lambda: held_promote(world))
    world.scaling = None
    assert held_promote(world).code == 0
    assert (world.scaling, mark(world)) == (None, "")


@pytest.mark.parametrize("forged", ["", "x", "in=no", "in=no out=no scheduled=maybe", "in=no out=no scheduled=no\n"])
def test_a_mark_that_nobody_of_us_wrote_counts_as_absent(forged: str) -> None:
    assert scaling.parse(forged) is None
    world = start_of("A is promoted")
    world.scaling, world.service_tags[release_tags.SCALING] = ALL, forged
    assert rollback(world).code == 0
    assert world.scaling == ALL


def test_a_forged_mark_resumes_scaling_at_worst() -> None:
    world = start_of("P runs")
    world.scaling, world.service_tags[release_tags.SCALING] = ALL, "in=no out=no scheduled=no"
    assert canary(world, release="A").code == 0
    assert (world.scaling, mark(world)) == (Suspended(), "")


@pytest.mark.parametrize("state", [Suspended(), BY_HAND, Suspended(scale_in=True), ALL])
def test_a_mark_is_read_as_it_was_written(state: Suspended) -> None:
    assert scaling.parse(str(state)) == state
    assert not release_tags.FORBIDDEN.search(str(state))


# ---- the tag's room


def test_the_key_is_reserved_by_the_canary_where_the_config_asks_for_it() -> None:
    plain, asking = World(), World()
    assert canary(plain, release="A").code == canary(asking, release="A", settings=HOLD).code == 0
    assert (release_tags.SCALING in plain.service_tags, asking.service_tags[release_tags.SCALING]) == (False, "")


@pytest.mark.parametrize(("settings", "present"), [(HOLD, False), (HOLD, True), ({}, True)])
def test_it_is_counted_among_the_tags_that_are_needed(settings: dict[str, Any], *, present: bool) -> None:
    world = World()
    world.service_tags |= {f"x{number}": "y" for number in range(release_tags.MOST_TAGS - OUR_TAGS)}
    world.service_tags |= {release_tags.SCALING: ""} if present else {}
    end = canary(world, release="A", settings=settings)
    assert (end.code, end.writes) == (3, [])
    assert "and 10 are needed" in end.text


# ---- what is told


def test_a_dry_run_says_it_and_writes_nothing() -> None:
    world = held_world()
    end = promote(world, release="A", settings=HOLD, dry_run=True)
    assert (end.code, end.writes) == (0, [])
    assert end.run.recorder.record.plan[:2] == [
        "suspend the autoscaling of prd/web until the end",
        "update prd/web from web:2 to web:3",
    ]


@pytest.mark.parametrize("stage", [promote, rollback, canary])
def test_a_dry_run_after_a_kill_says_that_it_would_put_it_back(stage: Callable[..., End]) -> None:
    world = held_world()
    kill_at(world, "before", "RegisterScalableTarget", lambda: held_promote(world), count=3)
    end = stage(world, dry_run=True)
    assert (end.code, end.writes) == (0, []), end.text
    line = "put the autoscaling of prd/web back to what it was (suspended: in=no out=no scheduled=yes)"
    assert line in end.run.recorder.record.plan


def test_status_tells_that_scaling_is_held() -> None:
    world = held_world()
    kill_at(world, "after", "UpdateService", lambda: held_promote(world))
    facts = status_stage.status(new_run(world, "status", []))
    assert facts["autoscaling_before"] == str(BY_HAND)
    told = ("autoscaling", "held by a promotion; suspended before: in=no out=no scheduled=yes")
    assert told in rows(facts)
    assert held_promote(world).code == 0
    facts = status_stage.status(new_run(world, "status", []))
    assert facts["autoscaling_before"] == ""
    assert "autoscaling" not in dict(rows(facts))


# ---- the wire


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStub]:
    with aws_stub(monkeypatch) as stub:
        yield stub


def adapter() -> ApplicationAutoScaling:
    made = session(RecordingClock())
    return ApplicationAutoScaling(lambda: made.client("application-autoscaling"))


TARGET = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}


def test_the_state_is_read_of_this_service_alone(aws: AwsStub) -> None:
    found = service()
    state = {"DynamicScalingInSuspended": True, "ScheduledScalingSuspended": True}
    aws.on("DescribeScalableTargets", ok({"ScalableTargets": [{**TARGET, "SuspendedState": state}]}))
    assert adapter().suspended(found) == Suspended(scale_in=True, scheduled=True)
    (request,) = aws.asked("DescribeScalableTargets")
    assert request.json == {**TARGET, "ResourceIds": [f"service/{found.cluster}/{found.name}"]}


@pytest.mark.parametrize(("targets", "state"), [([], None), ([TARGET], Suspended())])
def test_no_target_and_one_of_which_nothing_is_told(aws: AwsStub, targets: list[Any], state: Suspended | None) -> None:
    aws.on("DescribeScalableTargets", ok({"ScalableTargets": targets}))
    assert adapter().suspended(service()) == state


def test_only_the_state_is_sent_and_neither_limits_nor_role(aws: AwsStub) -> None:
    found = service()
    aws.on("RegisterScalableTarget", ok({"ScalableTargetARN": "arn"}))
    adapter().suspend(found, Suspended(scale_out=True))
    (request,) = aws.asked("RegisterScalableTarget")
    assert request.json == {
        **TARGET,
        "ResourceId": f"service/{found.cluster}/{found.name}",
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": True,
            "ScheduledScalingSuspended": False,
        },
    }


def test_what_aws_refuses_names_the_permission(aws: AwsStub) -> None:
    aws.on("RegisterScalableTarget", refused("AccessDeniedException"))
    with pytest.raises(AwsError, match="application-autoscaling:RegisterScalableTarget"):
        adapter().suspend(service(), ALL)


def test_the_command_for_a_person_says_the_same(aws: AwsStub) -> None:
    assert (
        adapter()
        .command(service(), BY_HAND)
        .endswith(
            "--suspended-state DynamicScalingInSuspended=false,DynamicScalingOutSuspended=false,"
            "ScheduledScalingSuspended=true"
        )
    )


# ---- the policy


def test_scaling_may_be_suspended_only_where_the_config_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run: Commands = commands(monkeypatch, capsys, tmp_path)
    plain = run("policy", *NAMED)
    assert "application-autoscaling" not in plain.out
    assert release_tags.SCALING not in plain.out
    assert f"left out {release_tags.SCALING} of MarkService: promote.autoscaling is not hold" in plain.err
    run.changes["settings"] = Settings.model_validate({"cluster": "prd", "service": "web", **HOLD})
    end = run("policy", *NAMED)
    found = {statement["Sid"]: statement for statement in json.loads(end.out)["Statement"]}
    account = "arn:aws:application-autoscaling:eu-west-1:123456789012"
    assert found["HoldAutoscaling"]["Resource"] == [f"{account}:scalable-target/*"]
    assert found["ReadAutoscaling"]["Resource"] == "*"
    assert release_tags.SCALING in json.dumps(found["MarkService"])
    assert release_tags.SCALING not in end.err
