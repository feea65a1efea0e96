"""Revisions: RegisterTaskDefinition, DeregisterTaskDefinition, DescribeTaskDefinition, ListTaskDefinitions."""

from __future__ import annotations

import pytest

from ecs_pipeline.errors import InvalidInput, TooManyTags, Trouble
from tests.contract.ports.ports import Ports


class RevisionContract:
    def test_a_revision_is_as_it_was_registered(self, ports: Ports) -> None:
        asked = ports.definition(ports.name("family"))
        made = ports.definitions.register(asked, {"team": "lab"})
        for seen in (made, ports.definitions.get(made.revision.arn), ports.new_definitions().get(made.revision.arn)):
            assert seen.revision.arn == made.revision.arn
            assert (seen.revision.family, seen.revision.number) == (asked["family"], 1)
            assert seen.revision.active
            assert seen.tags == {"team": "lab"}
            assert seen.definition["status"] == "ACTIVE"
            assert seen.definition["taskDefinitionArn"] == made.revision.arn
            assert seen.definition["cpu"] == asked["cpu"]
            container = seen.container("app")
            assert container
            assert container["image"] == asked["containerDefinitions"][0]["image"]
            assert container["portMappings"][0]["containerPort"] == 8000

    def test_revisions_are_listed_newest_first_and_by_their_whole_family(self, ports: Ports) -> None:
        family = ports.name("family")
        made = [ports.registered(family).revision.arn for _ in range(3)]
        other = ports.registered(family + "x").revision.arn
        assert ports.definitions.revisions(family) == made[::-1]
        assert ports.definitions.revisions(family, most=1) == made[:1:-1]
        assert ports.definitions.revisions(family + "x") == [other]
        assert ports.account.revisions(family) == made[::-1]
        assert ports.definitions.revisions(ports.name("nobody")) == []

    def test_a_deregistered_revision_is_inactive_and_still_described(self, ports: Ports) -> None:
        """DeregisterTaskDefinition: "At this time, INACTIVE task definitions remain discoverable indefinitely"."""
        family = ports.name("family")
        gone, kept = (ports.registered(family, tags={"team": "lab"}).revision.arn for _ in range(2))
        ports.definitions.deregister(gone)
        for port in (ports.definitions, ports.new_definitions()):
            assert port.revisions(family) == [kept]
            assert port.revisions(family, "INACTIVE") == [gone]
            assert not port.revision(gone).active
            assert port.revision(kept).active
            assert port.exists(gone)
            assert port.get(gone).tags == {"team": "lab"}
        assert ports.new_definitions().get(gone).definition["status"] == "INACTIVE"
        assert ports.account.revisions(family) == [kept]

    def test_a_revision_is_deregistered_twice_without_harm(self, ports: Ports) -> None:
        arn = ports.registered(ports.name("family")).revision.arn
        ports.definitions.deregister(arn)
        ports.definitions.deregister(arn)
        assert not ports.new_definitions().revision(arn).active

    def test_another_process_sees_that_a_revision_was_deregistered(self, ports: Ports) -> None:
        arn = ports.registered(ports.name("family")).revision.arn
        other = ports.new_definitions()
        assert other.revision(arn).active
        ports.definitions.deregister(arn)
        assert other.revision(arn, active=[arn]).active, "a list has just shown it"
        assert not other.revision(arn).active

    def test_a_number_is_never_used_again(self, ports: Ports) -> None:
        family = ports.name("family")
        ports.definitions.deregister(ports.registered(family).revision.arn)
        assert ports.registered(family).revision.number == 2

    def test_what_is_no_revision(self, ports: Ports) -> None:
        nobody = ports.revision + "0000"
        assert not ports.definitions.exists(nobody)
        assert not ports.definitions.revision(nobody).active
        with pytest.raises(InvalidInput, match="no task definition"):
            ports.definitions.get(nobody)
        with pytest.raises(Trouble):
            ports.definitions.deregister(nobody)

    @pytest.mark.parametrize("family", ["", "dots.and spaces", "f" * 256])
    def test_a_family_that_aws_does_not_take(self, ports: Ports, family: str) -> None:
        """RegisterTaskDefinition, family: up to 255 letters, numbers, underscores and hyphens."""
        with pytest.raises(InvalidInput):
            ports.definitions.register({**ports.definition(), "family": family}, {})

    def test_a_revision_is_registered_with_50_tags_at_most(self, ports: Ports) -> None:
        family = ports.name("family")
        tags = {f"key-{number}": "value" for number in range(50)}
        assert ports.registered(family, tags=tags).tags == tags
        with pytest.raises(InvalidInput):
            ports.registered(family, tags={**tags, "one": "more"})

    def test_tags_of_a_revision_are_added_and_replaced(self, ports: Ports) -> None:
        arn = ports.registered(ports.name("family"), tags={"team": "lab", "build": "1"}).revision.arn
        ports.ecs.tag(arn, {"build": "2", "ecs-pipeline:promoted": "yes"})
        seen = ports.new_definitions().get(arn)
        assert seen.tags == {"team": "lab", "build": "2", "ecs-pipeline:promoted": "yes"}
        assert seen.revision.promoted

    def test_an_inactive_revision_takes_tags(self, ports: Ports) -> None:
        arn = ports.registered(ports.name("family")).revision.arn
        ports.definitions.deregister(arn)
        ports.ecs.tag(arn, {"team": "lab"})
        assert ports.new_definitions().get(arn).tags == {"team": "lab"}

    def test_a_revision_takes_no_51st_tag(self, ports: Ports) -> None:
        tags = {f"key-{number}": "value" for number in range(50)}
        arn = ports.registered(ports.name("family"), tags=tags).revision.arn
        with pytest.raises(TooManyTags):
            ports.ecs.tag(arn, {"one": "more"})
        ports.ecs.tag(arn, {"key-0": "another"})
        assert ports.new_definitions().get(arn).tags == {**tags, "key-0": "another"}
