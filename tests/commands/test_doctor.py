"""What `hil doctor` finds missing, and the command that it names."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.hil_command import ROOT, hil
from support.needs import needs_compiler, needs_emulator
from support.renode_installation import install
from support.targets import STM32F4
from tflm_hil.boards.qemu import board as qemu
from tflm_hil.engines.tflm import library as tflm_library
from tflm_hil.firmware import toolchain

TOOLS = {
    "arm-none-eabi-gcc": "apt-get install gcc-arm-none-eabi",
    "qemu-system-arm": "apt-get install qemu-system-arm",
}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIL_TFLM_LIB", raising=False)
    monkeypatch.setattr(tflm_library, "registry_answers", lambda: False)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that is the PATH: what lies in it is installed."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in (*TOOLS, "arm-none-eabi-g++", "arm-none-eabi-objcopy", "arm-none-eabi-size"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(programs))
    qemu.version.cache_clear()
    return programs


def rows(folder: Path) -> tuple[int, Mapping[str, str]]:
    """The exit status, and the line of each thing."""
    done = hil("doctor", cwd=folder)
    assert not done.stderr
    return done.returncode, {line[10:].split("  ")[0].strip(): line for line in done.stdout.splitlines()[1:]}


@needs_emulator
@needs_compiler
def test_where_nothing_is_missing_it_says_so() -> None:
    status, found = rows(ROOT)
    assert status == 0
    assert found["project"].startswith(" ok ")
    assert found["engine aot"].startswith(" ok ")
    assert found["engine tflm"].startswith(" optional ")
    assert "set HIL_TFLM_LIB to a local copy" in found["engine tflm"]
    assert not any(line.startswith(" MISSING") for line in found.values())


@needs_emulator
def test_renode_is_wanted_by_some_only(machine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("HIL_RENODE", raising=False)
    line = rows(ROOT)[1]["Renode"]
    assert line.startswith(" optional ")
    assert "Renode is not installed" in line
    assert "install it (`renode-run download`; or " in line
    renode = install(machine, STM32F4)
    line = rows(ROOT)[1]["Renode"]
    assert line.startswith(" ok ")
    assert line.endswith(f"1.16.1, {renode}")


@needs_emulator
@needs_compiler
@pytest.mark.parametrize("tool", TOOLS)
def test_what_is_missing_comes_with_the_command_that_brings_it(machine: Path, tool: str) -> None:
    (machine / tool).unlink()
    status, found = rows(ROOT)
    assert status == 1
    assert found[tool].startswith(" MISSING ")
    assert found[tool].endswith(TOOLS[tool])


@needs_emulator
@pytest.mark.parametrize("library", ["nano.specs", "libstdc++_nano.a"])
def test_a_library_that_debian_has_apart_is_told_by_itself(machine: Path, library: str) -> None:
    real = shutil.which("arm-none-eabi-gcc", path=os.defpath)
    if real is None:
        pytest.skip("no arm-none-eabi-gcc")
    compiler = machine / "arm-none-eabi-gcc"
    compiler.unlink()
    compiler.write_text(f'#!/bin/sh\n[ "$1" = "-print-file-name={library}" ] && echo {library} || exec {real} "$@"\n')
    compiler.chmod(0o755)
    status, found = rows(ROOT)
    assert status == 1
    assert found["arm-none-eabi-gcc"].startswith(" ok ")
    assert found[library].startswith(" MISSING ")
    package = {"nano.specs": "libnewlib-arm-none-eabi", "libstdc++_nano.a": "libstdc++-arm-none-eabi-newlib"}[library]
    assert found[library].endswith(f"apt-get install {package}")


@needs_emulator
@needs_compiler
def test_another_platformio_is_told_with_the_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "package_version", lambda name: "1.0" if name == "platformio" else "4.11.1")
    status, found = rows(ROOT)
    assert status == 1
    assert "platformio==1.0" in found["PlatformIO and SCons"]
    assert "pip install platformio==6.2.0 scons==4.11.1" in found["PlatformIO and SCons"]


@needs_emulator
@needs_compiler
@pytest.mark.parametrize(
    ("configuration", "status", "said"),
    [
        (None, 0, "hil new demo"),
        ('schema = "hil-project/9"', 1, "pip install --upgrade tflm-hil"),
        ('schema = "hil-project/1"', 1, "add a model"),
    ],
)
def test_of_a_project_it_says_what_is_wrong_with_it(
    tmp_path: Path, configuration: str | None, status: int, said: str
) -> None:
    if configuration:
        (tmp_path / "hil.toml").write_text(configuration + "\n")
    ended, found = rows(tmp_path)
    assert ended == status
    assert said in found["project"]


@needs_emulator
def test_an_application_built_elsewhere_needs_the_emulator_of_its_chip_and_no_compiler_of_ours(
    machine: Path, tmp_path: Path
) -> None:
    (machine / "arm-none-eabi-gcc").unlink()
    (machine / "qemu-system-arm").unlink()
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".hil", "build"))
    status, found = rows(tmp_path / "examples" / "arduino")
    assert status == 1
    assert found["arm-none-eabi-gcc"].startswith(" optional ")
    assert found["qemu-system-avr"].endswith("apt-get install qemu-system-misc")
    (machine / "qemu-system-avr").symlink_to(sys.executable)
    assert rows(tmp_path / "examples" / "arduino")[0] == 0


@needs_emulator
@needs_compiler
def test_a_folder_that_is_read_only_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretended, because root may write everywhere."""
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or path != tmp_path)
    status, found = rows(tmp_path)
    assert status == 1
    assert found["permission to write"].endswith(f"chmod u+w {tmp_path}")
