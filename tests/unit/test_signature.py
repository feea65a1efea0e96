"""The signature of an image: how `cosign` and `notation` are called, and what becomes of what they say."""

from __future__ import annotations

import base64
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.images import signature
from ecs_pipeline.images.signature import Login, Verification
from tests.fakes.clock import FakeClock
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.world import World
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import End, canary

IMAGE = f"{REGISTRY}/web@{digest_of('A')}"
SCRIPT = """#!/bin/sh
printf '%s\\n' "$@" > "{folder}/arguments"
env > "{folder}/environment"
pwd > "{folder}/place"
cat "$DOCKER_CONFIG/config.json" > "{folder}/config" 2>&-
cat "$DOCKER_CONFIG/config.json" > "{folder}/config-again" 2>&-
{does}
"""
KEYLESS = {"program": "cosign", "identity": "ci@example.org", "issuer": "https://issuer.example.org"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for programs that is alone on the path, but for the system's own."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.setenv("PYTHONPATH", "/evil")
    pretended = FakeClock.sleep

    def sleep(self: FakeClock, seconds: float) -> None:
        """The programs are real, and need real time."""
        time.sleep(min(seconds, 0.2))
        pretended(self, seconds)

    monkeypatch.setattr(FakeClock, "sleep", sleep)
    return tmp_path


def stand_in(folder: Path, program: str, does: str = "exit 0") -> None:
    script = folder / "bin" / program
    script.write_text(SCRIPT.format(folder=folder, does=does))
    script.chmod(0o755)


def arguments(folder: Path) -> list[str]:
    return (folder / "arguments").read_text().splitlines()


def environment(folder: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in (folder / "environment").read_text().splitlines())
    return {key: value for key, _, value in pairs}


def released(settings: dict[str, Any], world: World | None = None, **options: Any) -> End:
    world = world or start_of("P runs")
    world.images["A"] = digest_of("A")
    image = {"repository": "web", "signature": {"within": "15m", **settings}}
    return canary(world, release="A", settings={"image": image}, **options)


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({"program": "cosign", "key": "awskms:///alias/web"}, ["--key=awskms:///alias/web"]),
        ({"program": "cosign", "key": "/bin/sh"}, ["--key=/bin/sh"]),
        (
            KEYLESS,
            ["--certificate-identity=ci@example.org", "--certificate-oidc-issuer=https://issuer.example.org"],
        ),
        (
            {"program": "cosign", "key": "awskms:///alias/web", "transparency_log": False},
            ["--key=awskms:///alias/web", "--private-infrastructure=true"],
        ),
        ({"program": "notation"}, []),
    ],
)
def test_the_program_verifies_the_digest(folder: Path, settings: dict[str, Any], options: list[str]) -> None:
    stand_in(folder, settings["program"])
    end = released(settings)
    assert end.code == 0, end.text
    assert arguments(folder) == ["verify", *options, IMAGE]
    assert end.message("image").endswith(f"; signature verified by {settings['program']}")


def test_a_key_is_relative_to_the_config_and_has_to_be_there(folder: Path) -> None:
    stand_in(folder, "cosign")
    end = released({"program": "cosign", "key": "-keys/cosign.pub"})
    assert (end.code, end.writes) == (2, [])
    assert end.text.startswith("image.signature.key: there is no file ")
    assert end.text.endswith("-keys/cosign.pub; the path is relative to the config")
    assert not (folder / "arguments").exists()


def test_the_login_for_the_registry_is_neither_an_argument_nor_a_file_on_a_disk(folder: Path) -> None:
    """Cosign reads the file for each of its questions to the registry."""
    stand_in(folder, "cosign", f'ls -l "$DOCKER_CONFIG/config.json" > "{folder}/link"')
    assert released(KEYLESS).code == 0
    auth = base64.b64encode(b"AWS:password").decode()
    for name in ("config", "config-again"):
        assert json.loads((folder / name).read_text()) == {"auths": {REGISTRY: {"auth": auth}}}
    assert "-> /proc/self/fd/" in (folder / "link").read_text()
    given = environment(folder)
    assert not Path(given["DOCKER_CONFIG"]).exists()
    assert "password" not in " ".join([*arguments(folder), *given.values()])
    assert (folder / "place").read_text() == "/\n"
    assert "PYTHONPATH" not in given


def test_notation_takes_the_login_from_its_environment(folder: Path) -> None:
    stand_in(folder, "notation")
    assert released({"program": "notation"}).code == 0
    given = environment(folder)
    assert (given["NOTATION_USERNAME"], given["NOTATION_PASSWORD"]) == ("AWS", "password")
    assert "password" not in arguments(folder)


def test_an_image_of_another_registry_is_verified_with_the_logins_of_the_user(folder: Path) -> None:
    image = f"ghcr.io/shop/web@{digest_of('A')}"
    stand_in(folder, "notation")
    assert released({"program": "notation"}, image=image).code == 0
    assert arguments(folder) == ["verify", image]
    assert "NOTATION_PASSWORD" not in environment(folder)


@pytest.mark.parametrize("program", ["cosign", "notation"])
def test_an_image_that_is_not_signed_is_refused_before_a_revision_is_registered(folder: Path, program: str) -> None:
    stand_in(folder, program, "echo 'no signature of AWS:password'; exit 10")
    settings = KEYLESS if program == "cosign" else {"program": program}
    end = released(settings)
    assert end.code == 1
    assert end.text.startswith(f"{program} does not verify {IMAGE}: exit code 10; ")
    assert end.run.recorder.record.step("image").evidence == ("no signature of AWS:***",)
    assert "RegisterTaskDefinition" not in end.writes


def test_a_program_that_dies_has_said_nothing(folder: Path) -> None:
    stand_in(folder, "notation", "kill -9 $$")
    end = released({"program": "notation"})
    assert (end.code, end.text) == (4, "notation was killed by signal 9; the same command resumes")


def test_a_program_that_is_late_has_said_nothing(folder: Path) -> None:
    stand_in(folder, "notation", "exec sleep 600")
    end = released({"program": "notation", "within": "3s"})
    assert end.code == 4
    assert end.text.startswith(f"notation has not verified {IMAGE} within 3s; the same command resumes")
    assert "RegisterTaskDefinition" not in end.writes


def test_a_program_that_is_not_there_is_told_before_anything_is_touched(folder: Path) -> None:
    end = released({"program": "notation"})
    assert (end.code, end.writes) == (2, [])
    assert end.text == (
        "notation is not on this machine, and image.signature asks for it; "
        "install notation in an absolute folder of PATH, or take image.signature out"
    )


def test_a_program_of_the_workspace_is_not_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(folder, "notation")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", "bin:.:/usr/bin:/bin")
    with pytest.raises(InvalidInput, match=r"^notation is not on this machine"):
        Verification("notation").command(IMAGE)


def test_a_program_that_cannot_be_started_is_trouble(folder: Path) -> None:
    (folder / "bin" / "notation").write_bytes(b"\x7fELF")
    (folder / "bin" / "notation").chmod(0o755)
    end = released({"program": "notation"})
    assert end.code == 4
    assert end.text.endswith("notation cannot be started: Exec format error; repair notation")


def test_a_dry_run_tells_that_it_would_verify(folder: Path) -> None:
    stand_in(folder, "notation")
    end = released({"program": "notation"}, dry_run=True)
    assert end.code == 0, end.text
    assert "verify the signature with notation" in end.run.recorder.record.plan
    assert not (folder / "arguments").exists()


def test_the_program_does_not_outlive_what_waits_for_it(folder: Path) -> None:
    written = folder / "pid"
    stand_in(folder, "notation", f"echo $$ > {folder}/part; mv {folder}/part {written}; exec sleep 600")
    with signature.started(Verification("notation"), IMAGE, Login("r", "u", "p")) as ended:
        while not written.exists():
            time.sleep(0.01)
        assert ended() is None
    with pytest.raises(ProcessLookupError):
        os.kill(int(written.read_text()), 0)
