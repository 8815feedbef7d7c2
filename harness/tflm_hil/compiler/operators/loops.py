"""Nested loops over two tensors with different strides, merged to as few loops as possible (aot_nest.h)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tflm_hil.compiler.c_struct import CStruct


@dataclass(frozen=True)
class Axis(CStruct):
    """One loop: the number of iterations, and the step in elements for each tensor."""

    ctype: ClassVar[str] = "aot_axis_t"
    bytes: ClassVar[int] = 12
    size: int
    first: int
    second: int


def row_major(shape: Sequence[int]) -> list[int]:
    """Return the step in elements along each dimension of a tensor of `shape`."""
    products = itertools.accumulate(reversed(shape), int.__mul__, initial=1)
    return list(products)[-2::-1]


def merge(axes: Iterable[Axis]) -> list[Axis]:
    """Drop loops of one iteration and merge neighbours if one loop can replace two; the outermost loop is first."""
    merged: list[Axis] = []
    for axis in axes:
        if axis.size == 1:
            continue
        if merged and merged[-1].first == axis.size * axis.first and merged[-1].second == axis.size * axis.second:
            merged[-1] = Axis(merged[-1].size * axis.size, axis.first, axis.second)
        else:
            merged.append(axis)
    return merged or [Axis(1, 0, 0)]


def broadcast(first: Sequence[int], second: Sequence[int]) -> tuple[tuple[int, ...], list[Axis]]:
    """Return the shape of two operands after broadcasting, by the rules of numpy, and the loops over both.

    Raises:
        ValueError: the shapes do not broadcast.
    """
    rank = max(len(first), len(second))
    shapes = [(1,) * (rank - len(shape)) + tuple(shape) for shape in (first, second)]
    steps = [row_major(shape) for shape in shapes]
    together = []
    axes = []
    for a, b, a_step, b_step in zip(*shapes, *steps, strict=True):
        if a != b and 1 not in (a, b):
            raise ValueError(f"{list(first)} and {list(second)} do not broadcast")
        together.append(b if a == 1 else a)
        axes.append(Axis(together[-1], a_step if a > 1 else 0, b_step if b > 1 else 0))
    return tuple(together), merge(axes)
