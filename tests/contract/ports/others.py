"""Alarms (CloudWatch) and the suspension of automatic scaling (Application Auto Scaling)."""

from __future__ import annotations

import pytest

from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.scaling import Suspended
from tests.contract.ports.ports import Ports


class AlarmContract:
    def test_alarms_by_name_and_by_prefix(self, ports: Ports) -> None:
        """DescribeAlarms: what is not there is left out; an alarm asked for twice is told once."""
        prefix = ports.name("alarm")
        ports.set_alarm(f"{prefix}-a", "ALARM", "too many errors")
        ports.set_alarm(f"{prefix}-b", "OK", "")
        ports.set_alarm(f"x{prefix}", "OK", "")
        (named,) = ports.cloudwatch.alarms([f"{prefix}-a", f"{prefix}-none"])
        assert (named.name, named.state, named.reason) == (f"{prefix}-a", "ALARM", "too many errors")
        assert {alarm.name for alarm in ports.cloudwatch.alarms([], [prefix])} == {f"{prefix}-a", f"{prefix}-b"}
        both = ports.cloudwatch.alarms([f"{prefix}-a", f"x{prefix}"], [prefix])
        assert sorted(alarm.name for alarm in both) == [f"{prefix}-a", f"{prefix}-b", f"x{prefix}"]
        assert ports.cloudwatch.alarms([]) == []


class ScalingContract:
    def test_what_is_suspended_is_told(self, ports: Ports) -> None:
        """RegisterScalableTarget, SuspendedState; a service without a scalable target has none."""
        service = ports.ecs.service()
        assert ports.scaling.suspended(service) is None
        with pytest.raises(Trouble, match="ValidationException"):
            ports.scaling.suspend(service, Suspended())
        ports.set_scalable()
        before = ports.scaling.suspended(service)
        assert before == Suspended()
        held = Suspended(scale_in=True, scale_out=False, scheduled=True)
        ports.scaling.suspend(service, held)
        assert ports.scaling.suspended(service) == held
        ports.scaling.suspend(service, before)
        assert ports.scaling.suspended(service) == before
