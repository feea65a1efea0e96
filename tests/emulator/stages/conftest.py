"""A service of each test's own; images are pushed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded_aws.launcher import EmbeddedAws
from tests.emulator.forks import Forks, forking
from tests.emulator.stages.deployer import Deployer
from tests.emulator.stages.images import Images
from tests.emulator.stages.scene import Scene


@pytest.fixture(scope="session")
def pushed(aws: Callable[[str], Any]) -> Images:
    """The app's variants in ECR."""
    return Images(aws)


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """What starts commands without the seconds that their imports take."""
    with forking() as started:
        yield started


@pytest.fixture
def scene(
    embedded_aws: EmbeddedAws, aws: Callable[[str], Any], pushed: Images, forks: Forks, tmp_path: Path
) -> Iterator[Scene]:
    """A service that is not started yet; what runs of it is stopped at the end."""
    embedded_aws.configure(health_check_interval=0.3)
    made = Scene(embedded_aws, aws, images=pushed, folder=tmp_path, forks=forks)
    yield made
    made.close()


@pytest.fixture
def deployer(scene: Scene) -> Deployer:
    """The service, whose tasks have roles and log with awslogs, and its deployer."""
    scene.client("logs").create_log_group(logGroupName=f"/{scene.name}")
    options = {"awslogs-group": f"/{scene.name}", "awslogs-region": scene.server.region, "awslogs-stream-prefix": "app"}
    made = Deployer(scene)
    scene.start(
        1, container={"logConfiguration": {"logDriver": "awslogs", "options": options}}, definition=made.roles()
    )
    scene.images.uri("v2")
    return made
