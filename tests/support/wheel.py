"""The wheel, built once a run, and virtual environments that it is installed into: what a user has who has no clone."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from support.once import once

ROOT = Path(__file__).parents[2]
_SCRIPTS = Path(sys.executable).parent
_UV = _SCRIPTS / "uv"

# What a page calls `pip` is uv, which has what it needs in its cache after the first time.
PIP = """#!/bin/sh
[ "$1" = install ] && shift && exec "{uv}" pip install --quiet --python "{python}" --find-links "{dist}" "$@"
"""


def built() -> Path:
    """The folder of the source distribution and of the wheel that was built from it."""
    return once("dist", lambda folder: _build(folder))


def built_directly() -> Path:
    """The folder of the wheel that was built from the clone."""
    return once("wheel", lambda folder: _build(folder, "--wheel"))


def wheel_in(folder: Path) -> Path:
    """The wheel in `folder`."""
    (wheel,) = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Environment:
    """A virtual environment without pip, as uv makes them."""

    path: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.path / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where packages are installed."""
        return Path(sysconfig.get_path("purelib", "venv", {"base": str(self.path), "platbase": str(self.path)}))

    @property
    def package(self) -> Path:
        """The harness in it."""
        return self.site_packages / "tflm_hil"

    def add_program(self, name: str, script: str) -> None:
        """Put a shell script where programs are."""
        program = self.path / "bin" / name
        program.write_text(script)
        program.chmod(0o755)

    def run(self, command: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a shell command in `folder`, with this environment as the active one, and a home that is empty."""
        home = self.path / "home"
        home.mkdir(exist_ok=True)
        programs = [part for part in os.environ["PATH"].split(os.pathsep) if Path(part) != _SCRIPTS]
        variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("HIL_", "PYTEST_"))},
            "HOME": str(home),
            "PATH": os.pathsep.join([str(self.path / "bin"), *programs]),
            "VIRTUAL_ENV": str(self.path),
            "UV_CACHE_DIR": _uv("cache", "dir").strip(),
            "PIP_FIND_LINKS": f"{os.environ.get('PIP_FIND_LINKS', '')} {built()}",
        }
        return subprocess.run(
            ["/bin/sh", "-ec", command], cwd=folder, env=variables, capture_output=True, text=True, check=False
        )


def new_environment(path: Path) -> Environment:
    """An environment that has nothing but a `pip`."""
    _uv("venv", "--quiet", "--python", sys.executable, str(path))
    environment = Environment(path)
    environment.add_program("pip", PIP.format(uv=_UV, python=environment.python, dist=built()))
    return environment


def beside_this_one(path: Path) -> Environment:
    """An environment with the wheel, whose dependencies are those of this one, an editable install among them."""
    environment = new_environment(path)
    # Copied, as tests change what is installed, which must not reach uv's cache.
    how = ("--quiet", "--no-deps", "--link-mode", "copy", "--python", str(environment.python))
    _uv("pip", "install", *how, str(wheel_in(built())))
    (environment.site_packages / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for program, module in (("pytest", "pytest"), ("pio", "platformio")):
        environment.add_program(program, f'#!/bin/sh\nexec "{environment.python}" -m {module} "$@"\n')
    return environment


def _build(folder: Path, *what: str) -> None:
    how = ("--quiet", "--no-build-isolation", "--python", sys.executable)
    _uv("build", *how, *what, "--out-dir", str(folder), str(ROOT))


def _uv(*arguments: str) -> str:
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    return subprocess.run([_UV, *arguments], env=variables, capture_output=True, text=True, check=True).stdout
