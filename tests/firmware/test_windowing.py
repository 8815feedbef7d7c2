"""The firmware's windowing, compiled for the host, against the harness's definition of windows and preprocessing."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.firmware_helpers import compile_for_host
from tflm_hil.models.manifest import Channel
from tflm_hil.models.preprocess import Layout, Quantization, prepare
from tflm_hil.recordings.windows import windows

TYPES = {"float32": 0, "uint8": 3, "int16": 7, "int8": 9}


class Config(ctypes.Structure):
    _fields_ = (
        ("window", ctypes.c_uint16),
        ("channels", ctypes.c_uint8),
        ("gain", ctypes.POINTER(ctypes.c_float)),
        ("offset", ctypes.POINTER(ctypes.c_float)),
    )


class Windowing(ctypes.Structure):
    _fields_ = (
        ("config", ctypes.POINTER(Config)),
        ("rows", ctypes.POINTER(ctypes.c_int16)),
        ("oldest", ctypes.c_uint16),
    )


class Tensor(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_uint8),
        ("rank", ctypes.c_uint8),
        ("dims", ctypes.c_uint16 * 6),
        ("scale", ctypes.c_float),
        ("zero_point", ctypes.c_int32),
        ("data", ctypes.c_void_p),
        ("bytes", ctypes.c_uint32),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    path = compile_for_host(tmp_path_factory.mktemp("windowing"), "firmware.so", "-shared", "-fPIC")
    return ctypes.CDLL(str(path))


class DeviceWindowing:
    """What the firmware does with the rows of a recording."""

    def __init__(
        self,
        library: ctypes.CDLL,
        window: int,
        stride: int,
        channels: Sequence[Channel],
        quantization: Quantization,
        layout: Layout = "channels-last",
    ) -> None:
        self.library = library
        last, first = library.windowing_prepare, library.windowing_prepare_channels_first
        self._prepare = first if layout == "channels-first" else last
        self._gain = (ctypes.c_float * len(channels))(*(channel.gain for channel in channels))
        self._offset = (ctypes.c_float * len(channels))(*(channel.offset for channel in channels))
        self._config = Config(window, len(channels), self._gain, self._offset)
        self._missing, self._stride = window, stride
        self._rows = (ctypes.c_int16 * (window * len(channels)))()
        self.state = Windowing(config=ctypes.pointer(self._config), rows=self._rows)
        self._input = np.zeros((window, len(channels)), quantization.dtype)
        self._tensor = Tensor(
            type=TYPES[quantization.dtype.name],
            scale=quantization.scale,
            zero_point=quantization.zero_point,
            data=self._input.ctypes.data,
            bytes=self._input.nbytes,
        )
        assert library.windowing_bytes(ctypes.byref(self._config), self._tensor.type) == self._input.nbytes

    def push(self, samples: NDArray[np.int16]) -> list[NDArray[Any]]:
        """The input tensors of the windows that `samples` complete: the protocol counts the rows."""
        complete = []
        for row in samples.astype("<i2"):
            self.library.windowing_push(ctypes.byref(self.state), row.tobytes())
            self._missing -= 1
            if self._missing == 0:
                self._missing = self._stride
                self._prepare(ctypes.byref(self.state), ctypes.byref(self._tensor))
                complete.append(self._input.copy())
        return complete


channels_ = st.builds(
    lambda lsb, low, span: Channel("x", "g", lsb, low, low + span),
    st.floats(0.01, 1e5),
    st.floats(-1e4, 1e4),
    st.floats(0.125, 1e4),
)
# From steps finer than any count can make to one step for everything.
scales = st.one_of(st.floats(1e-6, 10.0), st.sampled_from([2.0**-8, 2.0**-16, 1e-30, 1e30]))


@st.composite
def quantizations(draw: st.DrawFn) -> Quantization:
    dtype = np.dtype(draw(st.sampled_from(sorted(TYPES))))
    if dtype == np.float32:
        return Quantization(dtype)
    limits = np.iinfo(dtype.name)
    return Quantization(dtype, float(np.float32(draw(scales))), draw(st.integers(int(limits.min), int(limits.max))))


@given(
    window=st.integers(1, 12),
    stride=st.integers(1, 20),
    channels=st.lists(channels_, min_size=1, max_size=4),
    quantization=quantizations(),
    rows=st.integers(0, 125),
    seed=st.integers(0, 2**32),
    layout=st.sampled_from(["channels-last", "channels-first"]),
)
def test_the_device_makes_of_a_recording_what_the_harness_makes_of_it(
    library: ctypes.CDLL,
    window: int,
    stride: int,
    channels: list[Channel],
    quantization: Quantization,
    rows: int,
    seed: int,
    layout: Layout,
) -> None:
    dice = np.random.default_rng(seed)
    samples = dice.integers(-32768, 32768, (rows, len(channels)), dtype=np.int16)
    with np.errstate(over="ignore"):
        expected = prepare(windows(samples, window, stride), channels, quantization, layout)
    device = DeviceWindowing(library, window, stride, channels, quantization, layout)
    found = device.push(samples)
    assert [window.tobytes() for window in found] == [window.tobytes() for window in expected]


@pytest.mark.parametrize("name", ["int8", "uint8", "int16"])
def test_halves_are_rounded_to_even_and_what_exceeds_the_type_is_clipped(library: ctypes.CDLL, name: str) -> None:
    quantization = Quantization(np.dtype(name), 1.0, 0)
    halves = Channel("x", "raw", 1.0, 0.0, 2.0)  # a count is half a step
    device = DeviceWindowing(library, 1, 1, [halves], quantization)
    counts = np.array([[1], [3], [5], [-1], [-3], [32767], [-32768]], np.int16)
    limits = np.iinfo(quantization.dtype)
    expected = np.clip([0, 2, 2, 0, -2, 16384, -16384], limits.min, limits.max).tolist()
    assert [int(window[0, 0]) for window in device.push(counts)] == expected


def test_every_count_is_divided_by_the_scale_not_multiplied_by_its_reciprocal(library: ctypes.CDLL) -> None:
    scale = np.float32(14)
    quantization = Quantization(np.dtype(np.int16), float(scale), 5)
    counts = np.arange(-32768, 32768, dtype=np.int16).reshape(-1, 1)
    plain = Channel("x", "raw", 1.0, 0.0, 1.0)
    expected = prepare(counts.reshape(-1, 1, 1), [plain], quantization).ravel()
    # NumPy before 2.0 computes what it mixes with Python's numbers in float64.
    multiplied = np.rint(counts.ravel().astype(np.float32) * (np.float32(1) / scale)) + 5
    assert (multiplied != expected).any(), "the scale is one where it makes a difference"
    device = DeviceWindowing(library, 1, 1, [plain], quantization)
    assert np.array_equal(np.ravel(device.push(counts)), expected)
