"""The committed recordings are those that the simulation writes, and contain what the tests need."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tflm_hil.models.manifest import Model, load_models
from tflm_hil.recordings import Recording, load_recordings, windows
from tflm_hil.recordings.manifest import load_manifest

ROOT = Path(__file__).parents[2]
SETS = ("gesture", "five_gestures")
FOLDER = ROOT / "recordings" / "gesture"


@pytest.fixture(scope="module")
def model() -> Model:
    return load_models(ROOT)["gesture"]


@pytest.fixture(scope="module")
def recordings(model: Model) -> list[Recording]:
    assert model.recordings is not None
    return load_recordings(model.recordings, model.channels, minimum_rows=model.window)


@pytest.mark.parametrize("name", SETS)
def test_the_simulation_writes_the_committed_files(tmp_path: Path, name: str) -> None:
    folder = ROOT / "recordings" / name
    manifest = load_manifest(folder)
    assert manifest.simulated
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "recordings.simulate",
        name,
        "--output",
        tmp_path,
        "--seed",
        str(manifest.seed),
    ]
    subprocess.run(command, check=True, cwd=ROOT)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


def test_what_is_recorded(recordings: list[Recording]) -> None:
    assert sum(recording.label == "punch" for recording in recordings) == 60
    assert sum(recording.label == "flex" for recording in recordings) == 60
    continuous = [recording for recording in recordings if recording.label is None]
    assert [recording.name for recording in continuous] == ["continuous_1", "continuous_2", "continuous_3"]
    for recording in continuous:
        assert set(recording.row_labels or []) == {None, "punch", "flex", "idle"}


def test_enough_distinct_windows(recordings: list[Recording], model: Model) -> None:
    distinct = {
        window.tobytes()
        for recording in recordings
        for window in windows(recording.samples, model.window, model.stride)
    }
    assert len(distinct) >= 1100


def test_some_punches_are_beyond_the_range_of_the_sensor(recordings: list[Recording]) -> None:
    punches = np.concatenate([recording.samples[:, :3] for recording in recordings if recording.label == "punch"])
    assert (punches == 32767).any()
    assert (punches == -32768).any()


def test_counts_come_back_exactly(recordings: list[Recording], model: Model) -> None:
    """Loaded samples, written with the decimals of the file, give the text of the file again."""
    name = "continuous_1"
    (samples,) = (recording.samples for recording in recordings if recording.name == name)
    units = [channel.lsb_per_unit for channel in model.channels]
    text = [
        [f"{count / lsb:.{4 if lsb == 8192 else 2}f}" for count, lsb in zip(row, units, strict=True)]
        for row in samples.tolist()
    ]
    lines = (FOLDER / f"{name}.csv").read_text().splitlines()[1:]
    assert text == [line.split(",")[:6] for line in lines]
