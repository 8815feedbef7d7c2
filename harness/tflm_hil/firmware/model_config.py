"""The part of the firmware that depends on the model but not on the engine: model_config.h and model_config.c."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tflm_hil.compiler.emit import plain
from tflm_hil.compiler.graph.network import MAX_DIMENSION, MAX_ENDS
from tflm_hil.errors import HilError
from tflm_hil.files import write_text
from tflm_hil.models.fit import check_fit
from tflm_hil.models.manifest import Model
from tflm_hil.models.tflite_file import Graph, Tensor

HASH_BYTES = 8

# A row travels in one SAMPLES request, and what the device says about a window in one response (docs/protocol.md).
MAX_BODY = 249
MAX_CHANNELS = MAX_BODY // 2
MAX_OUTPUT_BYTES = MAX_BODY - 5 - 8


def write_model_config(model: Model, sha256: bytes, graph: Graph, directory: Path) -> list[Path]:
    """Write model_config.h and model_config.c of `model` into `directory`.

    `sha256` is the digest of the .tflite, from which HELLO's model hash is taken, and `graph` what is in it.

    Raises:
        HilError: the network has more inputs or outputs, or larger dimensions, than HELLO can tell; or, of a model with
             windows, it does not take window x channels values, or a row or a window's outputs exceed a frame; or
            the directory cannot be written to.
    """
    _check_interface(model, graph)
    if model.windowed:
        check_fit(model, graph)
        _check_windows(model, graph)
    header, source = directory / "model_config.h", directory / "model_config.c"
    write_text(header, _header(model, graph))
    write_text(source, _source(model, sha256))
    return [header, source]


def _check_interface(model: Model, graph: Graph) -> None:
    if max(len(graph.inputs), len(graph.outputs)) > MAX_ENDS:
        raise HilError(
            f"{model.directory / 'model.toml'}: the network has {len(graph.inputs)} inputs and {len(graph.outputs)} "
            f"outputs, but HELLO counts up to {MAX_ENDS} of either; join some of them"
        )
    for index in [*graph.inputs, *graph.outputs]:
        shape = graph.tensors[index].shape
        if max(shape, default=0) > MAX_DIMENSION:
            raise HilError(
                f"{model.directory / 'model.toml'}: tensor {index} has the shape {list(shape)}, but HELLO tells "
                f"dimensions of at most {MAX_DIMENSION:,}; split it"
            )


def _check_windows(model: Model, graph: Graph) -> None:
    name, channels = model.directory / "model.toml", len(model.channels)
    if channels > MAX_CHANNELS:
        raise HilError(f"{name}: {channels} channels, but a frame carries at most {MAX_CHANNELS}; leave some out")
    output_bytes = sum(_bytes(graph.tensors[index]) for index in graph.outputs)
    if output_bytes > MAX_OUTPUT_BYTES:
        raise HilError(
            f"{name}: the network's outputs take {output_bytes} bytes, but a frame carries {MAX_OUTPUT_BYTES}; "
            "use a network with smaller outputs"
        )


def _bytes(tensor: Tensor) -> int:
    dtype = tensor.type.dtype
    return tensor.elements * dtype.itemsize if dtype else tensor.elements


def _header(model: Model, graph: Graph) -> str:
    windowing = """\
#include "windowing.h"

extern const windowing_config_t model_windowing;
"""
    return f"""\
/* Generated from the manifest of the model "{model.name}": what the firmware is told about its input. */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

/* Rows, rows and values a row; all 0 where the inputs are written as tensors. */
#define MODEL_WINDOW {model.window}
#define MODEL_STRIDE {model.stride}
#define MODEL_CHANNELS {len(model.channels)}
/* Whether the network takes all rows of a channel together, instead of all channels of a row. */
#define MODEL_CHANNELS_FIRST {int(model.layout == "channels-first")}
/* Room for the steps of an inference. */
#define MODEL_STEPS {max(1, len(graph.operators))}

#include <stdint.h>

{windowing if model.windowed else ""}
/* First bytes of the SHA-256 of the .tflite. */
extern const uint8_t model_hash[{HASH_BYTES}];

#endif
"""


def _source(model: Model, sha256: bytes) -> str:
    digest = ", ".join(f"0x{byte:02x}" for byte in sha256[:HASH_BYTES])
    head = "const windowing_config_t model_windowing"
    windowing = f"\n{windowing_definition(model, head)}" if model.windowed else ""
    return f"""\
#include "model_config.h"
{windowing}
const uint8_t model_hash[{HASH_BYTES}] = {{{digest}}};
"""


def windowing_definition(model: Model, head: str) -> str:
    """Return the C that defines the windowing_config_t with the declaration `head` for a model with windows."""
    count, names = len(model.channels), plain(", ".join(channel.name for channel in model.channels))
    return f"""\
/* x = raw * gain + offset is what the network sees of each channel: {names}. */
static const float gain[{count}] = {{{_floats([channel.gain for channel in model.channels])}}};
static const float offset[{count}] = {{{_floats([channel.offset for channel in model.channels])}}};

{head} = {{
    .window = {model.window},
    .channels = {count},
    .gain = gain,
    .offset = offset,
}};
"""


def _floats(values: Sequence[float]) -> str:
    """Single precision constants in hexadecimal, which no compiler has to round."""
    return ", ".join(f"{float(np.float32(value)).hex()}f" for value in values)
