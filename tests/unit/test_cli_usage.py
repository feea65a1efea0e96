"""The command line: usage, help, and the flags that hints repeat."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ecs_pipeline import __version__
from ecs_pipeline.cli.next_steps import with_flags
from ecs_pipeline.cli.options import Common
from tests.unit.commands import NAMED, Commands, commands


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    return commands(monkeypatch, capsys, tmp_path)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("canary", "--relase", "x"), "ecs-pipeline canary: No such option '--relase'"),
        (("canry",), "ecs-pipeline: No such command 'canry'"),
        (("canary", "--release"), "ecs-pipeline: Option '--release' requires an argument"),
        (("canary", "now"), "ecs-pipeline canary: Got unexpected extra argument (now)"),
        (("status", "--output", "xml"), "ecs-pipeline status: Invalid value for '--output': 'xml' is not one of"),
        (("rollback", "--to", "1", "--canary"), "ecs-pipeline rollback: --to excludes --release and --canary"),
        (("promote", "--release", ""), "ecs-pipeline promote: Invalid value for '--release': it is empty"),
        (("canary", "--image", " "), "ecs-pipeline canary: Invalid value for '--image': it is empty"),
        (("status", "--cluster", ""), "ecs-pipeline status: Invalid value for '--cluster': it is empty"),
        (("rollback", "--to", "1", "--release", "r"), "ecs-pipeline rollback: --to excludes --release and --canary"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_help(run: Commands, words: tuple[str, ...], line: str) -> None:
    end = run(*words)
    assert (end.code, end.out, end.err.count("\n")) == (2, "", 1)
    assert end.err.startswith(line)
    assert end.err.endswith(f"(see `{line.partition(':')[0]} --help`)\n")
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("given", "meant"),
    [("--env", "--environment"), ("--relase", "--release"), ("--img", "--image"), ("--clustr", "--cluster")],
)
def test_an_option_that_there_is_not_names_the_one_that_is_meant(run: Commands, given: str, meant: str) -> None:
    assert f"No such option '{given}'. Did you mean '{meant}'?" in run("canary", given, "x").err


def test_a_canary_that_passed_says_what_may_be_done_next_with_the_flags_given(run: Commands) -> None:
    end = run("canary", *NAMED, "--release", "A")
    last = end.err.splitlines()[-1]
    flags = "--cluster prd --service web"
    assert last == f"→ takes 25.0 % until: ecs-pipeline promote {flags} | rollback {flags} --canary"


def test_the_commands_of_a_cure_carry_the_flags_given(run: Commands) -> None:
    run("canary", *NAMED, "--release", "A")
    end = run("promote", *NAMED, "--release", "B")
    assert end.err.splitlines()[-1] == (
        "→ promote what was approved: `promote --cluster prd --service web --release A`"
    )


@pytest.mark.parametrize(
    ("cure", "told"),
    [
        ("run `canary` first", "run `canary --environment p --service 'a b'` first"),
        ("`ecs-pipeline policy` prints it", "`ecs-pipeline policy --environment p --service 'a b'` prints it"),
        ("`rollback --cluster c --service s` it", "`rollback --cluster c --service s` it"),
        ("correct `rollback.drain` or `canary.bake`", "correct `rollback.drain` or `canary.bake`"),
    ],
)
def test_only_commands_get_the_flags_and_only_once(cure: str, told: str) -> None:
    assert with_flags(cure, Common(environment="p", service="a b")) == told
    assert with_flags(cure, Common()) == cure


def test_without_a_command_the_help_is_shown_as_a_mistake(run: Commands) -> None:
    end = run()
    assert (end.code, end.out) == (2, "")
    assert "Usage: ecs-pipeline" in end.err


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("canary", "--help"), ("rollback", "-h")])
def test_help_is_shown_on_stdout(run: Commands, words: tuple[str, ...]) -> None:
    end = run(*words)
    assert (end.code, end.err) == (0, "")
    assert end.out.startswith("Usage: ecs-pipeline")


def test_the_version_is_that_of_the_package(run: Commands) -> None:
    assert run("--version").out.strip().endswith(__version__)


@pytest.mark.parametrize("words", [["--help"], ["canary", "--help"], ["nonsense"]])
def test_help_needs_none_of_the_heavy_libraries(words: list[str]) -> None:
    script = (
        "import sys; from ecs_pipeline.cli.commands.main import main; main(sys.argv[1:]);"
        "print(sorted({'boto3', 'botocore', 'pydantic', 'docker', 'requests', 'jinja2', 'rich', 'ruamel'}"
        " & {name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ecs_pipeline", "nonsense"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ecs-pipeline: No such command 'nonsense'")
