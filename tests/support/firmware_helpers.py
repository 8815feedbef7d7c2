"""The C code of the firmware, compiled for the host and called in this process."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tflm_hil.firmware.model_config import write_model_config
from tflm_hil.models.manifest import Channel, Model
from tflm_hil.models.tflite_file import Graph, Operator, Tensor, TensorType

ROOT = Path(__file__).parents[2]
LIBRARIES = ROOT / "firmware" / "lib"
APPLICATION = ROOT / "firmware" / "application"
PROTOCOL = LIBRARIES / "protocol" / "src"
HOST = Path(__file__).with_name("firmware_host.c")

FLAGS = [
    *("-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"),
    *("-DHIL_DEBUG=1", '-DHIL_TARGET="host"', "-DF_CPU=1000u"),
]

WINDOW, STRIDE = 5, 2
CHANNELS = [Channel("aX", "g", 8192.0, -4.0, 4.0), Channel("gX", "dps", 16.4, -2000.0, 2000.0)]
MODEL_SHA256 = bytes(range(32))
MOST_SENT = 1 << 20


def model(
    tmp_path: Path,
    window: int = WINDOW,
    stride: int = STRIDE,
    channels: Sequence[Channel] = tuple(CHANNELS),
    labels: Sequence[str] = ("a", "b"),
) -> Model:
    return Model("fake", "", list(labels), window, stride, 50.0, list(channels), tmp_path, {}, tmp_path)


def graph(
    inputs: int = WINDOW * len(CHANNELS), outputs: int = 2, kind: TensorType = TensorType.INT8, operators: int = 0
) -> Graph:
    scale, zero_point = np.array([0.5], np.float32), np.array([0], np.int64)
    return Graph(
        [
            Tensor(0, "in", (1, inputs), kind, scale, zero_point),
            Tensor(1, "out", (1, outputs), kind, scale, zero_point),
        ],
        [Operator(i, "RELU", 1, [0], [1], {}) for i in range(operators)],
        [0],
        [1],
    )


def tensor_model(tmp_path: Path) -> Model:
    """A model whose inputs are written as tensors."""
    return Model("fake", "", [], 0, 0, 0.0, [], None, {}, tmp_path)


def compile_for_host(
    directory: Path,
    name: str,
    *extra: str,
    windowed: bool = True,
    channels: Sequence[Channel] = tuple(CHANNELS),
    operators: int = 0,
) -> Path:
    """Compile our application, the protocol library, windowing and `firmware_host.c` to `directory`/`name`.

    `extra` may be options and further sources.
    """
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on PATH")
    fake = model(directory, channels=channels) if windowed else tensor_model(directory)
    sources = write_model_config(fake, MODEL_SHA256, graph(WINDOW * len(channels), operators=operators), directory)
    parts = [APPLICATION, PROTOCOL, *(LIBRARIES / part for part in ("board", "engine", "marks", "rtt", "windowing"))]
    files = [HOST, *(path for path in sources if path.suffix == ".c")]
    files += [path for part in parts if part.name != "board" for path in part.rglob("*.c")]
    output = directory / name
    includes = [f"-I{path}" for path in (directory, *parts)]
    subprocess.run(["gcc", *FLAGS, *extra, *includes, "-o", output, *files], check=True)
    return output


class FirmwareOnHost:
    """The server of the firmware. Its state is global to the process; HELLO begins a session.

    `burst` is the number of bytes that arrive between two iterations of its main loop, `boot` what it sent first.
    """

    gone = False

    def __init__(self, library: Path, burst: int = 1) -> None:
        self.burst = burst
        self.library = ctypes.CDLL(str(library))
        self._sent = ctypes.create_string_buffer(MOST_SENT)
        self.boot = self._take(self.library.host_start(self._sent, MOST_SENT))

    def feed(self, data: bytes) -> bytes:
        """Return what the firmware sends when it receives `data`."""
        return self._take(self.library.host_feed(data, len(data), self.burst, self._sent, MOST_SENT))

    def poll(self) -> bytes:
        """Return what the firmware sends over the UART after one iteration of its main loop."""
        return self._take(self.library.host_poll(self._sent, MOST_SENT))

    def crash(self, words: int) -> bytes:
        """Return what the fault handler sends if there are `words` on the stack: 0, 1, 2..."""
        return self._take(self.library.host_crash(words, self._sent, MOST_SENT))

    def _take(self, length: int) -> bytes:
        return ctypes.string_at(self._sent, length)
