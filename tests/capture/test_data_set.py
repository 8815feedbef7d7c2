"""A data set that grows: what is on the disk after each gesture, after a crash, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.sketch import counts
from tflm_hil.capture.data_set import DataSet, check_name
from tflm_hil.capture.setup import CHANNELS, Setup
from tflm_hil.errors import HilError, InfrastructureError
from tflm_hil.recordings import Channel, load_recordings
from tflm_hil.recordings.manifest import load_manifest

SETUP = Setup("MPU6050", 4, 2000, 50, (1, 2, 8200, 4, 5, 6.5))


def channels(setup: Setup = SETUP) -> list[Channel]:
    kinds = [("g", setup.accelerometer_range_g)] * 3 + [("dps", setup.gyroscope_range_dps)] * 3
    return [
        Channel(name, unit, sensor=setup.sensor, range=full_scale, normalize="none")
        for name, (unit, full_scale) in zip(CHANNELS, kinds, strict=True)
    ]


def write(folder: Path, label: str, gestures: NDArray[np.int16], setup: Setup = SETUP) -> list[str]:
    """Capture `gestures`; return what was told."""
    told: list[str] = []
    data_set = DataSet(folder, label)
    data_set.check(setup)
    for gesture in gestures:
        data_set.add(setup, setup.values(gesture), told.append)
    return told


def read(folder: Path, setup: Setup = SETUP) -> dict[str, list[list[list[int]]]]:
    """What the loader makes of it, in counts, by label."""
    found: dict[str, list[list[list[int]]]] = {}
    for recording in load_recordings(folder, channels(setup)):
        found.setdefault(str(recording.label), []).append(recording.samples.tolist())
    return found


@pytest.mark.parametrize(("g", "dps"), [(2, 250), (4, 2000), (16, 500)])
@pytest.mark.parametrize("sensor", ["MPU6050", "LSM6DSO"])
def test_every_count_comes_back(tmp_path: Path, sensor: str, g: int, dps: int) -> None:
    setup = Setup(sensor, g, dps, 50)
    every = np.arange(-32768, 32768, 13, dtype=np.int16)
    gesture = np.stack([np.roll(every, at) for at in range(6)], axis=1)
    write(tmp_path, "all", gesture[np.newaxis], setup)
    assert read(tmp_path, setup) == {"all": [gesture.tolist()]}


def test_captures_append_and_the_manifest_says_what_of(tmp_path: Path) -> None:
    sent = counts(5)
    write(tmp_path / "new", "punch", sent[:2])
    write(tmp_path / "new", "idle", sent[2:3])
    write(tmp_path / "new", "punch", sent[3:])
    assert read(tmp_path / "new") == {"punch": sent[[0, 1, 3, 4]].tolist(), "idle": sent[[2]].tolist()}
    manifest = load_manifest(tmp_path / "new")
    assert manifest.sample_rate_hz == 50
    assert manifest.sensor is not None
    assert manifest.sensor.offsets == list(SETUP.offsets)
    assert manifest.sensor.captured is not None
    assert manifest.sensor.captured.tzinfo is not None


def test_what_the_user_wrote_into_the_manifest_stays(tmp_path: Path) -> None:
    write(tmp_path, "punch", counts(1))
    path = tmp_path / "recordings.toml"
    edited = path.read_text().replace("\n[sensor]", "# left arm\n[sensor]")
    path.write_text(edited)
    write(tmp_path, "flex", counts(1))
    assert path.read_text().startswith(edited.rstrip())
    assert set(read(tmp_path)) == {"punch", "flex"}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 3000), before=st.integers(0, 2))
def test_a_torn_tail_is_mended_and_told(tmp_path: Path, cut: int, before: int) -> None:
    """Wherever a crash has cut the file, whole gestures stay, and the next one is whole."""
    for path in tmp_path.iterdir():
        path.unlink()
    sent = counts(before + 2, rows=10)
    write(tmp_path, "punch", sent[:-1])
    file = tmp_path / "punch.csv"
    content = file.read_bytes()
    cut = min(cut, len(content))
    file.write_bytes(content[:cut])
    ends = [at + 2 for at in range(len(content)) if content.startswith(b"\n\n", at)]
    whole = sum(end <= cut + 1 for end in ends)  # Only the empty line is missing, or nothing.
    torn = cut > ([len(",".join(CHANNELS)) + 1, *ends][whole]) and whole < len(ends)
    told = write(tmp_path, "punch", sent[-1:])
    assert read(tmp_path) == {"punch": [*sent[:whole].tolist(), sent[-1].tolist()]}
    assert [("the last gesture was cut off" in line) for line in told] == [True] * torn


def test_a_file_that_no_manifest_names_is_taken_in(tmp_path: Path) -> None:
    """As a kill between the two leaves it."""
    sent = counts(2)
    write(tmp_path, "punch", sent[:1])
    (tmp_path / "recordings.toml").unlink()
    write(tmp_path, "punch", sent[1:])
    assert read(tmp_path) == {"punch": sent.tolist()}


def test_an_interrupt_before_the_manifest_is_written_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_set = DataSet(tmp_path, "punch")

    def interrupted(_self: DataSet, _setup: Setup) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DataSet, "_list", interrupted)
        with pytest.raises(KeyboardInterrupt):
            data_set.add(SETUP, SETUP.values(counts(1)[0]), print)
    data_set.close()
    assert read(tmp_path) == {"punch": counts(1).tolist()}


def test_a_gesture_that_could_not_be_written_leaves_no_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = counts(2)
    sent[0] //= 1000  # Its text is shorter than what failed, and has to replace all of that.
    data_set = DataSet(tmp_path, "punch")
    data_set.add(SETUP, SETUP.values(sent[0]), print)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InfrastructureError, match="No space left on device; free some"):
            data_set.add(SETUP, SETUP.values(sent[1]), print)
    data_set.add(SETUP, SETUP.values(sent[0]), print)
    assert read(tmp_path) == {"punch": [sent[0].tolist()] * 2}


@pytest.mark.parametrize(
    ("setup", "message"),
    [
        (Setup("MPU6050", 4, 2000, 100), "sample_rate_hz is 50.0, but the board captures with 100"),
        (Setup("MPU6050", 8, 2000, 50), "[sensor] accelerometer_range_g is 4.0, but the board captures with 8"),
        (Setup("BMI270", 4, 2000, 50), "[sensor] name is MPU6050, but the board captures with BMI270"),
        (Setup("MPU6050", 4, 2000, 50, SETUP.offsets, True), "[sensor] offsets_removed is False, but the board"),
    ],
)
def test_another_setup_is_refused(tmp_path: Path, setup: Setup, message: str) -> None:
    write(tmp_path, "punch", counts(1))
    with pytest.raises(HilError) as raised:
        write(tmp_path, "flex", counts(1), setup)
    assert message in str(raised.value)
    assert set(read(tmp_path)) == {"punch"}


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "-x", "a.b", "ü", "a\n", "(none)", "x+y"])
def test_odd_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(HilError, match="use letters, digits, - and _"):
        DataSet(tmp_path, name)
    with pytest.raises(HilError, match="--set="):
        check_name("set", name)


def test_labels_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "Punch", counts(1))
    with pytest.raises(HilError, match=r"--label=punch: .* has Punch; use that, or a name of its own"):
        DataSet(tmp_path, "punch")


def test_what_was_not_captured_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "punch.csv").write_text("t,x\n1,2\n")
    with pytest.raises(HilError, match=r"punch\.csv: its first line is not aX,aY,aZ,gX,gY,gZ; choose another --label"):
        write(tmp_path, "punch", counts(1))
    (tmp_path / "recordings.toml").write_text(
        'schema = "hil-recordings/1"\nsample_rate_hz = 50\n[[files]]\npath = "punch.csv"\nlabel = "punch"\n'
    )
    with pytest.raises(HilError, match=r"has no \[sensor\], so it was not captured; choose another folder with --set"):
        DataSet(tmp_path, "flex")


@pytest.mark.parametrize(
    ("removed", "rail", "clipped"),
    [(False, 32767, True), (False, -32768, True), (True, 32667, True), (True, 32600, False)],
)
def test_a_clipped_gesture_is_told(removed: bool, rail: int, clipped: bool) -> None:
    setup = Setup("MPU6050", 4, 2000, 50, (0, 100, 0, 0, 0, 0), removed)
    gesture = counts(1)[0] // 2
    gesture[7, 1] = rail
    said = setup.clipped(setup.values(gesture).round(4))
    assert said == (
        "aY is at the end of the range in 1 of 30 rows; move less hard, or set a wider range" if clipped else ""
    )
