"""Operators that write over what they have read, and read what is not theirs: the answers stay right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from support.compiler_helpers import needs_gcc, run_tflm
from support.convolution_cases import (
    CONV,
    Network,
    shape_of,
)
from support.generated_programs import run_generated
from support.kernel_cases import (
    int8_values,
)
from tflm_hil.compiler import compile_model

pytestmark = needs_gcc


def chain(outputs: bool) -> bytes:
    """Three convolutions that keep the image's size. With `outputs`, all that they make is the network's output."""
    network = Network()
    rng = np.random.default_rng(4)
    images = [network.image((1, 10, 10, 8))]
    for kernel in ((1, 1), (3, 3), (1, 1)):
        shape = shape_of(CONV, (10, 10, 8), 8, kernel)
        assert shape is not None
        images.append(network.ordinary(images[-1], shape, rng))
    return network.build(images[:1], images[1:] if outputs else images[-1:])


def check_generated(content: bytes, shape: Sequence[int], folder: Path) -> None:
    """The generated program, under the sanitizers, writes what TFLM does."""
    model = folder / "model.tflite"
    model.write_bytes(content)
    runs = [[int8_values(np.random.default_rng(seed), tuple(shape), "random")] for seed in range(5)]
    for inputs, written in zip(runs, run_generated(model, folder, runs), strict=True):
        assert written == b"".join(values.tobytes() for values in run_tflm(content, inputs))


@pytest.mark.parametrize(("outputs", "most"), [(False, 1.6), (True, 4.3)])
def test_a_convolution_writes_over_what_it_has_read_and_nobody_else_needs(
    outputs: bool, most: float, tmp_path: Path
) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(chain(outputs))
    compiled = compile_model(model, tmp_path / "compiled")
    assert (3 if outputs else 1) * 800 < compiled.arena_bytes < most * 800
    check_generated(model.read_bytes(), (1, 10, 10, 8), tmp_path)


def test_what_is_added_to_a_convolution_of_itself_is_not_overwritten_too_early(tmp_path: Path) -> None:
    network = Network()
    rng = np.random.default_rng(8)
    shape = shape_of(CONV, (3, 5, 24), 24, (1, 1))
    assert shape is not None
    x = network.image(shape.x)
    y = network.image(shape.y, 5.0)
    network.operator("ADD", [network.ordinary(x, shape, rng), x], y)
    check_generated(network.build([x], [y]), shape.x, tmp_path)


def test_what_is_read_beyond_an_image_may_be_read(tmp_path: Path) -> None:
    # One byte a pixel: the kernel reads three more.
    network = Network()
    shape = shape_of(CONV, (2, 2, 1), 8, (1, 1))
    assert shape is not None
    x = network.image(shape.x)
    y = network.ordinary(x, shape, np.random.default_rng(9))
    check_generated(network.build([x], [y]), shape.x, tmp_path)
