"""Projects for single tests: other models, the same firmware and the same suite."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest
from tflm_hil.firmware import sources
from tflm_hil.results.model import Results, Run

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "tests" / "test_hil.py"
VARIABLES = ("HIL_BOARD", "HIL_MODEL", "HIL_ENGINE", "HIL_TARGET", "HIL_EMULATOR", "HIL_REPORT")


@functools.cache
def _built() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hil-"))
    atexit.register(shutil.rmtree, folder)
    return folder


class Project:
    """A project at `root` with its own models."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        (root / "hil.toml").write_text('schema = "hil-project/1"\n')
        # Shared by the projects of all tests of this process, so objects are compiled once.
        (root / ".hil").symlink_to(_built())
        (root / "models").mkdir()

    def add_model(self, name: str, tflite: bytes, manifest: str = "") -> None:
        """Add a model with one variant, `only`; `manifest` holds the keys besides name and network."""
        directory = self.root / "models" / name
        directory.mkdir()
        (directory / "network.tflite").write_bytes(tflite)
        (directory / "model.toml").write_text(
            f'schema = "hil-model/1"\nname = "{name}"\n{manifest}\n[variants.only]\nfile = "network.tflite"\n'
        )

    def copy_model(self, name: str) -> None:
        """Add a model of the real project, with its recordings."""
        (self.root / "models" / name).symlink_to(ROOT / "models" / name)
        if not (self.root / "recordings").exists():
            (self.root / "recordings").symlink_to(ROOT / "recordings")

    def own_firmware(self, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Build with a copy of the firmware that the test may change; return its folder."""
        shutil.copytree(ROOT / "firmware", self.root / "firmware", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "platformio.ini", self.root)
        monkeypatch.setattr(sources, "project", lambda: self.root)
        return self.root / "firmware"

    def run(self, pytester: pytest.Pytester, *arguments: str | Path) -> pytest.RunResult:
        """Run the suite, on the emulated board unless `arguments` name another."""
        for variable in VARIABLES:
            os.environ.pop(variable, None)
        return pytester.runpytest_inprocess(
            f"--rootdir={self.root}",
            *("-p", "no:cacheprovider"),
            f"--hil-report={self.root / 'reports'}",
            *([] if any(str(argument).startswith("--board=") for argument in arguments) else ["--board=emulated"]),
            SUITE,
            *arguments,
        )

    def runs(self) -> dict[str, Run]:
        """Return the results of the last run of the suite, by model and variant."""
        results = msgspec.json.decode((self.root / "reports" / "results.json").read_bytes(), type=Results)
        return {f"{run.model}-{run.variant}": run for run in results.runs}
