"""Tools that are missing, incomplete or broken are one line with the remedy."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest
from tflm_hil.errors import HilError
from tflm_hil.firmware import toolchain


def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Make `script` the only compiler on PATH; its drivers are all the same."""
    for driver in toolchain.DRIVERS:
        compiler = tmp_path / driver
        compiler.write_text(f"#!/bin/sh\n{script}\n")
        compiler.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_versions_are_those_of_the_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, monkeypatch, 'case "$1" in -dumpfullversion) echo 12.2.1;; *) echo /bin/sh;; esac')
    assert toolchain.versions() == {
        "arm-none-eabi-gcc": "12.2.1",
        "platformio": importlib.metadata.version("platformio"),
    }


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HilError, match=r"arm-none-eabi-gcc is not on PATH; apt-get install gcc-arm-none-eabi"):
        toolchain.versions()


def test_a_compiler_without_its_c_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What gcc answers for a file that it does not find is the name alone.
    pretend(tmp_path, monkeypatch, 'case "$1" in *nano.specs) echo nano.specs;; *) echo /bin/sh;; esac')
    with pytest.raises(HilError, match=r"without nano.specs; apt-get install .*libnewlib-arm-none-eabi"):
        toolchain.versions()


@pytest.mark.parametrize("driver", ["arm-none-eabi-g++", "arm-none-eabi-objcopy"])
def test_a_driver_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: str) -> None:
    pretend(tmp_path, monkeypatch, "echo /bin/sh")
    (tmp_path / driver).unlink()
    with pytest.raises(HilError, match=re.escape(f"{driver} is not on PATH, but") + ".*; apt-get install"):
        toolchain.versions()


@pytest.mark.parametrize("program", ["cc1", "cc1plus", "as"])
def test_a_compiler_without_what_its_driver_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    pretend(tmp_path, monkeypatch, f'case "$1" in *={program}) echo {program};; *) echo /bin/sh;; esac')
    with pytest.raises(HilError, match=f"comes without {program}; apt-get install"):
        toolchain.versions()


def test_a_compiler_that_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, monkeypatch, "exit 3")
    with pytest.raises(HilError, match="does not run"):
        toolchain.versions()


@pytest.mark.parametrize("package", ["platformio", "scons"])
def test_a_python_package_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    pretend(tmp_path, monkeypatch, "echo /bin/sh")

    def version(name: str) -> str:
        if name == package:
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(importlib.metadata, "version", version)
    with pytest.raises(HilError, match=re.escape(f"the Python package {package} is missing")):
        toolchain.versions()
