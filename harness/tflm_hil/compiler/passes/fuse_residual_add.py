"""Fuse a convolution and the ADD after it into one kernel call, so that the tensor between them needs no memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from tflm_hil.compiler.arithmetic.quantization import addend, fraction, int8_limits
from tflm_hil.compiler.arithmetic.sum import sum_scale
from tflm_hil.compiler.c_struct import CStruct
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.common import fused_activation


@dataclass(frozen=True)
class Residual(CStruct):
    """An ADD after a convolution; see aot_conv.h."""

    ctype: ClassVar[str] = "aot_residual_t"
    bytes: ClassVar[int] = 52
    skip: Value
    conv: Value
    scale: Value
    zero_point: Value
    minimum: Value
    maximum: Value


def fuse_residual_add(calls: Sequence[KernelCall], network: Network) -> list[KernelCall]:
    """Fuse each ADD into the call before it, if only the ADD reads the output of that call and a kernel can do both."""
    readers = Counter(tensor for call in calls for tensor in call.inputs) + Counter(network.outputs)
    fused: list[KernelCall] = []
    for call in calls:
        previous = fused[-1] if fused else None
        if previous is not None and readers[previous.outputs[0]] == 1 and _can_add(previous, call):
            fused[-1] = _with_add(previous, call)
        else:
            fused.append(call)
    return fused


def _can_add(conv: KernelCall, add: KernelCall) -> bool:
    op = add.op
    return (
        conv.with_add is not None
        and op.kind == "ADD"
        and conv.outputs[0] in add.inputs
        and all(x.shape == op.output.shape for x in op.inputs)
    )


def _with_add(conv: KernelCall, add: KernelCall) -> KernelCall:
    """The fused call. It may write over the other input of the ADD."""
    a, b = add.op.inputs
    convolved, skip = (a, b) if a.index == conv.outputs[0] else (b, a)
    of_skip, of_conv, of_y = skip.quantization, convolved.quantization, add.op.output.quantization
    twice = 2 * max(of_skip.scale, of_conv.scale)
    minimum, maximum = int8_limits(fused_activation(add.op), of_y)
    residual = Residual(
        addend(of_skip, of_skip.scale / twice),
        addend(of_conv, of_conv.scale / twice),
        fraction(sum_scale(of_skip, of_conv, of_y)),
        of_y.zero_point,
        minimum,
        maximum,
    )
    assert conv.with_add is not None
    return replace(
        conv.with_add,
        op=add.op,
        fused=(conv.op,),
        inputs=(skip.index, *conv.inputs),
        outputs=add.outputs,
        parameters={**conv.with_add.parameters, "residual": Array("aot_residual_t", [residual])},
        in_place=True,
        note=f"{add.note}, with #{conv.op.index} {conv.op.kind}, {conv.note}",
    )
