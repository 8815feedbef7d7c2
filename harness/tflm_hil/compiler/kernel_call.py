"""What an operator becomes: one call of one kernel, with its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.c_struct import Structure
from tflm_hil.models.tflite_file import Operator


@dataclass(frozen=True)
class Array:
    """A constant array in flash. `ctype` is the C element type, `values` are numbers or structures."""

    ctype: str
    values: npt.NDArray[Any] | Sequence[Structure]

    @property
    def bytes(self) -> int:
        """Its size in flash."""
        if isinstance(self.values, np.ndarray):
            return self.values.nbytes
        return sum(value.bytes for value in self.values)


# None is the null pointer.
Value = int | float | Structure | Array | None


@dataclass(frozen=True)
class Step:
    """A call `kernel(&parameters, inputs..., output)`, or (..., output, scratch) where it needs scratch memory.

    `header` declares the kernel and the type of its parameters, which is `parameter_type` or else kernel_t;
    `parameters` are its members by name, in any order. `listed`: the kernel takes the inputs as one array of pointers.
    A Step without a kernel (RESHAPE) generates no code: its output is its input under another name.

    `in_place`: the kernel may write its output over its first input. `lag`: the output may share memory with the last
    input, which it then overwrites, if it begins so many bytes before it. None: it may not. `readable`: bytes that the
    kernel may read of an input beyond the tensor's own, by tensor index; the memory plan makes them readable, whatever
    they hold. `scratch`: bytes, aligned to 4, that the kernel has for itself while it runs. `scratch_lag` is their
    `lag`.
    """

    operator: Operator
    inputs: tuple[int, ...]
    output: int
    header: str = ""
    kernel: str | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    parameter_type: str = ""
    listed: bool = False
    in_place: bool = False
    lag: int | None = None
    readable: dict[int, int] = field(default_factory=dict)
    scratch: int = 0
    scratch_lag: int | None = None
    note: str = ""
