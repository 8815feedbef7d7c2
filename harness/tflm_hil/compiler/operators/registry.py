"""The registry of supported operators and element types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import TypeAlias

from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.kernel_call import KernelCall
from tflm_hil.models.tflite_file import TensorType

FLOAT32, INT8, INT16, UINT8 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT16, TensorType.UINT8
INT32, INT64 = TensorType.INT32, TensorType.INT64

Lowering: TypeAlias = Callable[[Op], KernelCall]
"""Turns an operator into a kernel call. Raises HilError if the kernel does not support its shapes or options."""


@dataclass(frozen=True)
class OneOf:
    """One of several element types; the same type everywhere in a signature."""

    types: tuple[TensorType, ...]


Types: TypeAlias = Sequence[TensorType | OneOf | EllipsisType]


@dataclass(frozen=True)
class Signature:
    """The element types of the inputs and outputs of an operator.

    `many_inputs`: the last input may be repeated any number of times. `many_outputs`: the last output may.
    """

    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    many_inputs: bool = False
    many_outputs: bool = False

    def fits(self, op: Op) -> bool:
        """Return whether `op` has these types. Absent inputs fit; the lowering knows which inputs are optional."""
        given, made = op.input_types, op.output_types
        inputs, outputs = self.inputs, self.outputs
        if self.many_inputs:
            inputs += inputs[-1:] * (len(given) - len(inputs))
        if self.many_outputs:
            outputs += outputs[-1:] * (len(made) - len(outputs))
        wanted = [*inputs, *[None] * (len(given) - len(inputs))]
        return tuple(made) == outputs and all(a in (None, b) for a, b in zip(given, wanted, strict=False))

    def __str__(self) -> str:
        """Return for example "INT8 x INT8 x INT32 -> INT8"."""
        inputs, outputs = [kind.name for kind in self.inputs], [kind.name for kind in self.outputs]
        return spell_types(inputs + ["..."] * self.many_inputs, outputs + ["..."] * self.many_outputs)


_kernels: dict[str, dict[Signature, Lowering]] = {}


def kernel(*kinds: str, inputs: Types, outputs: Types) -> Callable[[Lowering], Lowering]:
    """Register the decorated function for operators of these kinds with inputs and outputs of these types.

    A final `...` repeats the type before it any number of times. `OneOf` registers a signature for each of its types.
    List optional inputs like other inputs.
    """

    def register(lowering: Lowering) -> Lowering:
        for kind in kinds:
            signatures = _kernels.setdefault(kind, {})
            for signature in _signatures(inputs, outputs):
                if signature in signatures:
                    raise ValueError(f"{kind} {signature} is registered twice")
                signatures[signature] = lowering
        return lowering

    return register


def _signatures(inputs: Types, outputs: Types) -> list[Signature]:
    variables = {kind for kind in (*inputs, *outputs) if isinstance(kind, OneOf)}
    assert len(variables) <= 1, "a signature has one OneOf at most"
    choices: list[TensorType | None] = [kind for variable in variables for kind in variable.types] or [None]

    def chosen(types: Types, choice: TensorType | None) -> tuple[TensorType, ...]:
        named = [choice if isinstance(kind, OneOf) else kind for kind in types]
        return tuple(kind for kind in named if isinstance(kind, TensorType))

    return [
        Signature(chosen(inputs, choice), chosen(outputs, choice), inputs[-1] is ..., outputs[-1] is ...)
        for choice in choices
    ]


def supported() -> dict[str, list[Signature]]:
    """Return the signatures of each kind of operator, in alphabetical order."""
    return {kind: sorted(signatures, key=str) for kind, signatures in sorted(_kernels.items())}


def lower(op: Op) -> KernelCall:
    """Turn `op` into a kernel call.

    Raises:
        HilError: the aot engine does not support this operator, or not with these types, shapes or options.
    """
    kernels = _kernels.get(op.kind)
    if kernels is None:
        raise op.refuse(f"the aot engine does not support it; supported: {', '.join(supported())}; change the model")
    for signature, lowering in kernels.items():
        if signature.fits(op):
            return lowering(op)
    if _is_hybrid(op):
        raise op.refuse(
            "hybrid: float32 activations with int8 weights, which TFLM refuses too; convert the model to full int8 "
            "(with a representative data set) or leave it float32"
        )
    types = spell_types([x.type.name for x in op.present_inputs], [y.type.name for y in op.outputs])
    raise op.refuse(
        f"{types}; supported: {', '.join(map(str, supported()[op.kind]))}; convert the model to one of these"
    )


def spell_types(inputs: Sequence[str], outputs: Sequence[str]) -> str:
    """Return for example "INT8 x INT8 -> INT8"."""
    return f"{' x '.join(inputs)} -> {' x '.join(outputs)}"


def _is_hybrid(op: Op) -> bool:
    given = op.present_inputs
    return [x.type for x in given[:2]] == [FLOAT32, INT8] and given[1].is_constant
