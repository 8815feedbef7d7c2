"""The call of a kernel that an operator is lowered to."""

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
    """A constant array in flash. `ctype` is the C type of its elements; `values` are numbers or structures."""

    ctype: str
    values: npt.NDArray[Any] | Sequence[CStruct]

    @property
    def bytes(self) -> int:
        """The size in flash."""
        if isinstance(self.values, np.ndarray):
            return self.values.nbytes
        return sum(value.bytes for value in self.values)


# None is the null pointer.
Value = int | float | CStruct | Array | None


@dataclass(frozen=True)
class KernelCall:
    """A call `kernel(&parameters, inputs..., outputs..., scratch, state...)`. Inputs and outputs are tensor indices.

    A call without a kernel (RESHAPE) generates no code: its output is its input under another name.

    `header` declares the kernel and the structure type of its parameters: `parameter_type`, by default kernel_t.
    `parameters` are the members by name, in any order. `listed_inputs`, `listed_outputs`: the kernel takes the inputs
    or outputs as one array of pointers.

    `in_place`: the kernel may write its output over its first input. `lag`: the output may overlap the last input if it
    begins at least `lag` bytes before it, because the kernel has then read what it overwrites; None if it must not.
    Both apply only to kernels with one output.

    `readable`: how many bytes the kernel may read beyond the end of an input, by tensor index. The memory plan makes
    them readable; their values do not matter. `scratch`: bytes of private memory during the call, aligned to 4;
    `scratch_lag` is the lag of the scratch memory. `state`: bytes that the kernel keeps between inferences, by the
    index of the tensor that represents them. They are zero before the first inference; calls that name the same tensor
    share them.

    `with_add`: the call to use if an ADD of the output and another int8 tensor of the same shape follows. Its kernel
    takes that tensor as its first input, may overwrite it, and has one more parameter, `residual`.
    `fused`: the operators before `op` that the kernel does as well.
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
    with_add: KernelCall | None = None
    fused: tuple[Op, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if self.kernel and not self.parameter_type:
            object.__setattr__(self, "parameter_type", f"{self.kernel}_t")
