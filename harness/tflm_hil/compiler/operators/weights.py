"""Weights and biases of FULLY_CONNECTED and the convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.quantization import INT16_MAX, Scale, int16_limits, quantize_multiplier
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.kernel_call import Array, Value
from tflm_hil.compiler.operators.registry import INT32

# TFLM shifts the product of a 48-bit sum and a 15-bit multiplier to the right by at least 8 bits.
MAX_WIDE_LEFT = 7


def constant_bias(op: Op, outputs: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return the biases [outputs]; zeros of `dtype` if there are none. Raise HilError if their number is wrong."""
    if not op.has_input(2):
        return np.zeros(outputs, dtype)
    bias = op.input(2).constant("biases")
    if bias.size != outputs:
        raise op.refuse(f"has {bias.size} biases for {outputs} outputs; export the model again")
    return bias.reshape(outputs)


def int8_weights(op: Op) -> npt.NDArray[np.int8]:
    """Return the int8 weights. Raise HilError if they are not constant or not symmetric."""
    values = op.input(1).constant("weights")
    if np.any(op.input(1).tensor.zero_points != 0):
        raise op.refuse("its weights have a zero point other than 0; quantize them symmetrically")
    return values


def int16_parameters(op: Op, outputs: int, activation: int, dimension: int) -> dict[str, Value]:
    """Return the common parameters of kernels with int16 activations and int8 weights.

    The `dimension` of the weights has the `outputs`. TFLM decides by the type of the biases: with 64-bit biases, or
    without, it uses 16 bits of the multiplier; with 32-bit biases it uses all bits (MultiplyByQuantizedMultiplier of
    common.cc for int64_t and int32_t).
    """
    x, y = op.input(0), op.output
    for tensor in (x, y):
        _ = tensor.symmetric_scale
    scales = weight_scales(op, dimension)
    narrow = op.has_input(2) and op.input(2).type is INT32
    bias = constant_bias(op, outputs, np.int64).astype(np.int64)
    if not narrow:
        if any(scale.left > MAX_WIDE_LEFT for scale in scales):
            raise op.refuse(f"has a scale factor of 2^{MAX_WIDE_LEFT} or more; quantize the model again")
        scales = [_wide(scale) for scale in scales]
    minimum, maximum = int16_limits(activation, y.quantization)
    return {
        "bias": Array("int64_t", bias),
        "scale": Array("aot_scale_t", scales),
        "scale_step": 1 if len(scales) > 1 else 0,
        "narrow": int(narrow),
        "minimum": minimum,
        "maximum": maximum,
    }


def _wide(scale: Scale) -> Scale:
    """`scale` as multiplier * 2^-right with a multiplier of 15 bits."""
    return Scale(min((scale.multiplier + (1 << 15)) >> 16, INT16_MAX), 0, 15 - scale.left + scale.right)


def weight_scales(op: Op, dimension: int) -> list[Scale]:
    """Return input scale * weight scale / output scale, once or per channel of the `dimension` of the weights."""
    weights = op.input(1).tensor
    channels = weights.shape[dimension]
    count = len(weights.scales)
    if count not in (1, channels) or (count > 1 and weights.quantized_dimension != dimension):
        raise op.refuse(
            f"its weights have {count} scales along dimension {weights.quantized_dimension} for {channels} outputs; "
            "quantize the model again"
        )
    source, target = op.input(0).quantization.scale, op.output.quantization.scale
    with op.refusing("quantize the model again"):
        return [quantize_multiplier(source * float(scale) / target) for scale in weights.scales]
