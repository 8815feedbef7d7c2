"""SOFTMAX over the last dimension."""

from __future__ import annotations

from harness.compiler.network import Network
from harness.compiler.operators.common import refuse_types, types_of, unary
from harness.compiler.quantisation import Quantisation, quantise_multiplier
from harness.compiler.step import Step
from harness.models.tflite_file import Operator, TensorType

HEADER = "aot_softmax.h"
# The sum of the exponentials has 12 integer bits, and each is at most 1.
MAX_DEPTH = 4095
# The exponential's argument has 5 integer and 26 fractional bits.
INTEGER_BITS = 5
OUTPUT = Quantisation(1 / 256, -128)


def lower_softmax(operator: Operator, network: Network) -> Step:
    """e^(beta x) over its sum along the last dimension.

    int8 is bit-exact with TFLM. float32 differs from TFLM only through e^x: aot_exp_f32 is within 0.51 ULP and so is
    glibc's, so two exponentials differ by at most 1 ULP; see FLOAT_SOFTMAX_ULP.
    """
    x, y = unary(operator, network)
    if not x.shape:
        raise network.refuse(operator, "its input has no dimension; export the model again")
    depth = x.shape[-1]
    rows = x.elements // depth
    beta = float(network.option(operator, "Beta", 0.0))
    match types_of(x, y):
        case TensorType.FLOAT32, TensorType.FLOAT32:
            parameters = {"rows": rows, "depth": depth, "beta": beta}
            return Step(operator, (x.index,), y.index, HEADER, "aot_softmax_f32", parameters, in_place=True)
        case TensorType.INT8, TensorType.INT8:
            if network.quantisation(operator, y) != OUTPUT:
                raise network.refuse(
                    operator, "its output must have scale 1/256 and zero point -128; quantise it again"
                )
            if depth > MAX_DEPTH:
                raise network.refuse(operator, f"has {depth} classes, at most {MAX_DEPTH} fit; shorten that dimension")
            factor = beta * network.quantisation(operator, x).scale * 2 ** (31 - INTEGER_BITS)
            if not factor > 1:
                raise network.refuse(operator, f"beta {beta:g} with its input's scale is too small; quantise it again")
            scale = quantise_multiplier(min(factor, 2**31 - 1.0))
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
    raise refuse_types(operator, network, "FLOAT32 -> FLOAT32, INT8 -> INT8")
