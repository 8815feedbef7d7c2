"""Checks that several operators share."""

from __future__ import annotations

from tflm_hil.compiler.arithmetic.quantization import ACTIVATIONS
from tflm_hil.compiler.graph.op import Op, Operand


def elementwise(op: Op) -> tuple[Operand, Operand]:
    """Return the input and output of an operator that keeps the shape. Raise HilError if the shapes differ."""
    x, y = op.input(0), op.output
    if x.shape != y.shape:
        raise op.refuse_shape()
    return x, y


def fused_activation(op: Op) -> int:
    """Return the fused activation of `op`, a key of ACTIVATIONS. Raise HilError if TFLM does not support it."""
    activation = op.option("FusedActivationFunction", 0)
    if activation not in ACTIVATIONS:
        names = ", ".join(name for name, _, _ in ACTIVATIONS.values())
        raise op.refuse(f"has the fused activation {activation}; supported: {names}; change the model")
    return activation
