"""The parts of the sketch for the Arduino Uno that need no Uno, compiled for the host."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.firmware_helpers import ROOT

SKETCH = ROOT / "firmware" / "uno"
GOES_ON, THRESHOLD, PRETRIGGER, WRONG = range(4)


@pytest.fixture(scope="module")
def sketch(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on PATH")
    library = tmp_path_factory.mktemp("sketch") / "sketch.so"
    sources = [str(SKETCH / f"{name}.c") for name in ("text", "command")]
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
