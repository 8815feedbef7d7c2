"""The steps of an inference: what an engine does at one go, and the operators that it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tflm_hil.models.macs import multiply_accumulates
from tflm_hil.models.tflite_file import Graph, Operator


@dataclass(frozen=True)
class Step:
    """One step. `index` is that of its last operator in the file, `output` the name of the tensor that this computes.

    `kind` names the operators, as `CONV_2D + ADD`, and `macs` are their multiply-accumulates.
    """

    index: int
    kind: str
    output: str
    macs: int


def step(graph: Graph, operators: Sequence[Operator]) -> Step:
    """The step that stands for `operators`, in the order of the file. What cannot be counted adds nothing to `macs`."""
    last = operators[-1]
    return Step(
        last.index,
        " + ".join(operator.kind for operator in operators),
        graph.tensors[last.outputs[0]].name,
        sum(multiply_accumulates(graph, operator) or 0 for operator in operators),
    )


def one_by_one(graph: Graph) -> list[Step]:
    """A step for each operator."""
    return [step(graph, [operator]) for operator in graph.operators]
