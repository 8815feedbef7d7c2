"""From recordings to a suite that passes on the emulated board, in a folder with nothing but recordings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from support.movement_sets import write_set
from support.needs import needs_emulator, needs_tensorflow
from tflm_hil.results.model import Results

pytestmark = [pytest.mark.nightly, needs_tensorflow, needs_emulator]

EXTERNAL = Path(__file__).parents[3] / "shared" / "data" / "punch-uppercut"
SENSOR = """
schema = "hil-recordings/1"
description = "Nano 33 BLE Sense Rev2"
sample_rate_hz = 100

[[files]]
path = "punch.csv"
label = "punch"

[[files]]
path = "upper_cut.csv"
label = "upper_cut"

[sensor]
name = "BMI270"
accelerometer_range_g = 4
gyroscope_range_dps = 2000
"""


def run(root: Path, program: str, *arguments: str) -> str:
    """What the program says; it may print warnings, but must end well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HIL_")}
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def on_the_board(root: Path) -> dict[str, float]:
    """The accuracy of each variant on the emulated board, on which every answer is that of the reference."""
    run(root, "pytest", "--board=emulated", "--hil-engine=aot")
    results = msgspec.json.decode((root / "reports" / "results.json").read_bytes(), type=Results)
    for each in results.runs:
        assert each.verdict == "pass"
    return {each.variant: (each.parity and each.parity.accuracy_device) or 0.0 for each in results.runs}


@pytest.mark.external
@pytest.mark.skipif(not EXTERNAL.is_dir(), reason=f"needs {EXTERNAL}")
def test_real_recordings(tmp_path: Path) -> None:
    folder = tmp_path / "recordings" / "boxing"
    folder.mkdir(parents=True)
    for name in ("punch.csv", "upper_cut.csv"):
        shutil.copy(EXTERNAL / name, folder)
    (folder / "recordings.toml").write_text(SENSOR)
    run(tmp_path, "hil", "train", "boxing", "--window", "100", "--stride", "5")
    run(tmp_path, "hil", "quantize", "boxing", "--variants", "float32,int8,int16x8")
    training = json.loads((tmp_path / "models" / "boxing" / "training.json").read_text())
    assert training["windows"] == {"training": 28 * 4, "validation": 7 * 4}
    assert training["accuracy"]["validation"] >= 0.9
    accuracies = on_the_board(tmp_path)
    assert set(accuracies) == {"float32", "int8", "int16x8"}
    assert min(accuracies.values()) >= 0.9


def test_a_convolutional_network(tmp_path: Path) -> None:
    write_set(tmp_path / "recordings" / "moves", {"punch": 8, "flex": 8, "idle": 6})
    run(tmp_path, "hil", "train", "moves", "--arch", "cnn", "--epochs", "60", "--early-stopping")
    run(tmp_path, "hil", "quantize", "moves", "--variants", "float32,float16,int8,int8_float_io,int16x8")
    assert set(on_the_board(tmp_path)) == {"float32", "float16", "int8", "int8_float_io", "int16x8"}
