"""The service: DescribeServices, UpdateService, and its tags."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.errors import TooManyTags, Trouble
from ecs_pipeline.model.release import Service
from tests.contract.ports.ports import Ports


def is_stable(service: Service) -> bool:
    return [deployment.rollout for deployment in service.deployments] == ["COMPLETED"]


def tags(ports: Ports) -> dict[str, str]:
    return dict(ports.ecs.service().raw["tags"])


class ServiceContract:
    def test_a_stable_service(self, ports: Ports) -> None:
        service = ports.eventually(ports.ecs.service, is_stable)
        assert service.status == "ACTIVE"
        assert service.running == service.desired
        assert service.pending == 0
        assert service.primary
        assert service.primary.revision == service.revision
        assert service.primary.running == service.desired
        assert [(entry.target_group, entry.container, entry.port) for entry in service.load_balancing] == [
            (ports.group, "app", 8000)
        ]
        assert service.arn in {found.arn for found in ports.ecs.services()}
        assert ports.ecs.deleted_service() is None

    def test_its_tasks_are_told_by_their_group(self, ports: Ports) -> None:
        service = ports.eventually(ports.ecs.service, is_stable)
        arns = ports.ecs.arns_of_service()
        assert len(arns) == service.desired
        tasks = ports.ecs.tasks(arns)
        assert {task.arn for task in tasks} == set(arns)
        assert {task.group for task in tasks} == {f"service:{service.name}"}
        assert {task.revision for task in tasks} == {service.revision}
        assert {task.arn for task in ports.ecs.running_tasks()} >= set(arns)
        assert ports.ecs.protected_until(arns) == []

    def test_its_tasks_are_targets(self, ports: Ports) -> None:
        ports.eventually(ports.ecs.service, is_stable)
        addresses = {task.address for task in ports.ecs.tasks(ports.ecs.arns_of_service())}
        states = {health.identity: health.state for health in ports.elb.health(ports.group)}
        assert {states.get(address) for address in addresses} == {"healthy"}

    def test_an_update_rolls_out(self, ports: Ports) -> None:
        before = ports.eventually(ports.ecs.service, is_stable)
        revision = ports.registered().revision.arn
        ports.ecs.update_service(revision)
        begun = ports.ecs.service()
        assert begun.revision == revision
        assert begun.primary
        assert begun.primary.revision == revision
        assert begun.primary.rollout == "IN_PROGRESS"
        assert [deployment.status for deployment in begun.deployments] == ["PRIMARY", "ACTIVE"]
        assert begun.deployments[1].revision == before.revision
        done = ports.eventually(ports.ecs.service, is_stable)
        assert done.primary
        assert (done.primary.revision, done.primary.running) == (revision, done.desired)
        assert done.primary.id == begun.primary.id

    def test_an_update_to_what_it_runs_starts_no_rollout(self, ports: Ports) -> None:
        before = ports.eventually(ports.ecs.service, is_stable)
        ports.ecs.update_service(before.revision)
        after = ports.ecs.service()
        assert [deployment.id for deployment in after.deployments] == [
            deployment.id for deployment in before.deployments
        ]
        assert is_stable(after)

    @pytest.mark.parametrize("revision", ["inactive", "unknown"])
    def test_an_update_needs_an_active_revision(self, ports: Ports, revision: str) -> None:
        before = ports.eventually(ports.ecs.service, is_stable)
        arn = ports.revision + "0000"
        if revision == "inactive":
            arn = ports.registered().revision.arn
            ports.definitions.deregister(arn)
        with pytest.raises(Trouble, match="ClientException"):
            ports.ecs.update_service(arn)
        assert ports.ecs.service().deployments == before.deployments

    def test_it_uses_its_revision(self, ports: Ports) -> None:
        service = ports.eventually(ports.ecs.service, is_stable)
        (cluster,) = (arn for arn in ports.account.clusters() if arn.endswith(f"/{service.cluster}"))
        assert service.revision in {use.revision for use in ports.account.uses(cluster)}

    def test_tags_are_added_replaced_and_taken_away(self, ports: Ports) -> None:
        arn, before = ports.ecs.service().arn, tags(ports)
        ports.ecs.tag(arn, {"a": "1", "b": "1", "empty": ""})
        ports.ecs.tag(arn, {"b": "2"})
        assert tags(ports) == {**before, "a": "1", "b": "2", "empty": ""}
        ports.ecs.untag(arn, ["a", "b", "empty", "never there"])
        assert tags(ports) == before

    def test_marks_are_read_from_tags(self, ports: Ports) -> None:
        arn = ports.ecs.service().arn
        ports.ecs.tag(arn, {"ecs-pipeline:under-way": "v2", "ecs-pipeline:release": ""})
        assert (ports.ecs.service().marks.under_way, ports.ecs.service().marks.release) == ("v2", "")
        ports.ecs.untag(arn, ["ecs-pipeline:under-way", "ecs-pipeline:release"])
        assert ports.ecs.service().marks.under_way == ""

    def test_a_51st_tag_is_refused_and_the_others_of_the_call_with_it(self, ports: Ports) -> None:
        """Developer guide, "Tag restrictions"."""
        arn, before = ports.ecs.service().arn, tags(ports)
        full = {f"key-{number}": "value" for number in range(50 - len(before))}
        ports.ecs.tag(arn, full)
        with pytest.raises(TooManyTags):
            ports.ecs.tag(arn, {"key-0": "another", "one": "more"})
        ports.ecs.tag(arn, {"key-1": "another"})
        assert tags(ports) == {**before, **full, "key-1": "another"}
        ports.ecs.untag(arn, list(full))
        assert tags(ports) == before

    @pytest.mark.parametrize(
        "refused", [{"key": "a|b"}, {"key": "v" * 257}, {"k" * 129: ""}, {"aws:key": ""}, {"k|": ""}]
    )
    def test_tags_that_aws_refuses(self, ports: Ports, refused: dict[str, Any]) -> None:
        """Data type Tag."""
        before = tags(ports)
        with pytest.raises(Trouble, match="InvalidParameterException") as error:
            ports.ecs.tag(ports.ecs.service().arn, {"fine": "yes", **refused})
        assert not isinstance(error.value, TooManyTags)
        assert tags(ports) == before

    def test_tags_of_what_is_not_there(self, ports: Ports) -> None:
        with pytest.raises(Trouble, match="ResourceNotFoundException"):
            ports.ecs.tag(ports.revision + "0000", {"key": "value"})
