"""The part of the firmware that depends on the model but not on the engine: model_config.h and model_config.c."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.errors import HilError
from harness.files import write_text
from harness.models.manifest import Model

HASH_BYTES = 8

# A SAMPLES request is packed into one frame, and so is its response (docs/protocol.md).
MAX_BODY = 249
MAX_CHANNELS = MAX_BODY // 2


def write_model_config(model: Model, sha256: bytes, directory: Path) -> list[Path]:
    """Write model_config.h and model_config.c of `model` into `directory`.

    `sha256` is the digest of the .tflite, from which HELLO's model hash is taken. Raises HilError for more channels than
    one frame carries and where the directory cannot be written to.
    """
    if len(model.channels) > MAX_CHANNELS:
        raise HilError(
            f"{model.directory}: {len(model.channels)} channels, and a frame carries a row of at most {MAX_CHANNELS}; "
            "leave out channels"
        )
    header, source = directory / "model_config.h", directory / "model_config.c"
    write_text(header, _header(model))
    write_text(source, _source(model, sha256))
    return [header, source]


def _header(model: Model) -> str:
    return f"""\
/* Generated from the manifest of the model "{model.name}": what the firmware is told about its input. */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "windowing.h"

#define MODEL_WINDOW {model.window}
#define MODEL_STRIDE {model.stride}
#define MODEL_CHANNELS {len(model.channels)}

extern const windowing_config_t model_windowing;

/* First bytes of the SHA-256 of the .tflite. */
extern const uint8_t model_hash[{HASH_BYTES}];

#endif
"""


def _source(model: Model, sha256: bytes) -> str:
    return f"""\
#include "model_config.h"

/* x = raw * gain + offset maps each channel's minimum..maximum to 0..1: {", ".join(c.name for c in model.channels)}. */
static const float gain[MODEL_CHANNELS] = {{{_floats([channel.gain for channel in model.channels])}}};
static const float offset[MODEL_CHANNELS] = {{{_floats([channel.offset for channel in model.channels])}}};

const windowing_config_t model_windowing = {{
    .window = MODEL_WINDOW,
    .stride = MODEL_STRIDE,
    .channels = MODEL_CHANNELS,
    .gain = gain,
    .offset = offset,
}};

const uint8_t model_hash[{HASH_BYTES}] = {{{", ".join(f"0x{byte:02x}" for byte in sha256[:HASH_BYTES])}}};
"""


def _floats(values: Sequence[float]) -> str:
    """Single precision constants in hexadecimal, which no compiler has to round."""
    return ", ".join(f"{float(np.float32(value)).hex()}f" for value in values)
