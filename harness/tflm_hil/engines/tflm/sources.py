"""The generated sources of the tflm engine: the model as an array, and the operators that it needs."""

from pathlib import Path

from tflm_hil.engines.tflm.library import TflmLibrary
from tflm_hil.errors import HilError
from tflm_hil.files import write_text
from tflm_hil.models.graph_checks import several_subgraphs
from tflm_hil.models.reference import Reference
from tflm_hil.models.tflite_file import Graph, Operator, TensorType

HEADER, SOURCE = "tflm_model.h", "tflm_model.c"
BYTES_PER_LINE = 24

_INTEGER_WEIGHTS = (TensorType.INT8, TensorType.UINT8, TensorType.INT4, TensorType.INT16)
# Their second input is the weights; other operators may take constants of another type, such as axes.
_WITH_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


def check(path: Path, graph: Graph) -> None:
    """Refuse what TensorFlow Lite Micro cannot run, before anything is compiled.

    Raises:
        HilError: several subgraphs, float16 or hybrid weights, or whatever else upstream TFLM objects to on the host.
    """
    if reason := several_subgraphs(graph):
        raise HilError(f"{path}: {reason}")
    for tensor in graph.tensors:
        if tensor.type == TensorType.FLOAT16:
            raise HilError(
                f"{path}: tensor {tensor.index} ({tensor.name!r}) is float16, which TensorFlow Lite Micro cannot "
                "compute with; convert to int8 or to plain float32"
            )
    for operator in graph.operators:
        if operator.kind in _WITH_WEIGHTS and operator.outputs and max(operator.inputs[1:2], default=-1) >= 0:
            weights, activations = graph.tensors[operator.inputs[1]], graph.tensors[operator.outputs[0]]
            if activations.type == TensorType.FLOAT32 and weights.type in _INTEGER_WEIGHTS:
                raise HilError(
                    f"{_place(path, operator)} is hybrid, {weights.type.name.lower()} weights with float32 activations "
                    "(dynamic range quantization), which TensorFlow Lite Micro refuses; convert to full int8 or to "
                    "plain float32"
                )
    if refusal := Reference(path).refusal:
        raise HilError(f"{path}: {refusal}")


def check_operators(path: Path, graph: Graph, library: TflmLibrary) -> None:
    """Raises HilError for an operator that this copy of the library does not have."""
    for operator in graph.operators:
        if operator.kind not in library.operators:
            raise HilError(
                f"{_place(path, operator)} is not among the operators of {library}; use another network, or a copy of "
                "the library that has it"
            )


def _place(path: Path, operator: Operator) -> str:
    return f"{path}: operator {operator.index} ({operator.kind})"


def write_sources(tflite: Path, graph: Graph, library: TflmLibrary, arena_bytes: int, directory: Path) -> list[Path]:
    """Write the header and the array, each only where it would change.

    Raises:
        HilError: the directory cannot be written to.
    """
    header, source = directory / HEADER, directory / SOURCE
    for path, text in ((header, _header(graph, library, arena_bytes)), (source, _array(tflite.read_bytes()))):
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
    return [header, source]


def _header(graph: Graph, library: TflmLibrary, arena_bytes: int) -> str:
    operators = sorted({library.operators[operator.kind] for operator in graph.operators})
    return f"""\
/* Generated from a .tflite: what the tflm engine is built with. */
#ifndef TFLM_MODEL_H
#define TFLM_MODEL_H

#ifdef __cplusplus
extern "C" {{
#endif

/* Name and version of the copy of TensorFlow Lite Micro. */
#define TFLM_LIBRARY "{library}"

/* The least with which the network runs. */
#define TFLM_ARENA_BYTES {arena_bytes}

/* The operators of the network, each once. */
#define TFLM_OPERATOR_COUNT {len(operators)}
#define TFLM_OPERATORS(ADD) {" ".join(f"ADD({name})" for name in operators)}

#define TFLM_INPUT_COUNT {len(graph.inputs)}
#define TFLM_OUTPUT_COUNT {len(graph.outputs)}
#define TFLM_TENSOR_COUNT {len(graph.tensors)}

/* The .tflite itself. */
extern const unsigned char tflm_model[];

#ifdef __cplusplus
}}
#endif

#endif
"""


def byte_rows(content: bytes) -> str:
    """Return `content` as the lines of an initializer in C."""
    lines = [content[at : at + BYTES_PER_LINE] for at in range(0, len(content), BYTES_PER_LINE)]
    return "\n".join("    " + ", ".join(f"{byte}" for byte in line) + "," for line in lines)


def _array(content: bytes) -> str:
    return f"""\
#include "{HEADER}"

/* Aligned for the widest type of its vectors, which the library reads in place. */
_Alignas(16) const unsigned char tflm_model[{len(content)}] = {{
{byte_rows(content)}
}};
"""
