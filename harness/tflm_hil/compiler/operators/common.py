"""What several operators check in the same way."""

from __future__ import annotations

from tflm_hil.compiler.arithmetic.quantization import ACTIVATIONS
from tflm_hil.compiler.graph.op import Op, Operand


def elementwise(op: Op) -> tuple[Operand, Operand]:
    """Input and output of an operator that keeps the shape. Raises HilError if it does not."""
    x, y = op.input(0), op.output
    if x.shape != y.shape:
        raise op.refuse(f"makes {list(y.shape)} of {list(x.shape)}; export the model again")
    return x, y


def fused_activation(op: Op) -> int:
    """The activation that is part of `op`, a key of ACTIVATIONS. Raises HilError for one that TFLM lacks."""
    activation = op.option("FusedActivationFunction", 0)
    if activation not in ACTIVATIONS:
        names = ", ".join(name for name, _, _ in ACTIVATIONS.values())
        raise op.refuse(f"has the fused activation {activation}; supported: {names}")
    return activation
