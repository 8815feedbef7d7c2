"""The sources generated from a manifest: exact constants; what the firmware could not do is refused before building."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.firmware_helpers import CHANNELS, MODEL_SHA256, graph, model, tensor_model
from tflm_hil.errors import HilError
from tflm_hil.firmware.model_config import write_model_config
from tflm_hil.models.manifest import Channel
from tflm_hil.models.tflite_file import Graph, TensorType


def tensors(inputs: int, outputs: int, kind: TensorType = TensorType.INT8) -> Graph:
    """A graph of so many inputs and outputs, all of the same shape."""
    one = graph(1000, kind=kind).tensors[0]
    count = inputs + outputs
    return Graph([replace(one, index=i) for i in range(count)], [], list(range(inputs)), list(range(inputs, count)))


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
        (5, 2, 12, 2, TensorType.INT8, "window x channels is 5 x 2, but the network takes .1, 12.; correct window"),
        (1, 125, 125, 2, TensorType.INT8, "125 channels, but a frame carries at most 124"),
        (5, 2, 10, 237, TensorType.INT8, "outputs take 237 bytes, but a frame carries 236"),
        (5, 2, 10, 60, TensorType.FLOAT32, "outputs take 240 bytes"),
        (5, 2, 10, 2, TensorType.INT32, "input of the network is INT32"),
    ],
)
def test_a_model_that_the_firmware_cannot_serve_is_refused(
    tmp_path: Path, window: int, channels: int, inputs: int, outputs: int, kind: TensorType, said: str
) -> None:
    unfit = model(tmp_path, window, 1, [CHANNELS[0]] * channels, [f"label{i}" for i in range(outputs)])
    with pytest.raises(HilError, match=said):
        write_model_config(unfit, MODEL_SHA256, graph(inputs, outputs, kind), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_each_output_needs_its_label(tmp_path: Path) -> None:
    with pytest.raises(HilError, match="1 labels, but the network has 2 outputs"):
        write_model_config(model(tmp_path, labels=["a"]), MODEL_SHA256, graph(), tmp_path)


def test_a_model_without_windows_may_have_inputs_and_outputs_of_any_size_and_type(tmp_path: Path) -> None:
    write_model_config(tensor_model(tmp_path), MODEL_SHA256, tensors(3, 4, TensorType.INT32), tmp_path)
    header, source = ((tmp_path / f"model_config.{ending}").read_text() for ending in "hc")
    assert "#define MODEL_WINDOW 0" in header
    assert "windowing" not in header + source


def test_what_needs_one_input_is_told_how_to_do_without_windows(tmp_path: Path) -> None:
    with pytest.raises(
        HilError, match="has 2 inputs and 1 outputs, but windows need one of each; to write its inputs as"
    ):
        write_model_config(model(tmp_path), MODEL_SHA256, tensors(2, 1), tmp_path)


def test_more_tensors_than_the_handshake_can_count_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HilError, match="3 inputs and 256 outputs, but HELLO counts up to 255"):
        write_model_config(tensor_model(tmp_path), MODEL_SHA256, tensors(3, 256), tmp_path)


def test_a_dimension_that_the_handshake_cannot_tell_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HilError, match=r"tensor 0 has the shape \[1, 65536\], but HELLO tells .* at most 65,535"):
        write_model_config(tensor_model(tmp_path), MODEL_SHA256, graph(2**16), tmp_path)


def test_a_folder_that_cannot_be_written_to_is_an_error_for_people(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HilError, match="cannot write"):
        write_model_config(model(tmp_path), MODEL_SHA256, graph(), tmp_path / "file")
