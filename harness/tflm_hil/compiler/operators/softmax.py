"""SOFTMAX over the last dimension."""

from __future__ import annotations

import math

from tflm_hil.compiler.arithmetic.interpolation import interpolated
from tflm_hil.compiler.arithmetic.quantization import INT16_MAX, INT16_MIN, Quantization, quantize_multiplier
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.common import elementwise
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, INT16, kernel

HEADER = "aot_softmax.h"
# The sum of the exponentials has 12 integer bits, and each exponential is at most 1.
MAX_DEPTH = 4095
# The argument of the exponential has 5 integer and 26 fractional bits.
INTEGER_BITS = 5
OUTPUT = Quantization(1 / 256, -128)
INT16_SCALE = 2.0**-15
# The sum of the exponentials has 15 fraction bits and must fit 31 bits.
MAX_INT16_DEPTH = 65535


def float_ulp_bound(depth: int) -> int:
    """Return how many ULP a float32 softmax over `depth` elements may differ from TFLM on the host, for equal inputs.

    Let u = 2^-24, the unit roundoff of float32. aot_exp_f32 is within 0.57 ULP of e^x, expf of glibc within 0.52, and
    expf of newlib, which TFLM uses on the device, within 0.9 (measured: 0.88 in 1.6 million arguments). So they differ
    by at most one ULP, which is at most 2u of the value. The sum of the exponentials inherits 2u, and its `depth` - 1
    additions round on both sides, 2 (`depth` - 1) u more. The division rounds on both sides, 2u. The total is
    (2 + 2 + 2 (`depth` - 1) + 2) u, and one ULP is at least u of the value. (Measured: 3 ULP.)
    """
    return 2 * depth + 4


@kernel("SOFTMAX", inputs=(FLOAT32,), outputs=(FLOAT32,))
def softmax_f32(op: Op) -> KernelCall:
    """e^(beta x) over its sum along the last dimension. Only e^x differs from TFLM; see `float_ulp_bound`."""
    return _call(op, "aot_softmax_f32", {"beta": op.option("Beta", 0.0)}, _depth(op), in_place=True)


@kernel("SOFTMAX", inputs=(INT8,), outputs=(INT8,))
def softmax_s8(op: Op) -> KernelCall:
    """The same on int8, bit-exact with TFLM."""
    depth = _depth(op, MAX_DEPTH)
    beta = op.option("Beta", 0.0)
    if op.output.quantization != OUTPUT:
        raise op.refuse("its output must have scale 1/256 and zero point -128; quantize the model again")
    factor = beta * op.input(0).quantization.scale * 2 ** (31 - INTEGER_BITS)
    if not factor > 1:
        raise op.refuse(f"beta {beta:g} times its input scale is too small; quantize the model again")
    scale = quantize_multiplier(min(factor, 2**31 - 1.0))
    # With larger differences the argument does not fit 5 integer bits, and e^x is 0 anyway.
    radius = ((2**INTEGER_BITS - 1) << (31 - INTEGER_BITS)) >> scale.left
    return _call(op, "aot_softmax_s8", {"scale": scale, "difference_minimum": -radius}, depth)


@kernel("SOFTMAX", inputs=(INT16,), outputs=(INT16,))
def softmax_s16(op: Op) -> KernelCall:
    """The same on int16, bit-exact with TFLM."""
    depth = _depth(op, MAX_INT16_DEPTH)
    beta = op.option("Beta", 0.0)
    source, target = op.input(0).symmetric_scale, op.output.symmetric_scale
    if abs(target - INT16_SCALE) > INT16_SCALE / 1000:
        raise op.refuse("its output must have the scale 1/32768; quantize the model again")
    with op.refusing("quantize the model again"):
        scale = quantize_multiplier(source * beta / (10 / 65535))
    tables: dict[str, Value] = {
        # e^x from -10 to 0 and 1 / (1 + x) from 0 to 1.
        "exp": Array("int16_t", interpolated(math.exp, 10.0, INT16_MAX)),
        "reciprocal": Array("int16_t", interpolated(lambda x: 1.0 / (1.0 + x), 1.0, INT16_MIN)),
    }
    return _call(op, "aot_softmax_s16", {"scale": scale} | tables, depth)


def _depth(op: Op, most: int | None = None) -> int:
    """The size of the last dimension. Raises HilError if there is none, or if it is larger than `most`."""
    x, _ = elementwise(op)
    if not x.shape:
        raise op.refuse("its input has no dimension; export the model again")
    depth = x.shape[-1]
    if most is not None and depth > most:
        raise op.refuse(f"has {depth} classes, but at most {most} fit; shorten that dimension")
    return depth


def _call(op: Op, name: str, parameters: dict[str, Value], depth: int, in_place: bool = False) -> KernelCall:
    x, y = op.input(0), op.output
    shape: dict[str, Value] = {"rows": x.elements // depth, "depth": depth}
    return KernelCall(op, (x.index,), (y.index,), HEADER, name, shape | parameters, in_place=in_place)
