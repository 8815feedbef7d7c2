"""The operators that the aot engine supports: functions that turn an operator into a kernel call.

To add an operator, write its kernel in firmware/lib/aot/kernels, and a function here that checks what the kernel
assumes and computes its parameters. Register the function with `@kernel`, and list new modules below.
"""

from tflm_hil.compiler.operators import (
    activations,
    binary,
    convolution,
    extreme,
    fully_connected,
    joining,
    mean,
    movement,
    pool,
    prelu,
    quantize,
    softmax,
    splitting,
)
from tflm_hil.compiler.operators.registry import lower, supported

__all__ = [
    "activations",
    "binary",
    "convolution",
    "extreme",
    "fully_connected",
    "joining",
    "lower",
    "mean",
    "movement",
    "pool",
    "prelu",
    "quantize",
    "softmax",
    "splitting",
    "supported",
]
