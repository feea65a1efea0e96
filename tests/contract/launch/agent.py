"""An agent as launch finds it: a PATH, a home, a wheel folder, and a library that carries a small package."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pip

from tools.package import REQUIREMENTS, pack

RESOURCES = Path(__file__).parents[3] / "resources" / "ecs_pipeline"
SHELLS = {"dash": ["dash"], "busybox": ["busybox", "sh"]}
BOUND = 300.0

PACKAGE = {
    "__init__.py": "",
    "cli/wiring.py": "import needed\n",
    "__main__.py": """
import os, signal, sys, time
import needed

def told(number, _):
    os.write(1, b"heard it\\n")
    os._exit(143)

signal.signal(signal.SIGTERM, told)
print(f"arguments {sys.argv[1:]}, umask {oct(os.umask(0))}", flush=True)
if "sleep" in sys.argv:
    time.sleep(60)
sys.exit(int(os.environ.get("FAKE_EXIT", "0")))
""",
}
"""Stands for the real package, which needs 90 MB of libraries: it says what reached it."""

REAL_PYTHON = Path(sys.executable).resolve()
QUICK_VENV = f"""
if [ "$3" = venv ]; then
    "{REAL_PYTHON}" -I -m venv --without-pip "$4" || exit
    cd "$4"/lib/python3*/site-packages && exec ln -s "{Path(pip.__file__).parent}" .
fi
exec "{REAL_PYTHON}" "$@"
"""
"""Python, but pip comes into an environment as a link, for installing it takes seconds; test_real_launch.py does."""

NEEDED = {
    "needed.py": "",
    "needed-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: needed\nVersion: 1.0\n",
    "needed-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "needed-1.0.dist-info/RECORD": "needed.py,,\n",
}


@dataclass
class Agent:
    """A folder that is all there is of an agent."""

    folder: Path
    shell: str

    def __post_init__(self) -> None:
        for folder in (self.library, self.programs, self.wheels, self.workspace, self.home):
            folder.mkdir(parents=True)
        self.pin(self.wheel())
        self.carry(PACKAGE)
        self.program("python3", QUICK_VENV)
        self.environment = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "HOME": str(self.home),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": self.wheels.as_uri(),
            "PIP_CONFIG_FILE": os.devnull,
        }

    @property
    def library(self) -> Path:
        return self.folder / "the library@tmp"

    @property
    def launch(self) -> Path:
        return self.library / "launch"

    @property
    def sources(self) -> Path:
        return self.folder / "sources"

    @property
    def requirements(self) -> Path:
        return self.folder / "requirements.txt"

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    @property
    def wheels(self) -> Path:
        return self.folder / "wheels"

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    @property
    def home(self) -> Path:
        return self.folder / "a home"

    @property
    def cache(self) -> Path:
        return self.home / ".cache" / "ecs-pipeline"

    def carry(self, files: dict[str, str]) -> None:
        """Make launch with a package of these."""
        for name, text in files.items():
            file = self.sources / "ecs_pipeline" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        pack(self.sources, self.requirements, self.launch)

    def wheel(self) -> str:
        """Put the one library that the package needs into the wheel folder; returns its hash."""
        file = self.wheels / "needed-1.0-py3-none-any.whl"
        with zipfile.ZipFile(file, "w") as archive:
            for name, text in NEEDED.items():
                archive.writestr(zipfile.ZipInfo(name), text)
        return hashlib.sha256(file.read_bytes()).hexdigest()

    def pin(self, digest: str) -> None:
        self.require(f"needed==1.0 --hash=sha256:{digest}\n")

    def require(self, text: str) -> None:
        """Make launch with these requirements."""
        self.requirements.write_text(text)
        if self.sources.exists():
            self.carry({})

    def carry_the_real_ones(self) -> None:
        """Take launch as the library has it."""
        shutil.copy(RESOURCES / "launch", self.launch)
        shutil.copy(REQUIREMENTS, self.requirements)

    def program(self, name: str, body: str) -> None:
        """Put a shell script on the PATH."""
        file = self.programs / name
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)

    def only_python(self, first: str) -> None:
        """Leave one Python on the PATH, which runs this line before what it is asked to run by -c."""
        answer = '[ "$1" = --version ] && echo Python 3.9.18 && exit'
        self.program("python3", f'{answer}\ncode=$3\nshift 3\nexec "{REAL_PYTHON}" -I -c "{first}\n$code" "$@"')
        for name in ("python", *(f"python3.{minor}" for minor in range(10, 15))):
            self.program(name, "exit 127")

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start launch as the Jenkins step does, without its x bit."""
        return subprocess.Popen(
            [*SHELLS[self.shell], str(self.launch), *words],
            cwd=self.workspace,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            umask=0o027,
            preexec_fn=_default_signals,  # noqa: PLW1509 - the tests start no threads
        )

    def run(self, *words: str, **environment: str) -> Ended:
        """Run launch to its end."""
        return ended(self.start(*words, **environment))

    def environments(self) -> list[Path]:
        return sorted(self.cache.glob("0*"))

    def left_over(self) -> list[Path]:
        return sorted(self.cache.glob(".new.*"))


@dataclass
class Ended:
    """What a run of launch left."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """The line that tells why it could not be started."""
        lines = [
            line for line in self.err.splitlines() if line.startswith("ecs-pipeline: ") and "installing" not in line
        ]
        assert len(lines) == 1, self.err
        return lines[0].removeprefix("ecs-pipeline: ")


def _default_signals() -> None:
    """Under nohup, or in the background of a script, they are ignored, and no shell can trap what it inherits so."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for the end of a run."""
    try:
        out, err = process.communicate(timeout=BOUND)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Ended(process.returncode, out, err)
