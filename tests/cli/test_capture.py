"""`hil capture` at ports: sketches that print, firmware that senses, and every way to end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.device_helpers import checksum
from support.fake_device import FakeDevice, Image, Tensor
from support.hil_command import hil
from support.pty_device import serving
from support.sketch import HEAD, counts, printing, resetting, text_of
from tflm_hil.capture import listening, sketch_source
from tflm_hil.capture.setup import CHANNELS
from tflm_hil.capture.view import _Plain
from tflm_hil.recordings import Channel, load_recordings

MODEL = Image(
    window=1,
    stride=1000,
    channels=6,
    inputs=(Tensor(9, (1, 6), 1.0),),
    outputs=(Tensor(9, (1, 4), 1.0),),
    target="stm32f4_lsm6dso",
)


def captured(project: Path, sensor: str = "MPU6050", folder: str = "gestures") -> dict[str, list[list[list[int]]]]:
    """The gestures of each label, in counts."""
    channels = [
        Channel(name, unit, sensor=sensor, range=full_scale, normalize="none")
        for name, (unit, full_scale) in zip(CHANNELS, [("g", 4)] * 3 + [("dps", 2000)] * 3, strict=True)
    ]
    found: dict[str, list[list[list[int]]]] = {}
    for recording in load_recordings(project / "recordings" / folder, channels):
        found.setdefault(str(recording.label), []).append(recording.samples.tolist())
    return found


def test_what_a_sketch_prints_becomes_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = counts(3)
    with resetting(monkeypatch, HEAD + text_of(sent, "\r\n")) as port:
        done = hil("capture", "--port", port.name, "--label", "punch", "--count", "3", cwd=tmp_path)
    assert done.returncode == 0
    assert captured(tmp_path) == {"punch": sent.tolist()}
    assert [line.partition(",")[0] for line in done.stdout.splitlines()[:3]] == [
        f"punch {n}: 30 rows" for n in (1, 2, 3)
    ]
    assert done.stdout.splitlines()[3] == f"punch: 3 captured, 3 in {tmp_path}/recordings/gestures/punch.csv"
    assert done.stderr.splitlines() == [
        "hil: the sketch says: calibration: hold the sensor still",
        "hil: the sketch says: ready",
    ]


def test_settings_are_passed_on_to_a_sketch_that_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--label", "idle", "--set", "mine", "--count", "1", "--threshold", "0", "--pre-trigger", "5"]
    with resetting(monkeypatch, HEAD + text_of(counts(1))) as port:
        done = hil("capture", "--port", port.name, *arguments, cwd=tmp_path)
        assert done.returncode == 0
        port.wait_for(b"\n")
    assert port.received == b"threshold 0\n"  # It has 5 rows before the motion already.
    assert set(captured(tmp_path, folder="mine")) == {"idle"}


def test_a_sketch_without_settings_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with resetting(monkeypatch, text_of(counts(1))) as port:
        arguments = ["--label", "idle", "--rate", "119", "--threshold", "0", "--count", "1"]
        done = hil("capture", "--port", port.name, *arguments, cwd=tmp_path)
    assert done.stderr == f"hil: {port.name}: the sketch has no threshold to set; it cuts gestures as it does\n"
    assert done.returncode == 0


def test_a_clipped_gesture_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = counts(1)
    sent[0, 3:8, 2] = 32767
    with resetting(monkeypatch, HEAD + text_of(sent)) as port:
        done = hil("capture", "--port", port.name, "--label", "punch", "--count", "1", cwd=tmp_path)
    assert "hil: gesture 1 is clipped: aZ is at the end of the range in 5 of 30 rows; move less" in done.stderr
    assert captured(tmp_path) == {"punch": sent.tolist()}


def test_a_port_that_goes_away_keeps_what_was_captured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = counts(3)
    shown = _Plain.gesture

    with resetting(monkeypatch, HEAD + text_of(sent)[:-20]) as port:

        def unplug(view: _Plain, number: int, values: NDArray[np.float64]) -> None:
            shown(view, number, values)
            if number == 2:
                port.unplug()

        monkeypatch.setattr(_Plain, "gesture", unplug)
        done = hil("capture", "--port", port.name, "--label", "punch", cwd=tmp_path)
    assert done.returncode == 1
    assert captured(tmp_path) == {"punch": sent[:2].tolist()}
    assert done.stdout.splitlines()[-1].startswith("punch: 2 captured")
    assert done.stderr.splitlines()[-1].startswith(f"hil: {port.name}: the serial line broke")


def test_a_port_at_which_nobody_answers_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LISTEN_S", 0.0)
    monkeypatch.setattr(listening, "_ATTEMPT_S", 0.0)
    monkeypatch.setattr(sketch_source, "_WARN_S", 0.0)
    monkeypatch.setattr(sketch_source, "_GIVE_UP_S", 0.0)
    with printing() as port:
        done = hil("capture", "--port", port.name, "--label", "punch", cwd=tmp_path)
    assert done.returncode == 1
    check = "is the sketch of docs/capture.md on the board, and is the baud rate right (--baud)?"
    assert done.stderr.splitlines() == [
        f"hil: {port.name}: nothing has come yet; move the sensor; if that does not help: {check}",
        f"hil: {port.name}: nothing came in 0 s: {check}",
    ]
    assert not (tmp_path / "recordings").exists()


def replayed(rows: NDArray[np.int16]) -> FakeDevice:
    left = iter(rows.astype("<i2"))
    device = FakeDevice(MODEL, checksum)
    device.sense = lambda: row.tobytes() if (row := next(left, None)) is not None else "the sensor is gone"
    return device


def test_firmware_that_answers_is_asked_for_its_sensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session has a second of rest, for the calibration, more of it, and a gesture; then the sensor fails."""
    monkeypatch.setattr(listening, "LISTEN_S", 0.0)
    rest = np.tile(np.array([10, -20, 8200, 3, 4, -5], np.int16), (200, 1))
    moved = counts(1)[0]
    with serving(replayed(np.concatenate([rest, moved, rest]))) as port:
        done = hil("capture", "--port", port, "--label", "flex", "--pre-trigger", "0", cwd=tmp_path)
    assert captured(tmp_path, "LSM6DSO") == {"flex": [moved.tolist()]}
    assert done.returncode == 1
    assert done.stderr.splitlines()[:2] == ["hil: calibration: keep the sensor still", "hil: ready"]
    assert done.stderr.splitlines()[-1].endswith("SENSE: failed on the device: the sensor is gone")


def test_firmware_needs_nobody_to_say_what_its_sensor_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LISTEN_S", 0.0)
    with serving(FakeDevice(MODEL, checksum)) as port:
        done = hil("capture", "--port", port, "--label", "flex", "--rate", "50", cwd=tmp_path)
    assert done.stderr == f"hil: {port} runs our firmware, which knows its sensor; leave --sensor and --rate out\n"
    assert done.returncode == 1


def test_firmware_without_a_sensor_is_told_from_a_sketch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LISTEN_S", 0.0)
    with serving(FakeDevice(Image(), checksum)) as port:
        done = hil("capture", "--port", port, "--label", "flex", cwd=tmp_path)
    assert done.stderr.startswith(f"hil: {port} runs firmware for stm32f4 without a sensor; build it for a target that")
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--label", "punch"], "name either the --port to listen to, or the --board"),
        (["--label", "punch", "--port", "/dev/nowhere", "--board", "auto"], "name either the --port to listen to"),
        (["--label", "a b", "--port", "/dev/nowhere"], "--label=a b: use letters, digits"),
        (["--label", "punch", "--set", "../x", "--port", "/dev/nowhere"], "--set=../x: use letters, digits"),
        (["--label", "punch", "--port", "/dev/nowhere"], "board /dev/nowhere: there is no such port"),
        (["--label", "punch", "--port", "emulated"], "emulated: no serial port; name one"),
        (["--label", "punch", "--port", "/dev/nowhere", "--rows", "0"], "--rows=0: a gesture has at least one row"),
        (["--label", "punch", "--board", "emulated", "--rate", "50"], "--sensor and --rate are for sketches"),
        (["--label", "punch", "--board", "emulated"], "target stm32f4 is a board without a sensor; build it for a"),
    ],
)
def test_what_cannot_be_captured_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = hil("capture", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (1, 1, "")
    assert done.stderr.startswith(f"hil: {message}")
    assert not (tmp_path / "recordings").exists()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_what_was_shown_is_there_whatever_ends_the_capture(tmp_path: Path, sent: signal.Signals, status: int) -> None:
    gesture = counts(1)
    argv = [sys.executable, "-c", "from tflm_hil.cli import main; main()", "capture", "--label", "punch"]
    with (
        printing(text_of(gesture).encode(), again=True) as port,
        subprocess.Popen(
            [*argv, "--rate", "50", "--port", port.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        shown = [process.stdout.readline() for _ in range(3)]
        process.send_signal(sent)
        _, said = process.communicate()
    assert shown[2].startswith("punch 3: ")
    assert process.returncode == status
    assert len(captured(tmp_path)["punch"]) >= 3
    assert all(each == gesture[0].tolist() for each in captured(tmp_path)["punch"])
    assert ("hil: interrupted" in said) == (sent == signal.SIGINT)
