"""What an operator becomes: one call of one kernel, with its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.c_struct import CStruct
from tflm_hil.compiler.graph.op import Op


@dataclass(frozen=True)
class Array:
    """A constant array in flash. `ctype` is the C element type, `values` are numbers or structures."""

    ctype: str
    values: npt.NDArray[Any] | Sequence[CStruct]

    @property
    def bytes(self) -> int:
        """Its size in flash."""
        if isinstance(self.values, np.ndarray):
            return self.values.nbytes
        return sum(value.bytes for value in self.values)


# None is the null pointer.
Value = int | float | CStruct | Array | None


@dataclass(frozen=True)
class KernelCall:
    """A call `kernel(&parameters, inputs..., outputs..., scratch, state...)`. Inputs and outputs are tensor indices.

    A call without a kernel (RESHAPE) generates no code: its output is its input under another name.

    `header` declares the kernel and the type of its parameters, which is `parameter_type`, or kernel_t by default.
    `parameters` are the members by name, in any order. `listed_inputs`, `listed_outputs`: the kernel takes them as one
    array of pointers.

    `in_place`: the kernel may write its output over its first input. `lag`: the output may share memory with the last
    input and overwrite what has been read of it, if it begins so many bytes before that input; None: it may not. Both
    are for kernels of one output.

    `readable`: how many bytes the kernel may read beyond the end of an input, by tensor index; the memory plan makes
    them readable, whatever they hold. `scratch`: bytes that the kernel has for itself while it runs, aligned to 4;
    `scratch_lag` is their `lag`. `state`: bytes that the kernel keeps from one inference to the next, by the index of
    the tensor that stands for them; zero before the first inference, and shared by all calls that name the tensor.

    `kernel_with_add`: a kernel that does the same and adds another int8 tensor of the output's shape, as ADD does. It
    takes that tensor as its first input, over which it may write, and a parameter `residual`.
    """

    op: Op
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    header: str = ""
    kernel: str | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    parameter_type: str = ""
    listed_inputs: bool = False
    listed_outputs: bool = False
    in_place: bool = False
    lag: int | None = None
    readable: Mapping[int, int] = field(default_factory=dict)
    scratch: int = 0
    scratch_lag: int | None = None
    state: Mapping[int, int] = field(default_factory=dict)
    kernel_with_add: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.kernel and not self.parameter_type:
            object.__setattr__(self, "parameter_type", f"{self.kernel}_t")
