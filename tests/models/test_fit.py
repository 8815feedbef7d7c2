"""A network must fit its manifest in every dimension; that is checked before anything is built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from support.firmware_helpers import CHANNELS, graph, model, tensor_model
from tflm_hil.errors import HilError
from tflm_hil.models.fit import check_fit
from tflm_hil.models.output import OutputTable
from tflm_hil.models.preprocess import Layout
from tflm_hil.models.tflite_file import Graph, TensorType


def shaped(*shape: int) -> Graph:
    whole = graph()
    return replace(whole, tensors=[replace(whole.tensors[0], shape=shape), whole.tensors[1]])


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((1, 5, 2), "channels-last"),
        ((-1, 5, 2), "channels-last"),
        ((1, 5, 2, 1), "channels-last"),
        ((1, 5, 1, 2), "channels-last"),
        ((1, 1, 5, 2), "channels-last"),
        ((5, 2), "channels-last"),
        ((1, 10), "channels-last"),
        ((10,), "channels-last"),
        ((1, 2, 5), "channels-first"),
        ((1, 2, 1, 5), "channels-first"),
        ((1, 10), "channels-first"),
    ],
)
def test_dimensions_of_one_do_not_matter_and_flat_inputs_take_any_layout(
    tmp_path: Path, shape: tuple[int, ...], layout: Layout
) -> None:
    check_fit(msgspec.structs.replace(model(tmp_path), layout=layout), shaped(*shape))


@pytest.mark.parametrize(
    ("shape", "layout", "said"),
    [
        ((1, 2, 5), "channels-last", r'takes \[1, 2, 5\], which is channels x window; set layout = "channels-first"'),
        ((1, 5, 2), "channels-first", r'takes \[1, 5, 2\], which is window x channels; set layout = "channels-last"'),
        ((2, 5), "channels-last", "set layout"),
        ((1, 2, 5, 1), "channels-last", "set layout"),
        ((2, 1, 5), "channels-last", "set layout"),
        ((1, 10, 2), "channels-last", "correct window or channels"),
        ((5, 1, 4), "channels-last", "correct window or channels"),
        ((1, 12), "channels-last", "correct window or channels"),
        ((), "channels-last", "correct window or channels"),
    ],
)
def test_a_wrong_order_or_size_is_refused(tmp_path: Path, shape: tuple[int, ...], layout: Layout, said: str) -> None:
    with pytest.raises(HilError, match=said) as raised:
        check_fit(msgspec.structs.replace(model(tmp_path), layout=layout), shaped(*shape))
    assert "\n" not in str(raised.value)


def test_a_single_channel_has_no_order(tmp_path: Path) -> None:
    one = model(tmp_path, channels=CHANNELS[:1])
    for shape in ((1, 5, 1), (1, 1, 5), (5,), (1, 5)):
        check_fit(one, shaped(*shape))


def test_unsupported_input_types_are_refused_with_and_without_windows(tmp_path: Path) -> None:
    for each in (model(tmp_path), tensor_model(tmp_path)):
        with pytest.raises(
            HilError, match="an input of the network is INT32, which is not supported; convert the model for FLOAT32, "
        ):
            check_fit(each, graph(kind=TensorType.INT32))


def test_windows_with_several_outputs_are_refused(tmp_path: Path) -> None:
    whole = graph()
    with pytest.raises(
        HilError, match="has 1 inputs and 2 outputs, but windows need one of each; to write its inputs as"
    ):
        check_fit(model(tmp_path), replace(whole, outputs=[1, 1]))


def test_an_integer_output_without_a_scale_is_refused(tmp_path: Path) -> None:
    whole = graph()
    bare = replace(whole.tensors[1], scales=whole.tensors[1].scales[:0])
    with pytest.raises(HilError, match="output is INT8 without a scale"):
        check_fit(model(tmp_path), replace(whole, tensors=[whole.tensors[0], bare]))


@pytest.mark.parametrize("threshold", [-64.0, 64.0, [0.0, 64.0]])
def test_a_threshold_that_no_output_or_every_one_reaches_is_refused(
    tmp_path: Path, threshold: float | list[float]
) -> None:
    """The range of int8 with a scale of 0.5 is -64 to 63.5."""
    table = OutputTable("probabilities", threshold=threshold)
    with pytest.raises(HilError, match=r"decides nothing: the network's output is between -64 and 63\.5; correct"):
        check_fit(msgspec.structs.replace(model(tmp_path), output=table), graph())
    for fine in (63.5, -63.5):
        table = OutputTable("probabilities", threshold=fine)
        check_fit(msgspec.structs.replace(model(tmp_path), output=table), graph())
