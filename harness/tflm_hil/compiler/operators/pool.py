"""AVERAGE_POOL_2D and MAX_POOL_2D on int8, int16 and float32."""

from __future__ import annotations

from tflm_hil.compiler.arithmetic.quantization import ACTIVATIONS, Quantization, float_limits, int8_limits, int16_limits
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.graph.sliding_window import window
from tflm_hil.compiler.kernel_call import Step, Value
from tflm_hil.compiler.operators.common import fused_activation, refuse_types, symmetric
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_file import Operator, TensorType

HEADER = "aot_pool.h"
# TFLM's pooling kernels do not rescale; so much may the scales differ.
SCALE_TOLERANCE = 1e-6


def lower_pool(operator: Operator, network: Network) -> Step:
    """y = activation(average or maximum of a window of x)."""
    x, y = network.tensor(operator, 0), network.output(operator)
    filter_size = tuple(int(network.option(operator, name, 0)) for name in ("FilterHeight", "FilterWidth"))
    geometry = window(operator, network, x, (filter_size[0], filter_size[1]), y)
    if x.shape[3] != y.shape[3]:
        raise network.refuse(operator, f"makes {list(y.shape)} of {list(x.shape)}; export the model again")
    activation = fused_activation(operator, network)
    minimum: float
    maximum: float
    match x.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32:
            suffix, element_bytes = "f32", 4
            minimum, maximum = float_limits(activation)
        case TensorType.INT8, TensorType.INT8:
            suffix, element_bytes = "s8", 1
            source, target = network.quantization(operator, x), network.quantization(operator, y)
            _check_scales(operator, network, source.scale, target.scale)
            if source.zero_point != target.zero_point:
                raise _differently(operator, network)
            minimum, maximum = int8_limits(activation, target)
        case TensorType.INT16, TensorType.INT16:
            suffix, element_bytes = "s16", 2
            source_scale, target_scale = symmetric(operator, network, x, y)
            _check_scales(operator, network, source_scale, target_scale)
            minimum, maximum = int16_limits(activation, Quantization(target_scale, 0))
        case _:
            raise refuse_types(operator, network, "FLOAT32 -> FLOAT32, INT8 -> INT8, INT16 -> INT16")
    parameters: dict[str, Value] = {"window": geometry, "minimum": minimum, "maximum": maximum}
    kernel = f"aot_{'average' if operator.kind == 'AVERAGE_POOL_2D' else 'max'}_pool_{suffix}"
    note = ACTIVATIONS[activation][0]
    return Step(
        operator,
        (x.index,),
        y.index,
        HEADER,
        kernel,
        parameters,
        parameter_type=f"aot_pool_{suffix}_t",
        lag=element_bytes * geometry.lag(),
        note=note,
    )


def _check_scales(operator: Operator, network: Network, source: float, target: float) -> None:
    if abs(source - target) > SCALE_TOLERANCE:
        raise _differently(operator, network)


def _differently(operator: Operator, network: Network) -> HilError:
    return network.refuse(
        operator, "its input and output are quantized differently, which TFLM refuses; quantize it again"
    )
