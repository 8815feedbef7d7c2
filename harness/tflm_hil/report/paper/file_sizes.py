"""What the paper's network takes as a file: measured with .ci/file_sizes.py, on Linux with Python 3.7 to 3.11."""

from __future__ import annotations

from tflm_hil.report.paper.published import PARAMETERS

KINDS = ("h5_with_state", "h5", "keras_with_state", "keras", "float32", "float16", "dynamic", "int8")

BYTES: dict[str, tuple[int | None, ...]] = {
    "2.1.4": (113_104, 56_232, None, None, 40_964, 22_024, 14_008, 12_384),
    "2.2.3": (113_104, 56_232, None, None, 40_936, 22_096, 14_144, 12_544),
    "2.4.4": (108_872, 56_232, None, None, 41_164, 22_352, 14_384, 12_448),
    "2.8.4": (109_536, 56_992, None, None, 41_216, 22_252, 14_304, 12_272),
    "2.12.1": (104_416, 56_992, None, None, 41_496, 22_704, 14_600, 12_560),
    "2.21.0": (104_496, 60_088, 102_307, 57_940, 41_580, 22_812, 15_272, 14_176),
}
"""The sizes in bytes, in the order of KINDS, by the version of TensorFlow; None where it has no such format."""

AS_IN_THE_PAPER = "2.1.4"
"""The version that writes both sizes of the paper."""

SMALLEST_FLOAT16 = 2 * PARAMETERS
"""A file with 16-bit floats has at least these bytes of weights."""
