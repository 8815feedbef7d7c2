"""What the layers with weights have in common: FULLY_CONNECTED and the convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.quantization import INT16_MAX, Scale, int16_limits, quantize_multiplier
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Array, Value
from tflm_hil.compiler.operators.common import symmetric
from tflm_hil.models.tflite_file import Operator, Tensor, TensorType

# TFLM's product of a 48-bit sum and a 15-bit multiplier is shifted to the right by at least 8 bits.
MAX_WIDE_LEFT = 7


def refuse_hybrid(operator: Operator, network: Network) -> None:
    """Raises HilError for int8 weights under float32 activations."""
    if network.tensor(operator, 0).type is TensorType.FLOAT32 and network.tensor(operator, 1).type is TensorType.INT8:
        raise network.refuse(
            operator,
            "hybrid: float32 activations with int8 weights, which TFLM refuses too; convert the model to full int8 "
            "(with a representative data set) or leave it float32",
        )


def constant_bias(operator: Operator, network: Network, outputs: int, kind: TensorType) -> npt.NDArray[Any]:
    """The biases [outputs], zero where the operator has none. Raises HilError where they do not fit."""
    if len(operator.inputs) < 3 or operator.inputs[2] < 0:
        assert kind.dtype is not None
        return np.zeros(outputs, kind.dtype)
    bias = network.constant(operator, 2, "biases", kind)
    if bias.size != outputs:
        raise network.refuse(operator, f"has {bias.size} biases for {outputs} outputs; export the model again")
    return bias.reshape(outputs)


def int8_weights(operator: Operator, network: Network) -> npt.NDArray[np.int8]:
    """The int8 weights as they are. Raises HilError where they are not constant, or not symmetric."""
    values = network.constant(operator, 1, "weights", TensorType.INT8)
    if np.any(network.tensor(operator, 1).zero_points != 0):
        raise network.refuse(operator, "its weights have a zero point other than 0; quantize them symmetrically")
    return values


def int16_parameters(
    operator: Operator, network: Network, outputs: int, activation: int, dimension: int
) -> dict[str, Value]:
    """What kernels on int16 activations with int8 weights have in common, for `outputs` along that `dimension`.

    TFLM goes by the type of the biases: with 64-bit ones, or none, it takes 16 bits of the factor's multiplier, with
    32-bit ones all of it (MultiplyByQuantizedMultiplier of common.cc for int64_t and for int32_t).
    """
    x, y = network.tensor(operator, 0), network.output(operator)
    symmetric(operator, network, x, y)
    scales = weight_scales(operator, network, y, dimension)
    narrow = (
        operator.kind != "DEPTHWISE_CONV_2D"
        and max(operator.inputs[2:3], default=-1) >= 0
        and network.tensor(operator, 2).type is TensorType.INT32
    )
    kind = TensorType.INT32 if narrow else TensorType.INT64
    bias = constant_bias(operator, network, outputs, kind).astype(np.int64)
    if not narrow:
        if any(scale.left > MAX_WIDE_LEFT for scale in scales):
            raise network.refuse(operator, f"has a scale factor of 2^{MAX_WIDE_LEFT} or more; quantize the model again")
        scales = [_wide(scale) for scale in scales]
    minimum, maximum = int16_limits(activation, network.quantization(operator, y))
    return {
        "bias": Array("int64_t", bias),
        "scale": Array("aot_scale_t", scales),
        "scale_step": 1 if len(scales) > 1 else 0,
        "narrow": int(narrow),
        "minimum": minimum,
        "maximum": maximum,
    }


def _wide(scale: Scale) -> Scale:
    """`scale` as multiplier * 2^-right with 15 bits for the multiplier."""
    return Scale(min((scale.multiplier + (1 << 15)) >> 16, INT16_MAX), 0, 15 - scale.left + scale.right)


def weight_scales(operator: Operator, network: Network, y: Tensor, dimension: int) -> list[Scale]:
    """input scale * weight scale / output scale for the tensor, or for each channel of the weights' `dimension`."""
    x, weights = network.tensor(operator, 0), network.tensor(operator, 1)
    channels = weights.shape[dimension]
    count = len(weights.scales)
    if count not in (1, channels) or (count > 1 and weights.quantized_dimension != dimension):
        raise network.refuse(
            operator,
            f"its weights have {count} scales along dimension {weights.quantized_dimension} for {channels} outputs; "
            "quantize the model again",
        )
    source, target = network.quantization(operator, x).scale, network.quantization(operator, y).scale
    try:
        return [quantize_multiplier(source * float(scale) / target) for scale in weights.scales]
    except ValueError as error:
        raise network.refuse(operator, f"{error}; quantize the model again") from error
