"""The operators that the aot engine runs: functions from an operator to the kernel call that it becomes.

To add one: write its kernel in firmware/lib/aot/kernels, and here a function that checks what the kernel assumes and
works out its parameters. Register the function with `@kernel`, and list its module below if it is new.
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
    "quantize",
    "softmax",
    "splitting",
    "supported",
]
