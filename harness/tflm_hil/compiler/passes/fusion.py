"""Operators that run as one step, so that the tensor between them takes no memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from tflm_hil.compiler.arithmetic.quantization import INT8_MAX, INT8_MIN, addend, fraction
from tflm_hil.compiler.arithmetic.sum import SUMS, sum_scale
from tflm_hil.compiler.c_struct import Structure
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Array, Step, Value


@dataclass(frozen=True)
class Residual(Structure):
    """An ADD after a convolution; see aot_conv.h."""

    ctype: ClassVar[str] = "aot_residual_t"
    bytes: ClassVar[int] = 52
    skip: Value
    conv: Value
    scale: Value
    zero_point: Value
    minimum: Value
    maximum: Value


def fuse(steps: Sequence[Step], network: Network) -> list[Step]:
    """`steps`, with every int8 convolution that only the ADD right behind it reads made one with that ADD.

    Not those that limit their outputs more than int8 does: the kernel saves itself a comparison.
    """
    readers = Counter(tensor for step in steps for tensor in step.inputs) + Counter(network.outputs)
    fused: list[Step] = []
    for step in steps:
        previous = fused[-1] if fused else None
        if previous is not None and readers[previous.output] == 1 and _is_residual(previous, step, network):
            fused[-1] = _residual(previous, step, network)
        else:
            fused.append(step)
    return fused


def _is_residual(conv: Step, add: Step, network: Network) -> bool:
    return (
        conv.kernel == "aot_conv_s8"
        and add.kernel in SUMS
        and add.operator.kind == "ADD"
        and (conv.parameters["minimum"], conv.parameters["maximum"]) == (INT8_MIN, INT8_MAX)
        and conv.output in add.inputs
        and all(network.tensors[index].shape == network.tensors[add.output].shape for index in add.inputs)
    )


def _residual(conv: Step, add: Step, network: Network) -> Step:
    """One step that writes over the ADD's other input where it may."""
    skip = add.inputs[1] if add.inputs[0] == conv.output else add.inputs[0]
    of_skip, of_conv, y = (
        network.quantization(add.operator, network.tensors[index]) for index in (skip, conv.output, add.output)
    )
    twice = 2 * max(of_skip.scale, of_conv.scale)
    residual = Residual(
        addend(of_skip, of_skip.scale / twice),
        addend(of_conv, of_conv.scale / twice),
        fraction(sum_scale(of_skip, of_conv, y)),
        y.zero_point,
        add.parameters["minimum"],
        add.parameters["maximum"],
    )
    return replace(
        conv,
        operator=add.operator,
        inputs=(skip, *conv.inputs),
        output=add.output,
        kernel="aot_conv_add_s8",
        parameters={**conv.parameters, "residual": Array("aot_residual_t", [residual])},
        parameter_type="aot_conv_s8_t",
        in_place=True,
        note=f"{add.note}, with #{conv.operator.index} {conv.operator.kind}, {conv.note}",
    )
