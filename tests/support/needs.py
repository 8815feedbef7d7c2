"""Skip tests if a tool is missing."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from tflm_hil.boards.qemu.board import QEMU
from tflm_hil.errors import HilError
from tflm_hil.firmware import toolchain

needs_compiler = pytest.mark.skipif(
    shutil.which(toolchain.COMPILER) is None, reason=f"needs {toolchain.COMPILER}: run `make test`"
)
needs_qemu = pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not installed: run `make test`")
needs_emulator = pytest.mark.skipif(
    not (shutil.which(QEMU) and shutil.which(toolchain.COMPILER)),
    reason=f"needs {QEMU} and {toolchain.COMPILER}: run `make test`",
)
needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow: run `pip install -e '.[train]'`"
)


def skip_without_tools() -> None:
    """Skip the test if the toolchain is incomplete or the emulator is missing; stricter than the marks."""
    try:
        toolchain.versions()
    except HilError as error:
        pytest.skip(str(error))
    if shutil.which(QEMU) is None:
        pytest.skip(f"no {QEMU} on PATH")


def skip_without_packages(packages: Mapping[str, str]) -> None:
    """Skip the test if one of the commands or files that `packages` maps to Debian's packages is missing."""
    missing = [package for thing, package in packages.items() if not (shutil.which(thing) or Path(thing).is_file())]
    if missing:
        pytest.skip(f"apt-get install {' '.join(missing)}")
