"""What several operators check in the same way."""

from __future__ import annotations

from tflm_hil.compiler.arithmetic.quantization import ACTIVATIONS
from tflm_hil.compiler.graph.network import Network
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_file import Operator, Tensor


def refuse_types(operator: Operator, network: Network, supported: str) -> HilError:
    """The error for a combination of element types that the operator is not available for. Raise it."""
    present = [network.tensors[index] for index in operator.inputs if index >= 0]
    types = " x ".join(tensor.type.name for tensor in present)
    return network.refuse(
        operator,
        f"{types} -> {network.output(operator).type.name}; supported: {supported}; convert the model to one of these",
    )


def unary(operator: Operator, network: Network) -> tuple[Tensor, Tensor]:
    """Input and output of an operator that keeps the shape. Raises HilError where it does not."""
    x, y = network.tensor(operator, 0), network.output(operator)
    if x.shape != y.shape:
        raise network.refuse(operator, f"makes {list(y.shape)} of {list(x.shape)}; export the model again")
    return x, y


def symmetric(operator: Operator, network: Network, *tensors: Tensor) -> list[float]:
    """The scales of int16 tensors. Raises HilError where a zero point is not 0, as TFLM takes it for granted."""
    quantizations = [network.quantization(operator, tensor) for tensor in tensors]
    for tensor, quantization in zip(tensors, quantizations, strict=True):
        if quantization.zero_point != 0:
            raise network.refuse(
                operator,
                f"tensor {tensor.index} ({tensor.name!r}) is int16 with zero point {quantization.zero_point} instead "
                "of 0; quantize the model again",
            )
    return [quantization.scale for quantization in quantizations]


def fused_activation(operator: Operator, network: Network) -> int:
    """The activation that is part of `operator`, a key of ACTIVATIONS. Raises HilError for one that TFLM lacks."""
    activation = int(network.option(operator, "FusedActivationFunction", 0))
    if activation not in ACTIVATIONS:
        names = ", ".join(name for name, _, _ in ACTIVATIONS.values())
        raise network.refuse(operator, f"has the fused activation {activation}; supported: {names}")
    return activation
