"""The parts of the sketch for the Arduino Uno that need no Uno, compiled for the host."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.firmware_helpers import ROOT
from support.sensor_driver import CHANNELS
from tflm_hil.capture.trigger import DEFAULT_PRE_TRIGGER, DEFAULT_ROWS, Cut, Trigger
from tflm_hil.recordings import Recording, load_recordings

SKETCH = ROOT / "firmware" / "uno"
GOES_ON, THRESHOLD, PRETRIGGER, WRONG = range(4)


@pytest.fixture(scope="module")
def sketch(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on PATH")
    library = tmp_path_factory.mktemp("sketch") / "sketch.so"
    sources = [str(SKETCH / f"{name}.c") for name in ("text", "command", "trigger")]
    options = ["-shared", "-fPIC", "-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    subprocess.run(["gcc", *options, "-o", str(library), *sources], check=True)
    return ctypes.CDLL(str(library))


def test_every_count_comes_back_from_its_text(sketch: ctypes.CDLL) -> None:
    text = ctypes.create_string_buffer(100)
    scales = [8192.0] * 3 + [16.4] * 3
    row = (ctypes.c_int16 * 6)()
    for count in range(-(2**15), 2**15):
        row[0] = row[3] = count
        sketch.text_row(text, row)
        numbers = text.value.decode().removesuffix("\n").split(",")
        assert [round(float(number) * scale) for number, scale in zip(numbers, scales, strict=True)] == list(row)
        assert re.fullmatch(r"-?\d\.\d{4}", numbers[0])
        assert re.fullmatch(r"-?\d{1,4}\.\d\d", numbers[3])


def ask(sketch: ctypes.CDLL, line: bytes) -> list[tuple[int, int]]:
    """The commands in `line`, with their values."""
    state, value = ctypes.create_string_buffer(64), ctypes.c_uint16()
    kinds = [(sketch.command_take(state, ctypes.c_char(byte), ctypes.byref(value)), value.value) for byte in line]
    return [(kind, number) for kind, number in kinds if kind != GOES_ON]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"threshold 0", (THRESHOLD, 0)),
        (b"threshold .5", (THRESHOLD, 50)),
        (b"threshold  12.00", (THRESHOLD, 1200)),
        (b"pretrigger 20", (PRETRIGGER, 20)),
        (b"threshold", (WRONG, 0)),
        (b"threshold ", (WRONG, 0)),
        (b"threshold .", (WRONG, 0)),
        (b"threshold -1", (WRONG, 0)),
        (b"threshold 0.125", (WRONG, 0)),
        (b"threshold 12.01", (WRONG, 0)),
        (b"threshold 655.36", (WRONG, 0)),
        (b"threshold 42949673", (WRONG, 0)),
        (b"pretrigger 1.0", (WRONG, 0)),
        (b"pretrigger 21", (WRONG, 0)),
        (b"threshold 0" + b" " * 20, (WRONG, 0)),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_command_is_understood_or_refused(
    sketch: ctypes.CDLL, line: bytes, command: tuple[int, int], end: bytes
) -> None:
    ((kind, value),) = ask(sketch, line + end)
    assert kind == command[0]
    assert kind == WRONG or value == command[1]


@settings(derandomize=True)
@given(noise=st.binary(max_size=60))
def test_noise_on_the_line_costs_no_command_that_follows(sketch: ctypes.CDLL, noise: bytes) -> None:
    assert ask(sketch, noise + b"\nthreshold 1.25\n")[-1] == (THRESHOLD, 125)


# ---- the trigger ----------------------------------------------------------------------------------------------------


class SketchTrigger(ctypes.Structure):
    """trigger_t."""

    _fields_ = (
        ("threshold", ctypes.c_uint16),
        ("pretrigger", ctypes.c_uint8),
        ("its_own", ctypes.c_char * 512),
    )


@pytest.fixture(scope="module")
def movements() -> list[Recording]:
    recordings = load_recordings(ROOT / "recordings" / "gesture", CHANNELS)
    return [recording for recording in recordings if len(recording.samples) > DEFAULT_ROWS]


def cut_by_sketch(sketch: ctypes.CDLL, rows: NDArray[np.int16], hundredths: int) -> list[int]:
    """The rows with which gestures begin, as the sketch's loop records them."""
    trigger = SketchTrigger(hundredths, DEFAULT_PRE_TRIGGER)
    sketch.trigger_begin(ctypes.byref(trigger))
    begun, to_come = [], 0
    for number, row in enumerate(np.ascontiguousarray(rows)):
        if to_come == 0:
            if not sketch.trigger_starts(ctypes.byref(trigger), row.ctypes):
                continue
            kept = sketch.trigger_kept(ctypes.byref(trigger))
            begun.append(number - kept)
            to_come = DEFAULT_ROWS - kept
        to_come -= 1
        if to_come == 0:
            sketch.trigger_begin(ctypes.byref(trigger))
    return begun if to_come == 0 else begun[:-1]


def cut_by_host(rows: NDArray[np.int16], threshold_g: float) -> list[int]:
    trigger = Trigger(Cut(threshold_g), 50.0)
    scale = np.array([channel.lsb_per_unit for channel in CHANNELS])
    taken = [trigger.take(row / scale)[1] for row in rows]
    return [number + 1 - len(gesture) for number, gesture in enumerate(taken) if gesture is not None]


@pytest.mark.parametrize("hundredths", [0, 30, 50, 150])
def test_the_sketch_cuts_gestures_as_the_host_does(
    sketch: ctypes.CDLL, movements: list[Recording], hundredths: int
) -> None:
    for movement in movements:
        cut = cut_by_sketch(sketch, movement.samples, hundredths)
        assert len(cut) > 10
        assert cut == cut_by_host(movement.samples, hundredths / 100), movement.name
