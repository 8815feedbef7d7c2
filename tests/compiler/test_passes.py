"""The passes: each does one thing, and fusion goes by what a kernel call says of itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from support.convolution_cases import CONV, Network, shape_of
from support.shape_networks import flattened
from tflm_hil.compiler.compile import CALL_PASSES, GRAPH_PASSES, lower_graph
from tflm_hil.compiler.graph import network as graph
from tflm_hil.compiler.kernel_call import KernelCall
from tflm_hil.compiler.passes.fuse_residual_add import fuse_residual_add
from tflm_hil.models.dilation import dilate
from tflm_hil.models.folding import drop_unneeded, fold_constants
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, parse


def test_the_passes_and_their_order() -> None:
    assert (fold_constants, drop_unneeded, dilate) == GRAPH_PASSES
    assert (fuse_residual_add,) == CALL_PASSES


def test_folding_makes_shapes_constants() -> None:
    network = parse(flattened())
    kinds = [operator.kind for operator in network.operators]
    folded = fold_constants(network)
    assert [operator.kind for operator in folded.operators] == ["RESHAPE", "RELU"]
    assert {"SHAPE", "STRIDED_SLICE", "PACK"} <= set(kinds)


def test_dropping_keeps_operators_that_are_no_shape_arithmetic() -> None:
    x = TensorSpec([2], TensorType.FLOAT32)
    operators = [OperatorSpec("RESHAPE", [0], [1]), OperatorSpec("RELU", [0], [2]), OperatorSpec("RELU", [0], [3])]
    left = drop_unneeded(parse(build([x] * 4, operators, [0], [2])))
    assert [(operator.index, operator.kind) for operator in left.operators] == [(1, "RELU"), (2, "RELU")]


def residual() -> tuple[graph.Network, list[KernelCall]]:
    """A convolution and an ADD, before any pass over calls."""
    shape = shape_of(CONV, (5, 5, 3), 4, (3, 3))
    assert shape is not None
    network = Network()
    x, skip = network.image(shape.x), network.image(shape.y)
    conv = network.ordinary(x, shape, np.random.default_rng(2))
    y = network.operator("ADD", [conv, skip], network.image(shape.y, 5.0))
    return lower_graph(Path("model.tflite"), parse(network.build([x, skip], [y])), keep_tensors=True)


def test_fusion_takes_the_call_that_the_convolution_has_for_it() -> None:
    network, (conv, add) = residual()
    assert conv.with_add is not None
    assert (conv.kernel, conv.with_add.kernel) == ("aot_conv_s8_small_padded", "aot_conv_add_s8")
    (fused,) = fuse_residual_add([conv, add], network)
    assert fused.kernel == "aot_conv_add_s8"
    assert fused.parameters["weights"] == conv.with_add.parameters["weights"]
    assert fused.outputs == add.outputs
    assert fused.inputs == (add.inputs[1], *conv.inputs)
    assert fused.with_add is None


def test_without_such_a_call_nothing_is_fused() -> None:
    network, (conv, add) = residual()
    calls = [replace(conv, with_add=None), add]
    assert fuse_residual_add(calls, network) == calls
