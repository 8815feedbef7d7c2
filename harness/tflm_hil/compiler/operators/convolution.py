"""CONV_2D and DEPTHWISE_CONV_2D on int8 (a scale a tensor or a channel) and on float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.quantization import ACTIVATIONS, float_limits, int8_limits
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.graph.sliding_window import Window, window
from tflm_hil.compiler.kernel_call import Array, Step, Value
from tflm_hil.compiler.operators.channels import Int8Layer
from tflm_hil.compiler.operators.common import fused_activation, refuse_types
from tflm_hil.compiler.operators.float_convolution import BY_TAPS, float_convolution
from tflm_hil.compiler.operators.packed_convolution import depthwise, fits_small_kernel, packed_convolution
from tflm_hil.compiler.operators.weights import (
    constant_bias,
    int8_weights,
    int16_parameters,
    refuse_hybrid,
    weight_scales,
)
from tflm_hil.models.tflite_file import Operator, TensorType

HEADER = "aot_conv.h"
FLOAT_BYTES = 4
INT16_BYTES = 2
SUPPORTED = "FLOAT32 x FLOAT32 -> FLOAT32, INT8 x INT8 -> INT8, INT16 x INT8 -> INT16"


def lower_conv_2d(operator: Operator, network: Network) -> Step:
    """y = activation(the weights [outputs, height, width, inputs of a group] over every window of x, + bias)."""
    x, weights, y = network.tensor(operator, 0), network.tensor(operator, 1), network.output(operator)
    refuse_hybrid(operator, network)
    if len(weights.shape) != 4 or len(x.shape) != 4 or x.shape[3] % weights.shape[3]:
        raise network.refuse(operator, f"has weights {list(weights.shape)} for {list(x.shape)}; export the model again")
    groups = x.shape[3] // weights.shape[3]
    if weights.shape[0] % groups or len(y.shape) != 4 or y.shape[3] != weights.shape[0]:
        raise network.refuse(
            operator, f"makes {list(y.shape)} with weights {list(weights.shape)} in {groups} groups; export it again"
        )
    geometry = window(operator, network, x, weights.shape[1:3], y)
    return _lower(operator, network, geometry, groups, 0)


def lower_depthwise_conv_2d(operator: Operator, network: Network) -> Step:
    """A convolution with a group for every input channel. The weights are [1, height, width, outputs]."""
    x, weights, y = network.tensor(operator, 0), network.tensor(operator, 1), network.output(operator)
    refuse_hybrid(operator, network)
    if len(weights.shape) != 4 or len(x.shape) != 4 or len(y.shape) != 4:
        raise network.refuse(operator, f"has weights {list(weights.shape)} for {list(x.shape)}; export the model again")
    outputs = x.shape[3] * int(network.option(operator, "DepthMultiplier", 0))
    if weights.shape[0] != 1 or weights.shape[3] != outputs or y.shape[3] != outputs:
        raise network.refuse(
            operator, f"makes {list(y.shape)} of {list(x.shape)} with weights {list(weights.shape)}; export it again"
        )
    geometry = window(operator, network, x, weights.shape[1:3], y)
    return _lower(operator, network, geometry, x.shape[3], 3)


def _lower(operator: Operator, network: Network, geometry: Window, groups: int, output_dimension: int) -> Step:
    """`output_dimension` is that of the output channels in the weights."""
    x, weights, y = network.tensor(operator, 0), network.tensor(operator, 1), network.output(operator)
    activation = fused_activation(operator, network)
    geometry = geometry.flattened()
    shape: dict[str, Value] = {
        "window": geometry,
        "group_inputs": geometry.input_channels // groups,
        "group_outputs": geometry.output_channels // groups,
    }
    note = ACTIVATIONS[activation][0]
    match x.type, weights.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32, TensorType.FLOAT32:
            geometry = geometry.in_one_row()
            kernel, header, parameters = float_convolution(
                geometry,
                groups,
                _outputs_first(network.constant(operator, 1, "weights", TensorType.FLOAT32), output_dimension),
                constant_bias(operator, network, geometry.output_channels, TensorType.FLOAT32),
                float_limits(activation),
            )
            lag = geometry.row_lag() if kernel == BY_TAPS else geometry.lag(ahead=geometry.output_channels - 1)
            return Step(operator, (x.index,), y.index, header, kernel, parameters, lag=FLOAT_BYTES * lag, note=note)
        case TensorType.INT8, TensorType.INT8, TensorType.INT8:
            layer = _int8_layer(operator, network, activation, output_dimension)
            for fast in _fast_kernels(geometry, groups):
                step = fast(operator, geometry, layer, note)
                if step is not None:
                    return step
            parameters = shape | _unpacked(layer)
            lag = geometry.lag(ahead=geometry.output_channels - 1)
            return Step(operator, (x.index,), y.index, HEADER, "aot_conv_s8_unpacked", parameters, lag=lag, note=note)
        case TensorType.INT16, TensorType.INT8, TensorType.INT16:
            taken = _outputs_first(int8_weights(operator, network), output_dimension)
            parameters = shape | {"weights": Array("int8_t", taken)}
            parameters |= int16_parameters(operator, network, len(taken), activation, output_dimension)
            lag = INT16_BYTES * geometry.lag(ahead=geometry.output_channels - 1)
            return Step(operator, (x.index,), y.index, HEADER, "aot_conv_s16", parameters, lag=lag, note=note)
    raise refuse_types(operator, network, SUPPORTED)


def _fast_kernels(geometry: Window, groups: int) -> list[Callable[[Operator, Window, Int8Layer, str], Step | None]]:
    """The fast int8 kernels for a layer, the better one first."""
    if geometry.input_channels == 1 and fits_small_kernel(geometry):
        return [depthwise, packed_convolution]
    if groups == 1:
        return [packed_convolution]
    return [depthwise] if groups == geometry.input_channels else []


def _outputs_first(weights: npt.NDArray[Any], output_dimension: int) -> npt.NDArray[Any]:
    """`weights` as [outputs, height, width, inputs of a group]."""
    return np.ascontiguousarray(np.moveaxis(weights, output_dimension, 0)).reshape(
        weights.shape[output_dimension], *weights.shape[1:3], -1
    )


def _int8_layer(operator: Operator, network: Network, activation: int, output_dimension: int) -> Int8Layer:
    x, y = network.tensor(operator, 0), network.output(operator)
    weights = _outputs_first(int8_weights(operator, network), output_dimension)
    target = network.quantization(operator, y)
    return Int8Layer(
        weights,
        constant_bias(operator, network, len(weights), TensorType.INT32),
        weight_scales(operator, network, y, output_dimension),
        network.quantization(operator, x),
        target,
        int8_limits(activation, target),
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
