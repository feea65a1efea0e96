"""The embedded AWS does, through the real adapters, what the product relies on of AWS."""

from __future__ import annotations

from tests.contract.ports.others import AlarmContract, ScalingContract
from tests.contract.ports.revisions import RevisionContract
from tests.contract.ports.services import ServiceContract
from tests.contract.ports.targets import TargetContract
from tests.contract.ports.tasks import TaskContract


class TestAlarms(AlarmContract):
    pass


class TestRevisions(RevisionContract):
    pass


class TestScaling(ScalingContract):
    pass


class TestService(ServiceContract):
    pass


class TestTargets(TargetContract):
    pass


class TestTasks(TaskContract):
    pass
