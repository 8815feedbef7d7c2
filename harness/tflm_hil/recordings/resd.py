"""Write recordings as RESD, the files from which Renode's sensors take what they sense.

The format is Renode's own: https://renode.readthedocs.io, "RESD - Renode Sensor Data format". All integers are
little-endian.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_VERSION = 1
_CONSTANT_FREQUENCY = 2
_ACCELERATION, _ANGULAR_RATE = 2, 3
_CHANNEL = 0

_MICRO_G_PER_G = 1e6
_UNITS_PER_DPS = math.radians(1.0) * 1e5
"""Angular rates are in 10 microradians per second."""

_NS_PER_S = 1_000_000_000


def acceleration(counts: NDArray[np.int16], counts_per_g: float, rate_hz: float) -> bytes:
    """Return a file of int16[rows, 3], the counts of an accelerometer with `counts_per_g`, at `rate_hz`.

    A sensor whose count is more than a micro-g senses exactly these counts again.
    """
    return _file(_ACCELERATION, counts, _MICRO_G_PER_G / counts_per_g, rate_hz)


def angular_rate(counts: NDArray[np.int16], counts_per_dps: float, rate_hz: float) -> bytes:
    """Return a file of int16[rows, 3], the counts of a gyroscope with `counts_per_dps`, at `rate_hz`.

    A sensor whose count is more than 10 microradians per second senses exactly these counts again.
    """
    return _file(_ANGULAR_RATE, counts, _UNITS_PER_DPS / counts_per_dps, rate_hz)


def _file(sample_type: int, counts: NDArray[np.int16], units_per_count: float, rate_hz: float) -> bytes:
    samples: NDArray[Any] = np.rint(counts.astype(np.float64) * units_per_count).astype("<i4")
    period = round(_NS_PER_S / rate_hz)
    # A sensor that samples at the same rate does so in the middle of each period: rounded periods add up to half of one
    # only after millions of samples.
    start, metadata_bytes = period // 2, 0
    rest = struct.pack("<QQQ", start, period, metadata_bytes) + samples.tobytes()
    block = struct.pack("<BHHQ", _CONSTANT_FREQUENCY, sample_type, _CHANNEL, len(rest)) + rest
    return b"RESD" + struct.pack("<B3x", _VERSION) + block
