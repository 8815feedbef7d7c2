"""What of a whole graph stands in the way of running and comparing it, whatever the engine."""

from __future__ import annotations

from tflm_hil.models.tflite_file import Graph, TensorType
from tflm_hil.models.tflite_operators import CONTROL_FLOW, STATEFUL

STATELESS = "export a stateless model, which takes its state as an input"


def state(graph: Graph) -> str | None:
    """How the network remembers what earlier inferences left, so that its answers cannot be compared one by one."""
    kinds = sorted({operator.kind for operator in graph.operators} & STATEFUL)
    for tensor in graph.tensors:
        if tensor.variable or tensor.type is TensorType.RESOURCE:
            place = f"tensor {tensor.index} ({tensor.name!r})"
            with_what = f" with {', '.join(kinds)}" if kinds else ""
            return f"{place} keeps state between inferences{with_what}, so no answer can be compared by itself"
    return f"{', '.join(kinds)} keep state between inferences" if kinds else None


def several_subgraphs(graph: Graph) -> str | None:
    """Why a file with more than one subgraph cannot be run as if it had one, with the way out."""
    if graph.subgraphs == 1:
        return None
    has = f"has {graph.subgraphs} subgraphs"
    if kept := state(graph):
        return f"{has}, and {kept}; {STATELESS}"
    if kinds := sorted({operator.kind for operator in graph.operators} & CONTROL_FLOW):
        return f"{has}, between which it moves by {', '.join(kinds)}; export it without control flow"
    return f"{has}, of which only the first would ever run; export it with one signature"
