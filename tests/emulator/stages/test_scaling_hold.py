"""`promote.autoscaling: hold` on the embedded AWS: with the documented statements, refused, killed, put back."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from ecs_pipeline.protocol import release_tags
from tests.emulator.embedded_aws.environment import wait_for
from tests.emulator.embedded_aws.scaling import Scaling
from tests.emulator.stages.deployer import Deployer, documents
from tests.emulator.stages.scene import Scene

BEFORE = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": True,
}
"""What somebody suspended by hand before."""


@pytest.fixture
def scaling(scene: Scene) -> Scaling:
    """The service with a scalable target, and a config that holds it."""
    scene.config(promote={"autoscaling": "hold"})
    scene.start(1)
    made = Scaling(scene)
    made.register(MinCapacity=1, MaxCapacity=4, SuspendedState=BEFORE)
    return made


def tag_of(scene: Scene) -> str | None:
    """The mark; None without the tag."""
    tags = scene.service(include=["TAGS"])["tags"]
    return next((str(tag["value"]) for tag in tags if tag["key"] == release_tags.SCALING), None)


def deployed(scene: Scene) -> tuple[Deployer, list[Any]]:
    """The deployer, and the statements that the page has for this option."""
    deployer = Deployer(scene)
    hold = next(text for text in documents() if "HoldAutoscaling" in text)
    return deployer, deployer.filled(hold)["Statement"]


def test_with_the_statements_of_the_page_it_is_held_and_put_back_and_without_them_nothing_is_written(
    scene: Scene, scaling: Scaling
) -> None:
    deployer, statements = deployed(scene)
    (before,) = scaling.targets()
    assert deployer.canary().code == 0
    read, write = statements
    for allowed, action in (([], "DescribeScalableTargets"), ([read], "RegisterScalableTarget")):
        deployer.allow([*deployer.stages["Statement"], *allowed])
        refused = deployer.runs("promote", "--release", "v2")
        assert refused.code == 4, refused.stderr
        assert f"application-autoscaling:{action}" in refused.report["message"]
        assert (refused.report["changed"], tag_of(scene), scaling.targets()) == (False, "", [before])
    deployer.allow([*deployer.stages["Statement"], read, write])
    done = deployer.runs("promote", "--release", "v2")
    assert done.code == 0, done.stderr
    assert f"suspend the autoscaling of {scene.name}/{scene.name}" in done.stderr
    assert scene.running_image() == scene.images.digest("v2")
    assert (scaling.targets(), tag_of(scene)) == ([before], "")


def test_a_killed_promote_leaves_it_held_and_the_rollback_puts_it_back(scene: Scene, scaling: Scaling) -> None:
    (before,) = scaling.targets()
    assert scene.canary().code == 0
    command, _ = scene.command("promote")
    with subprocess.Popen(command, cwd=scene.folder, env=scene.environment(), stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: all_suspended(scaling))
        finally:
            process.kill()
    status = scene.ecs_pipeline("status")
    assert "held by a promotion; suspended before: in=no out=no scheduled=yes" in status.stdout
    assert scene.ecs_pipeline("rollback").code == 0
    assert (scaling.targets(), tag_of(scene)) == ([before], "")
    assert scene.running_image() == scene.images.digest("v1")
    scene.assert_nothing_left()


def all_suspended(scaling: Scaling) -> bool:
    """Whether nothing scales."""
    return all(scaling.targets()[0]["SuspendedState"].values())
