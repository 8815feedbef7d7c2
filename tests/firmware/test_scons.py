"""The platform provides SCons as a package of PlatformIO: whole or not at all."""

from __future__ import annotations

import errno
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from platformio.package.manager.core import get_core_package_dir
from platformio.package.meta import PackageItem
from support.firmware_helpers import ROOT

FILES = {"package.json", "scons.py", ".piopm"}


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of packages, in which PlatformIO looks."""
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    monkeypatch.setenv("PLATFORMIO_PACKAGES_DIR", str(tmp_path / "packages"))
    return tmp_path / "packages"


@pytest.fixture(scope="module")
def platform() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hil_platform", ROOT / "firmware" / "platform" / "platform.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_platformio_finds_the_package(platform: ModuleType, packages: Path) -> None:
    platform.provide_scons(packages)
    assert files(packages / "tool-scons") == FILES
    assert Path(get_core_package_dir("tool-scons", auto_install=False)) == packages / "tool-scons"


@pytest.mark.parametrize("before", ["nothing", "half of one", "another's"])
def test_a_full_disk_leaves_no_half_of_it(
    platform: ModuleType, packages: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    package = packages / "tool-scons"
    if before == "half of one":
        (packages / ".tool-scons").mkdir(parents=True)
        (packages / ".tool-scons" / "package.json").write_text("{")
    if before == "another's":
        platform.provide_scons(packages)
        (package / "scons.py").write_text("another")
    there = files(package) if package.exists() else None

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(PackageItem, "dump_meta", full)
        with pytest.raises(OSError, match="No space left"):
            platform.provide_scons(packages)
    assert (files(package) if package.exists() else None) == there
    platform.provide_scons(packages)
    assert files(packages) == {"tool-scons"}
    assert files(package) == FILES
    assert (package / "scons.py").read_text() == platform.SCONS
