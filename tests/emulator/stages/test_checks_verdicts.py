"""What the verdicts of checks do to a release: steps, and a container that ends beside them."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.emulator.embedded_aws.environment import wait_for
from tests.emulator.stages.scene import Scene

SOON = {"interval": "200ms", "failures": 1, "of": 1, "min_samples": 2}


def program(name: str, script: str, **settings: Any) -> dict[str, Any]:
    """A check whose exit code the test chooses."""
    return {"name": name, **SOON, "command": {"run": ["sh", "-c", script]}, **settings}


def test_a_canary_grows_by_steps_and_each_is_judged(scene: Scene) -> None:
    scene.start(2)
    script = 'echo "$ECS_PIPELINE_FACTS" | grep -o canary.*baseline | grep -o \'"ip"\' | wc -l >> sizes'
    count = program("count", script, min_samples=1)
    scene.config(canary={"steps": [{"tasks": 1, "bake": "1s"}, {"percent": 50, "bake": "1s"}], "checks": [count]})
    with ThreadPoolExecutor() as pool:
        running = pool.submit(scene.canary, "v2")
        wait_for(lambda: scene.marks().get("under-way") == "v2")
        watched = scene.ecs_pipeline("status", "--watch")
        canary = running.result()
    assert canary.code == 0, canary.stderr
    assert watched.code == 0, watched.stderr
    for line in ("verdict     none yet", "share       33.3 %", "share       50 %", "verdict     pass"):
        assert line in watched.stdout
    assert len(scene.canaries()) == 2
    assert canary.report["canary"]["share"] == 50
    sizes = (scene.folder / "sizes").read_text().split()
    assert sizes == sorted(sizes)
    assert set(sizes) == {"1", "2"}
    assert scene.ecs_pipeline("promote", "--release", "v2").code == 0
    scene.assert_nothing_left()


def test_a_container_that_ends_with_an_error_fails_the_release_though_its_task_lives(scene: Scene) -> None:
    """A sidecar that is not essential: no check looks at it."""
    scene.start(1, definition={"containerDefinitions": [app(scene), dying_sidecar(scene)]})
    scene.config(canary={"bake": "60s"})
    canary = scene.canary("v2")
    assert canary.code == 1, canary.stderr
    assert canary.cases()["bake"] == "failure"
    assert canary.case_message("bake").startswith("container sidecar of task ")
    assert canary.case_message("bake").endswith(" ended: exit code 7")
    assert scene.revisions() == [1]
    scene.assert_nothing_left()


def app(scene: Scene) -> dict[str, Any]:
    return {
        "name": "app",
        "image": scene.images.digest("v1"),
        "essential": True,
        "portMappings": [{"containerPort": 8000}],
    }


def dying_sidecar(scene: Scene) -> dict[str, Any]:
    """It lives until the canary is baked."""
    command = ["sh", "-c", "sleep 8; exit 7"]
    return {"name": "sidecar", "image": scene.images.digest("v1"), "essential": False, "command": command}


def test_a_canary_that_was_killed_in_a_step_goes_on_with_that_step(scene: Scene) -> None:
    scene.start(2)
    sizes = scene.folder / "sizes"
    script = 'echo "$ECS_PIPELINE_FACTS" | grep -o canary.*baseline | grep -o \'"ip"\' | wc -l >> sizes'
    steps = [{"tasks": 1, "bake": "1s"}, {"tasks": 2, "bake": "3s"}]
    scene.config(canary={"steps": steps, "checks": [program("count", script, min_samples=1)]})
    words, _ = scene.command("canary", "--image", scene.images.uri("v2"), "--release", "v2")
    canary = subprocess.Popen(words, cwd=scene.folder, env=scene.environment(), stderr=subprocess.DEVNULL)
    wait_for(lambda: sizes.exists() and "2" in sizes.read_text())
    canary.kill()
    canary.wait()
    tasks = {canary["taskArn"] for canary in scene.canaries()}
    sizes.write_text("")
    again = scene.canary("v2")
    assert again.code == 0, again.stderr
    assert set(sizes.read_text().split()) == {"2"}
    assert {canary["taskArn"] for canary in scene.canaries()} == tasks
    assert len(tasks) == 2
    assert scene.ecs_pipeline("rollback").code == 0
    scene.assert_nothing_left()
