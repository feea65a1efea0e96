"""Targets: RegisterTargets, DeregisterTargets, DescribeTargetHealth and DescribeTargetGroups."""

from __future__ import annotations

import pytest

from ecs_pipeline.errors import ReleaseFailed
from ecs_pipeline.model.load_balancing import Target
from tests.contract.ports.ports import Ports

NOBODY, SILENT = "127.0.0.1", 1
"""An address with a port at which nothing answers."""


class TargetContract:
    def test_the_group_as_it_is(self, ports: Ports) -> None:
        group = ports.elb.target_group(ports.group)
        assert group
        assert (group.arn, group.kind, group.protocol, group.drain) == (ports.group, "ip", "HTTP", ports.drain)
        assert (group.slow_start, group.anomaly_detection, group.sticky) == (0, False, False)

    def test_from_its_registration_to_the_end_of_its_drain(self, ports: Ports) -> None:
        """Application Load Balancers guide, "Health checks" and "Deregistration delay"; data type TargetHealth."""
        target = ports.target(ports.running().address)
        ports.in_state(target, "unused")
        ports.elb.register(ports.group, [target])
        begun = ports.health(target)
        assert begun.registered
        assert (begun.key, begun.draining) == (target.key, False)
        assert ports.in_state(target, "healthy").reason == ""
        assert target.key in {health.key for health in ports.elb.health(ports.group)}
        ports.elb.deregister(ports.group, [target])
        leaving = ports.health(target)
        assert (leaving.state, leaving.reason) == ("draining", "Target.DeregistrationInProgress")
        assert leaving.registered
        assert leaving.draining
        assert target.key in {health.key for health in ports.elb.health(ports.group)}
        gone = ports.in_state(target, "unused")
        assert gone.reason == "Target.NotRegistered"
        assert not gone.registered
        assert target.key not in {health.key for health in ports.elb.health(ports.group)}

    def test_a_new_target_is_checked_first(self, ports: Ports) -> None:
        ports.check_slowly()
        target = Target(ports.group, NOBODY, SILENT)
        ports.elb.register(ports.group, [target])
        seen = ports.health(target)
        assert seen.state == "initial"
        assert seen.reason in ("Elb.RegistrationInProgress", "Elb.InitialHealthChecking")
        ports.elb.deregister(ports.group, [target])

    def test_a_target_that_does_not_answer_is_unhealthy(self, ports: Ports) -> None:
        target = Target(ports.group, NOBODY, SILENT)
        ports.elb.register(ports.group, [target])
        seen = ports.in_state(target, "unhealthy")
        assert seen.reason in ("Target.Timeout", "Target.FailedHealthChecks")
        assert seen.registered
        ports.elb.deregister(ports.group, [target])

    def test_who_is_registered_again_stays_as_he_is(self, ports: Ports) -> None:
        target = ports.target(ports.running().address)
        ports.elb.register(ports.group, [target])
        ports.in_state(target, "healthy")
        ports.elb.register(ports.group, [target])
        assert ports.health(target).state == "healthy"
        assert [health.key for health in ports.elb.health(ports.group)].count(target.key) == 1

    def test_who_drains_and_is_registered_again_begins_anew(self, ports: Ports) -> None:
        target = ports.target(ports.running().address)
        ports.elb.register(ports.group, [target])
        ports.in_state(target, "healthy")
        ports.elb.deregister(ports.group, [target])
        ports.elb.register(ports.group, [target])
        assert not ports.health(target).draining
        ports.in_state(target, "healthy")

    def test_a_drain_is_not_begun_twice(self, ports: Ports) -> None:
        target = Target(ports.group, NOBODY, SILENT)
        ports.elb.register(ports.group, [target])
        ports.elb.deregister(ports.group, [target])
        ports.elb.deregister(ports.group, [target])
        ports.in_state(target, "unused")

    def test_who_is_not_registered_is_taken_out_without_harm(self, ports: Ports) -> None:
        target = Target(ports.group, NOBODY, SILENT)
        ports.in_state(target, "unused")
        ports.elb.deregister(ports.group, [target])
        assert ports.health(target).reason == "Target.NotRegistered"

    def test_a_target_is_an_address_with_its_port(self, ports: Ports) -> None:
        target, other = Target(ports.group, NOBODY, SILENT), Target(ports.group, NOBODY, SILENT + 1)
        ports.elb.register(ports.group, [target, other])
        ports.elb.deregister(ports.group, [other])
        assert not ports.health(target).draining
        assert [health.state for health in ports.elb.health(ports.group, [other])] == ["draining"]
        ports.elb.deregister(ports.group, [target])

    def test_a_stopped_task_stays_registered(self, ports: Ports) -> None:
        """What registers a target by hand has to take it out: ECS does so for the tasks of a service only."""
        task = ports.running()
        target = ports.target(task.address)
        ports.elb.register(ports.group, [target])
        ports.in_state(target, "healthy")
        ports.ecs.stop_task(task.arn, "enough")
        ports.stopped(task.arn)
        seen = ports.health(target)
        assert (seen.registered, seen.draining) == (True, False)

    def test_a_group_that_is_not_there(self, ports: Ports) -> None:
        gone = ports.group + "0"
        target = Target(gone, NOBODY, SILENT)
        assert ports.elb.target_group(gone) is None
        assert ports.elb.health(gone) == []
        assert ports.elb.health(gone, [target]) == []
        ports.elb.deregister(gone, [target])
        with pytest.raises(ReleaseFailed, match="does not exist any more"):
            ports.elb.register(gone, [target])
