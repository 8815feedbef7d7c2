"""CONV_2D and DEPTHWISE_CONV_2D on int8, int16 and float32. Weights have one scale, or one per channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.quantization import ACTIVATIONS, float_limits, int8_limits
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.graph.sliding_window import SlidingWindow, sliding_window
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.channels import Int8Layer
from tflm_hil.compiler.operators.common import fused_activation
from tflm_hil.compiler.operators.float_convolution import float_convolution
from tflm_hil.compiler.operators.packed_convolution import depthwise, fits_small_kernel, packed_convolution
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, INT16, INT32, INT64, kernel
from tflm_hil.compiler.operators.small_convolution import small_convolution
from tflm_hil.compiler.operators.weights import constant_bias, int8_weights, int16_parameters, weight_scales

HEADER = "aot_conv.h"
INT16_BYTES = 2


@dataclass(frozen=True)
class _Layer:
    """The geometry of a convolution. The `output_dimension` of the weights has the output channels."""

    window: SlidingWindow
    groups: int
    output_dimension: int
    activation: int

    @property
    def lag(self) -> int:
        """The lag, in elements, of kernels that write output pixels channel by channel."""
        return self.window.lag(ahead=self.window.output_channels - 1)

    @property
    def shape(self) -> dict[str, Value]:
        """The parameters for the geometry."""
        return {
            "window": self.window,
            "group_inputs": self.window.input_channels // self.groups,
            "group_outputs": self.window.output_channels // self.groups,
        }

    @property
    def note(self) -> str:
        """The name of the fused activation."""
        return ACTIVATIONS[self.activation][0]

    def outputs_first(self, weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return `weights` as [outputs, height, width, inputs of a group]."""
        return np.ascontiguousarray(np.moveaxis(weights, self.output_dimension, 0)).reshape(
            weights.shape[self.output_dimension], *weights.shape[1:3], -1
        )


@kernel("CONV_2D", "DEPTHWISE_CONV_2D", inputs=(FLOAT32, FLOAT32, FLOAT32), outputs=(FLOAT32,))
def convolution_f32(op: Op) -> KernelCall:
    """y = activation(bias + sum of weights times each window of x)."""
    layer = _layer(op)
    weights = layer.outputs_first(op.input(1).constant("weights"))
    bias = constant_bias(op, layer.window.output_channels, np.float32)
    return float_convolution(
        op, layer.window.in_one_row(), layer.groups, weights, bias, float_limits(layer.activation), layer.note
    )


@kernel("CONV_2D", "DEPTHWISE_CONV_2D", inputs=(INT8, INT8, INT32), outputs=(INT8,))
def convolution_s8(op: Op) -> KernelCall:
    """The same on int8, with the fastest kernel that is exact for the layer."""
    layer = _layer(op)
    int8_layer = _int8_layer(op, layer)
    for fast in _fast_kernels(layer):
        call = fast(op, layer.window, int8_layer, layer.note)
        if call is not None:
            return call
    return _call(op, "aot_conv_s8_unpacked", layer, _unpacked(int8_layer), layer.lag)


@kernel("CONV_2D", inputs=(INT16, INT8, INT64), outputs=(INT16,))
@kernel("CONV_2D", inputs=(INT16, INT8, INT32), outputs=(INT16,))
# TFLM misreads 32-bit biases of depthwise layers.
@kernel("DEPTHWISE_CONV_2D", inputs=(INT16, INT8, INT64), outputs=(INT16,))
def convolution_s16(op: Op) -> KernelCall:
    """The same on int16 activations with int8 weights."""
    layer = _layer(op)
    weights = layer.outputs_first(int8_weights(op))
    parameters: dict[str, Value] = {"weights": Array("int8_t", weights)}
    parameters |= int16_parameters(op, len(weights), layer.activation, layer.output_dimension)
    return _call(op, "aot_conv_s16", layer, parameters, INT16_BYTES * layer.lag)


def _layer(op: Op) -> _Layer:
    """Check the shapes and return the geometry.

    The weights of CONV_2D are [outputs, height, width, inputs of a group]. DEPTHWISE_CONV_2D has one group per input
    channel, and weights [1, height, width, outputs].
    """
    x, weights, y = op.input(0), op.input(1), op.output
    if len(weights.shape) != 4 or len(x.shape) != 4:
        raise op.refuse(
            f"has weights {list(weights.shape)}, which do not fit the input {list(x.shape)}; export the model again"
        )
    if op.kind == "DEPTHWISE_CONV_2D":
        groups, dimension = x.shape[3], 3
        outputs = groups * op.option("DepthMultiplier", 0)
        fits = weights.shape[0] == 1 and weights.shape[3] == outputs
    else:
        if x.shape[3] % weights.shape[3]:
            raise op.refuse(
                f"has weights {list(weights.shape)}, which do not fit the input {list(x.shape)}; export the model again"
            )
        groups, dimension = x.shape[3] // weights.shape[3], 0
        outputs = weights.shape[0]
        fits = outputs % groups == 0
    if not fits or len(y.shape) != 4 or y.shape[3] != outputs:
        raise op.refuse(
            f"has the output {list(y.shape)}, which does not fit the input {list(x.shape)} with weights "
            f"{list(weights.shape)} in {groups} groups; export the model again"
        )
    kernel_size = weights.shape[1], weights.shape[2]
    return _Layer(sliding_window(op, kernel_size).flattened(), groups, dimension, fused_activation(op))


def _call(op: Op, name: str, layer: _Layer, parameters: dict[str, Value], lag: int) -> KernelCall:
    inputs, outputs = (op.input(0).index,), (op.output.index,)
    return KernelCall(op, inputs, outputs, HEADER, name, layer.shape | parameters, lag=lag, note=layer.note)


def _fast_kernels(layer: _Layer) -> list[Callable[[Op, SlidingWindow, Int8Layer, str], KernelCall | None]]:
    """The fast int8 kernels to try for a layer, the best one first."""
    if layer.window.input_channels == 1 and fits_small_kernel(layer.window):
        return [depthwise, packed_convolution]
    if layer.groups == 1:
        return [small_convolution, packed_convolution]
    return [depthwise] if layer.groups == layer.window.input_channels else []


def _int8_layer(op: Op, layer: _Layer) -> Int8Layer:
    weights = layer.outputs_first(int8_weights(op))
    target = op.output.quantization
    return Int8Layer(
        weights,
        constant_bias(op, len(weights), np.int32),
        weight_scales(op, layer.output_dimension),
        op.input(0).quantization,
        target,
        int8_limits(layer.activation, target),
    )


def _unpacked(layer: Int8Layer) -> dict[str, Value]:
    return {
        "weights": Array("int8_t", layer.weights),
        "bias": Array("int32_t", layer.bias),
        "scale": Array("aot_scale_t", layer.scales),
        "scale_step": 1 if len(layer.scales) > 1 else 0,
        "input_zero_point": layer.source.zero_point,
        "zero_point": layer.target.zero_point,
        "minimum": layer.limits[0],
        "maximum": layer.limits[1],
    }
