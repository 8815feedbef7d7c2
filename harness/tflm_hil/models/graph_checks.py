"""Properties of a graph that prevent every engine from running it, or its answers from being compared."""

from __future__ import annotations

from tflm_hil.models.tflite_file import Graph, TensorType
from tflm_hil.models.tflite_operators import CONTROL_FLOW, STATEFUL

STATELESS = "export a stateless model, which takes its state as an input"


def state(graph: Graph) -> str | None:
    """Return how the network keeps state between inferences, which prevents comparing them one by one; else None."""
    kinds = sorted({operator.kind for operator in graph.operators} & STATEFUL)
    for tensor in graph.tensors:
        if tensor.variable or tensor.type is TensorType.RESOURCE:
            where = f"tensor {tensor.index} ({tensor.name!r})"
            with_what = f" with {', '.join(kinds)}" if kinds else ""
            return f"{where} keeps state between inferences{with_what}, so answers cannot be compared one by one"
    return f"{', '.join(kinds)} keep state between inferences" if kinds else None


def several_subgraphs(graph: Graph) -> str | None:
    """Return why the file cannot be run if it has several subgraphs, and how to mend it; None if it has one."""
    if graph.subgraphs == 1:
        return None
    has = f"has {graph.subgraphs} subgraphs"
    if kept := state(graph):
        return f"{has}, and {kept}; {STATELESS}"
    if kinds := sorted({operator.kind for operator in graph.operators} & CONTROL_FLOW):
        return f"{has} and switches between them with {', '.join(kinds)}; export it without control flow"
    return f"{has}, of which only the first would run; export it with one signature"
