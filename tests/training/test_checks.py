"""What is wrong with recordings is one line before anything is trained."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from support.hil_command import hil
from support.movement_sets import csv, movement, write_set

FULL = {"punch": 4, "flex": 4}


def refusal(project: Path, *arguments: str) -> str:
    """The only line that `hil train moves` says, which writes nothing."""
    before = sorted(project.rglob("*"))
    done = hil("train", "moves", *arguments, cwd=project)
    assert done.returncode == 1
    assert sorted(project.rglob("*")) == before
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ({"punch": 4}, "the only label is 'punch', and a network tells at least two apart"),
        ({"punch": 4, "Punch": 4}, "labels 'punch' and 'Punch' differ only in case; spell them the same way"),
        ({"punch": 4, "flex": 1}, "label 'flex' has windows in 1 recording only; it takes 2"),
        ({"punch": 4, "(NaN)": 4}, "no label may be called (NaN); call it something else"),
    ],
)
def test_labels(tmp_path: Path, counts: dict[str, int], line: str) -> None:
    write_set(tmp_path / "recordings" / "moves", counts)
    assert line in refusal(tmp_path)


def test_a_recording_that_is_shorter_than_a_window(tmp_path: Path) -> None:
    write_set(tmp_path / "recordings" / "moves", FULL, rows=29)
    assert "0.csv:2: the recording has 29 rows, but a window has 30" in refusal(tmp_path)


def test_recordings_that_are_not_there(tmp_path: Path) -> None:
    assert "record some: hil capture" in refusal(tmp_path)
    write_set(tmp_path / "recordings" / "others", FULL)
    assert "name one of others, or a folder" in refusal(tmp_path)


def test_a_channel_that_never_changes(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "recordings" / "moves", FULL)
    for number in range(2):
        blocks = [movement(number, 40, seed) for seed in range(4)]
        for block in blocks:
            block[:, 4] = 12.5
        (folder / f"{number}.csv").write_text(csv(blocks))
    assert "channel gY is 12.5 dps in every row; mend the sensor's wiring" in refusal(tmp_path)


def test_a_file_in_another_unit(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "recordings" / "moves", FULL)
    blocks = [movement(1, 40, seed) * np.array([9.81] * 3 + [1] * 3) for seed in range(4)]
    (folder / "1.csv").write_text(csv(blocks))
    with pytest.warns(UserWarning, match="beyond what the sensor can measure"):
        line = refusal(tmp_path)
    assert re.search(
        r"1\.csv: \d+% of aY are at \+-4 g, where the sensor's range ends; are they in another unit\?", line
    )


def test_files_of_another_rate(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "recordings" / "moves", FULL, manifest='time_column = "t"')
    for number in range(2):
        lines = csv([movement(number, 40, seed) for seed in range(1)]).splitlines()
        period = (0.02, 0.01)[number]
        rows = [f"{line},{'t' if at == 0 else at * period}" for at, line in enumerate(lines)]
        (folder / f"{number}.csv").write_text("\n".join(rows))
    assert "1.csv:2: from here on, rows come at 100 Hz, not at the 50 Hz of the manifest" in refusal(tmp_path)


def test_clipped_gestures_are_a_warning_that_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training goes on, here to the end that there is without TensorFlow."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    folder = write_set(tmp_path / "recordings" / "moves", FULL)
    blocks = [movement(1, 40, seed) for seed in range(4)]
    blocks[0][:4, 0] = 4.2  # 2.5 % of the rows of this file
    (folder / "1.csv").write_text(csv(blocks))
    with pytest.warns(UserWarning, match=re.escape(f"{folder / '1.csv'}: 2.5% of aX are clipped at +-4 g")):
        line = refusal(tmp_path)
    assert line == "hil: TensorFlow is missing; run: pip install 'tflm-hil[train]'"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--arch", "lstm"), "--arch=lstm: no such network; choose dense or cnn"),
        (("--sensor", "MPU6051"), "sensor 'MPU6051' is unknown; use one of MPU6050"),
        (("--accelerometer-range", "5"), "MPU6050 has no range of 5 g; use one of 2, 4, 8, 16"),
    ],
)
def test_options(tmp_path: Path, arguments: tuple[str, ...], line: str) -> None:
    write_set(tmp_path / "recordings" / "moves", FULL)
    assert line in refusal(tmp_path, *arguments)


def test_a_column_that_nobody_knows(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "recordings" / "moves", FULL)
    for path in folder.glob("*.csv"):
        path.write_text(path.read_text().replace("gZ", "temperature"))
    assert "nobody knows what column 'temperature' measures; call columns aX" in refusal(tmp_path)
