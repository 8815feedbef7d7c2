"""SOFTMAX over the last dimension."""

from __future__ import annotations

import math

from tflm_hil.compiler.arithmetic.interpolation import interpolated
from tflm_hil.compiler.arithmetic.quantization import INT16_MAX, INT16_MIN, Quantization, quantize_multiplier
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Array, Step, Value
from tflm_hil.compiler.operators.common import refuse_types, symmetric, unary
from tflm_hil.models.tflite_file import Operator, TensorType

HEADER = "aot_softmax.h"
# The sum of the exponentials has 12 integer bits, and each is at most 1.
MAX_DEPTH = 4095
# The exponential's argument has 5 integer and 26 fractional bits.
INTEGER_BITS = 5
OUTPUT = Quantization(1 / 256, -128)
INT16_SCALE = 2.0**-15
# The sum of the exponentials, with 15 fraction bits, fits 31.
MAX_INT16_DEPTH = 65535


def float_ulp_bound(depth: int) -> int:
    """How many ULP a float32 softmax over `depth` elements may differ from TFLM's on the host, given equal inputs.

    With u = 2^-24, the unit roundoff of float32: aot_exp_f32 is within 0.57 ULP of e^x, glibc's expf within 0.52, and
    newlib's, which TFLM takes on the device, within 0.9 (seen: 0.88 in 1.6 million arguments), so they differ by at
    most one ULP of a common grid, which is at most 2u of the value. The sum of the exponentials inherits that 2u, and
    its `depth` - 1 additions round on both sides, another 2 (`depth` - 1) u; the division rounds on both sides, 2u.
    Together (2 + 2 + 2 (`depth` - 1) + 2) u, and a ULP is at least u of the value. (Seen: 3 ULP.)
    """
    return 2 * depth + 4


def lower_softmax(operator: Operator, network: Network) -> Step:
    """e^(beta x) over its sum along the last dimension.

    int8 is bit-exact with TFLM; float32 differs only through e^x, see `float_ulp_bound`.
    """
    x, y = unary(operator, network)
    if not x.shape:
        raise network.refuse(operator, "its input has no dimension; export the model again")
    depth = x.shape[-1]
    rows = x.elements // depth
    beta = float(network.option(operator, "Beta", 0.0))
    match x.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32:
            parameters: dict[str, Value] = {"rows": rows, "depth": depth, "beta": beta}
            return Step(operator, (x.index,), y.index, HEADER, "aot_softmax_f32", parameters, in_place=True)
        case TensorType.INT8, TensorType.INT8:
            if network.quantization(operator, y) != OUTPUT:
                raise network.refuse(
                    operator, "its output must have scale 1/256 and zero point -128; quantize it again"
                )
            if depth > MAX_DEPTH:
                raise network.refuse(operator, f"has {depth} classes, at most {MAX_DEPTH} fit; shorten that dimension")
            factor = beta * network.quantization(operator, x).scale * 2 ** (31 - INTEGER_BITS)
            if not factor > 1:
                raise network.refuse(operator, f"beta {beta:g} with its input's scale is too small; quantize it again")
            scale = quantize_multiplier(min(factor, 2**31 - 1.0))
            # Beyond this difference the argument would leave its 5 integer bits, and e^x would be 0 anyway.
            radius = ((2**INTEGER_BITS - 1) << (31 - INTEGER_BITS)) >> scale.left
            return Step(
                operator,
                (x.index,),
                y.index,
                HEADER,
                "aot_softmax_s8",
                {"rows": rows, "depth": depth, "scale": scale, "difference_minimum": -radius},
            )
        case TensorType.INT16, TensorType.INT16:
            source_scale, target_scale = symmetric(operator, network, x, y)
            if abs(target_scale - INT16_SCALE) > INT16_SCALE / 1000:
                raise network.refuse(operator, "its output must have the scale 1/32768; quantize it again")
            if depth > MAX_INT16_DEPTH:
                raise network.refuse(
                    operator, f"has {depth} classes, at most {MAX_INT16_DEPTH} fit; shorten that dimension"
                )
            try:
                scale = quantize_multiplier(source_scale * beta / (10 / 65535))
            except ValueError as error:
                raise network.refuse(operator, f"{error}; quantize the model again") from error
            parameters = {"rows": rows, "depth": depth, "scale": scale}
            parameters |= _int16_tables()
            return Step(operator, (x.index,), y.index, HEADER, "aot_softmax_s16", parameters)
    raise refuse_types(operator, network, "FLOAT32 -> FLOAT32, INT8 -> INT8, INT16 -> INT16")


def _int16_tables() -> dict[str, Value]:
    """e^x from -10 to 0 and 1 / (1 + x) from 0 to 1."""
    return {
        "exp": Array("int16_t", interpolated(math.exp, 10.0, INT16_MAX)),
        "reciprocal": Array("int16_t", interpolated(lambda x: 1.0 / (1.0 + x), 1.0, INT16_MIN)),
    }
