"""The development platform: its boards, and the packages that PlatformIO needs to build for them.

A board is a target: a TOML file in harness/tflm_hil/targets, or in the project. Nothing is fetched from the registry
that this machine already has: the toolchain of the system and SCons from PyPI suffice.
"""

import contextlib
import importlib.metadata
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from platformio.dependencies import get_core_dependencies
from platformio.exception import UserSideException
from platformio.package.manager.core import get_core_package_dir
from platformio.package.meta import PackageItem, PackageMetadata, PackageSpec, PackageType
from platformio.platform.base import PlatformBase
from semantic_version import Version

sys.path.insert(0, str(Path(__file__).parent / "builder"))
from target_board import TargetBoard, find_targets

SCONS = "from SCons.Script.Main import main\n\nmain()\n"
TOOLCHAIN = "toolchain-gccarmnoneeabi"


class HilPlatform(PlatformBase):  # type: ignore[misc]
    """Bare-metal Cortex-M targets."""

    def get_boards(self, id_: str | None = None) -> Any:
        """Return the targets of our firmware and boards from JSON files; only the one called `id_` if that is given."""
        files = find_targets(Path(self.get_dir()), Path(self.config.get("platformio", "boards_dir")))
        if id_ in files and id_ not in self._BOARDS_CACHE:
            self._BOARDS_CACHE[id_] = TargetBoard(files[id_])
        if id_ is None:
            for name in files:
                with contextlib.suppress(UserSideException):
                    self.get_boards(name)
        return super().get_boards(id_)

    def configure_default_packages(self, options: dict[str, Any], targets: list[str]) -> None:
        """Choose the packages of one build. PlatformIO calls this before it installs any, its own SCons included."""
        if board := options.get("board"):
            self.board_config(board)  # Report a wrong file here in one line; SCons would print a traceback.
        if shutil.which("arm-none-eabi-gcc") is None:
            self.packages[TOOLCHAIN]["optional"] = False
        provide_scons(Path(self.config.get("platformio", "packages_dir")))
        super().configure_default_packages(options, targets)


def provide_scons(packages: Path) -> None:
    """Make the SCons of this Python environment PlatformIO's `tool-scons` package.

    PlatformIO numbers that package 4.<major><minor><patch>.0, with two digits each for minor and patch. If SCons is
    missing or has another version than PlatformIO requires, do nothing; PlatformIO then fetches its own.
    """
    try:
        installed = importlib.metadata.version("scons")
    except importlib.metadata.PackageNotFoundError:
        return
    major, minor, patch = (int(part) for part in installed.split("."))
    version = Version(f"4.{major}{minor:02d}{patch:02d}.0")
    spec = PackageSpec(owner="platformio", name="tool-scons", requirements=get_core_dependencies()["tool-scons"])
    there = get_core_package_dir("tool-scons", spec, auto_install=False)
    if version not in spec.requirements or (there and (Path(there) / "scons.py").read_text() == SCONS):
        return
    # Write beside it, then rename: if the disk is full, PlatformIO must not find an incomplete package.
    package, beside = packages / "tool-scons", packages / ".tool-scons"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    (beside / "package.json").write_text(
        json.dumps({"name": "tool-scons", "version": str(version), "description": f"SCons {installed} from PyPI"})
    )
    (beside / "scons.py").write_text(SCONS)
    PackageItem(str(beside), PackageMetadata(PackageType.TOOL, "tool-scons", str(version), spec)).dump_meta()
    shutil.rmtree(package, ignore_errors=True)
    beside.rename(package)
