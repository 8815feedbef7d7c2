"""TensorFlow is loaded by the two commands that need it, and only when they do."""

from __future__ import annotations

import subprocess
import sys

ALL_COMMANDS = """
import importlib, sys
from tflm_hil.cli.app import COMMANDS
for command in COMMANDS:
    importlib.import_module(f"tflm_hil.cli.{command}")
import tflm_hil.pytest_plugin, tflm_hil.suite
print(*(name for name in ("tensorflow", "keras", "ai_edge_litert.interpreter") if name in sys.modules))
"""

PACKAGE = "import sys; before = set(sys.modules); import tflm_hil; print(*sorted(set(sys.modules) - before))"


def imported(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_no_command_loads_tensorflow_before_it_trains_or_converts() -> None:
    assert imported(ALL_COMMANDS) == []


def test_the_package_alone_imports_nothing_else() -> None:
    assert imported(PACKAGE) == ["tflm_hil"]
