"""RESHAPE: the same elements under another shape."""

from __future__ import annotations

from harness.compiler.network import Network
from harness.compiler.step import Step
from harness.models.tflite_file import Operator


def lower_reshape(operator: Operator, network: Network) -> Step:
    """No code: tensors lie in memory row by row, whatever their shape."""
    x, y = network.tensor(operator, 0), network.output(operator)
    if x.elements != y.elements or x.type != y.type:
        raise network.refuse(
            operator, f"makes {y.type.name}{list(y.shape)} of {x.type.name}{list(x.shape)}; export the model again"
        )
    return Step(operator, (x.index,), y.index)
