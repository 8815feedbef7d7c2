"""The operators that the aot engine runs: one function each, from an operator of the graph to a Step.

To add one: write its kernel in firmware/lib/aot/kernels, a function here that checks what the kernel assumes and works
out its parameters, and a line below.
"""

from collections.abc import Callable

from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Step
from tflm_hil.compiler.operators.activations import (
    lower_hard_swish,
    lower_leaky_relu,
    lower_logistic,
    lower_relu,
    lower_relu6,
    lower_tanh,
)
from tflm_hil.compiler.operators.binary import lower_binary
from tflm_hil.compiler.operators.convolution import lower_conv_2d, lower_depthwise_conv_2d
from tflm_hil.compiler.operators.extreme import lower_extreme, lower_reduce_extreme
from tflm_hil.compiler.operators.fully_connected import lower_fully_connected
from tflm_hil.compiler.operators.mean import lower_mean, lower_sum
from tflm_hil.compiler.operators.movement import (
    lower_concatenation,
    lower_pack,
    lower_pad,
    lower_reshape,
    lower_strided_slice,
    lower_transpose,
)
from tflm_hil.compiler.operators.pool import lower_pool
from tflm_hil.compiler.operators.quantize import lower_dequantize, lower_quantize
from tflm_hil.compiler.operators.softmax import lower_softmax
from tflm_hil.models.tflite_file import Operator

LOWER: dict[str, Callable[[Operator, Network], Step]] = {
    "ADD": lower_binary,
    "AVERAGE_POOL_2D": lower_pool,
    "CONCATENATION": lower_concatenation,
    "CONV_2D": lower_conv_2d,
    "DEPTHWISE_CONV_2D": lower_depthwise_conv_2d,
    "DEQUANTIZE": lower_dequantize,
    "EXPAND_DIMS": lower_reshape,
    "FULLY_CONNECTED": lower_fully_connected,
    "HARD_SWISH": lower_hard_swish,
    "LEAKY_RELU": lower_leaky_relu,
    "LOGISTIC": lower_logistic,
    "MAXIMUM": lower_extreme,
    "MAX_POOL_2D": lower_pool,
    "MEAN": lower_mean,
    "MINIMUM": lower_extreme,
    "MUL": lower_binary,
    "PACK": lower_pack,
    "PAD": lower_pad,
    "PADV2": lower_pad,
    "QUANTIZE": lower_quantize,
    "REDUCE_MAX": lower_reduce_extreme,
    "REDUCE_MIN": lower_reduce_extreme,
    "RELU": lower_relu,
    "RELU6": lower_relu6,
    "RESHAPE": lower_reshape,
    "SOFTMAX": lower_softmax,
    "SQUEEZE": lower_reshape,
    "STRIDED_SLICE": lower_strided_slice,
    "SUB": lower_binary,
    "SUM": lower_sum,
    "TANH": lower_tanh,
    "TRANSPOSE": lower_transpose,
}


def lower(operator: Operator, network: Network) -> Step:
    """The call that `operator` becomes.

    Raises:
        HilError: the aot engine has no such operator, or not with these types, shapes or options.
    """
    if operator.kind not in LOWER:
        raise network.refuse(
            operator,
            f"the aot engine does not have it; supported: {', '.join(sorted(LOWER))}; change the model",
        )
    return LOWER[operator.kind](operator, network)
