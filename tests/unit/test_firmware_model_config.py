"""The sources generated from a manifest: exact constants; what the firmware could not do is refused before building."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from firmware_helpers import CHANNELS, MODEL_SHA256, graph, model

from harness.errors import HilError
from harness.firmware.model_config import write_model_config
from harness.models.manifest import Channel
from harness.models.tflite_file import TensorType


def test_gain_and_offset_are_written_without_rounding(tmp_path: Path) -> None:
    third = Channel("x", "g", 3.0, -1.0, 2.0)
    write_model_config(model(tmp_path, 1, 1, [third]), MODEL_SHA256, graph(1), tmp_path)
    source = (tmp_path / "model_config.c").read_text()
    for name, value in (("gain", third.gain), ("offset", third.offset)):
        (written,) = [line for line in source.splitlines() if f"float {name}[" in line]
        assert np.float32(float.fromhex(written.split("{")[1].split("f}")[0])) == np.float32(value)
    assert "0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07}" in source


@pytest.mark.parametrize(
    ("window", "channels", "inputs", "outputs", "kind", "said"),
    [
        (5, 2, 12, 2, TensorType.INT8, "window x channels is 5 x 2, but the network takes 12 values"),
        (1, 125, 125, 2, TensorType.INT8, "125 channels, but a frame carries at most 124"),
        (5, 2, 10, 237, TensorType.INT8, "outputs take 237 bytes, but a frame carries 236"),
        (5, 2, 10, 60, TensorType.FLOAT32, "outputs take 240 bytes"),
        (5, 2, 10, 2, TensorType.INT32, "input is INT32"),
    ],
)
def test_a_model_that_the_firmware_cannot_serve_is_refused(
    tmp_path: Path, window: int, channels: int, inputs: int, outputs: int, kind: TensorType, said: str
) -> None:
    unfit = model(tmp_path, window, 1, [CHANNELS[0]] * channels)
    with pytest.raises(HilError, match=said):
        write_model_config(unfit, MODEL_SHA256, graph(inputs, outputs, kind), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_an_error_for_people(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HilError, match="cannot write"):
        write_model_config(model(tmp_path), MODEL_SHA256, graph(), tmp_path / "file")
