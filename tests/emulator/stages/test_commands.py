"""The commands beside the stages, on real containers: what they read of AWS, and what they leave alone."""

from __future__ import annotations

from tests.emulator.stages.scene import Scene


def test_diff_shows_what_a_canary_changed(scene: Scene) -> None:
    scene.start(count=1)
    uri = scene.images.uri("v2")
    planned = scene.ecs_pipeline("diff", "--image", uri, "--exit-code")
    assert planned.code == 1, planned.stderr
    assert planned.stdout.splitlines() == [
        f"{scene.name}:1 → what a canary would register",
        f"  containerDefinitions.app.image: {scene.images.digest('v1')} → {scene.images.digest('v2')}",
    ]
    assert scene.revisions() == [1]

    assert scene.canary("v2").code == 0
    done = scene.ecs_pipeline("diff", "v2")
    assert done.stdout.splitlines()[1:] == planned.stdout.splitlines()[1:]
    assert scene.ecs_pipeline("diff", "--image", uri).stdout == planned.stdout
