"""The network as a C library of its own: generated code, kernels and, for a model with windows, the windowing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tflm_hil.commands.export.interface import (
    End,
    constants,
    ends,
    has_labels,
    pointer_type,
    rows_comment,
    text_literal,
)
from tflm_hil.commands.export.kernels import read_sources
from tflm_hil.compiler.compile import lower_graph
from tflm_hil.compiler.emit import emit_network, kernel_headers, tensor_list, title_comment
from tflm_hil.compiler.memory.storage import Storage
from tflm_hil.firmware import sources
from tflm_hil.firmware.model_config import windowing_definition
from tflm_hil.models.fit import check_fit
from tflm_hil.models.manifest import Model, Variant
from tflm_hil.models.tflite_file import read


@dataclass(frozen=True)
class Library:
    """A network as C: `files` by name. Their names and those in them begin with `prefix`.

    `header` is the one to include, and `arena_bytes` the RAM for activations. `inputs` and `outputs` name the functions
    that point to them, with their C types.
    """

    prefix: str
    header: str
    files: dict[str, str | Path]
    arena_bytes: int
    inputs: list[tuple[str, str]]
    outputs: list[tuple[str, str]]


def library(model: Model, variant: Variant, prefix: str) -> Library:
    """Compile the network of `variant` to a library.

    Raises:
        HilError: the aot engine cannot run the network, or it does not fit the manifest of `model`.
    """
    graph = read(variant.path)
    network, calls = lower_graph(variant.path, graph)
    check_fit(model, graph)
    storage = Storage(network, calls, keep_tensors=False)
    digest = hashlib.sha256(variant.path.read_bytes()).hexdigest()
    title = title_comment(f"{variant.path.name}, SHA-256 {digest}")
    inputs = ends("input", network.inputs, network, storage)
    outputs = ends("output", network.outputs, network, storage)

    windowing = [f"windowing_{name}" for name in ("push", _prepare(model))] if model.windowed else []
    kernels = [call.kernel for call in calls if call.kernel]
    needed = read_sources(sources.folder()).needed([*kernels, *kernel_headers(calls), *windowing])

    header = f"{prefix}_model.h"
    includes = kernel_headers(calls) | ({"windowing.h"} if model.windowed else set())
    source = [
        title,
        f'#include "{header}"\n\n'
        + "".join(f'#include "{name}"\n' for name in sorted(includes))
        + "#include <stddef.h>\n#include <string.h>",
        *emit_network(network, calls, storage),
        *(_function(prefix, end) for end in (*inputs, *outputs)),
        *([tensor_list("inputs", network.inputs, network, storage)] if model.windowed else []),
        *([_windows(prefix, model)] if model.windowed else []),
        *([_labels(prefix, model)] if has_labels(model) else []),
        _lifetime(prefix, model),
    ]
    return Library(
        prefix,
        header,
        files={
            header: _header(title, prefix, model, digest, storage.arena_bytes, inputs, outputs),
            f"{prefix}_model.c": "\n\n".join(part.strip() for part in source) + "\n",
            **{path.name: path for path in needed},
        },
        arena_bytes=storage.arena_bytes,
        inputs=[(f"{prefix}_{end.name}", end.ctype) for end in inputs],
        outputs=[(f"{prefix}_{end.name}", end.ctype) for end in outputs],
    )


def _prepare(model: Model) -> str:
    return "prepare_channels_first" if model.layout == "channels-first" else "prepare"


def _header(
    title: str, prefix: str, model: Model, digest: str, arena_bytes: int, inputs: list[End], outputs: list[End]
) -> str:
    upper, both = prefix.upper(), (*inputs, *outputs)
    macros = [
        f'#define {upper}_SHA256 "{digest}"',
        f"/* RAM for activations. */\n#define {upper}_ARENA_BYTES {arena_bytes}",
        *(constants(prefix, end) for end in both),
    ]
    functions = [
        f"/* Forgets all that was computed and taken. Call it first. */\nvoid {prefix}_init(void);",
        "/* Where the input is written, before each call of the invoke function, and where the output is read. */\n"
        + "\n".join(f"{pointer_type(end)}{prefix}_{end.name}(void);" for end in both),
        f"/* Runs the network once. May overwrite the input. */\nvoid {prefix}_invoke(void);",
    ]
    if model.windowed:
        macros.append(
            f"/* Rows of a window, rows from one window to the next, and values of a row. */\n"
            f"#define {upper}_WINDOW {model.window}\n#define {upper}_STRIDE {model.stride}\n"
            f"#define {upper}_CHANNELS {len(model.channels)}"
        )
        functions.append(f"{rows_comment(model)}\nbool {prefix}_push(const int16_t row[{upper}_CHANNELS]);")
    if has_labels(model):
        macros.append(f"#define {upper}_LABELS {len(model.labels)}")
        functions.append(
            "/* The number of the label with the largest output, and all labels in the order of the output. */\n"
            f"unsigned {prefix}_label(void);\nextern const char *const {prefix}_labels[{upper}_LABELS];"
        )
    blank = "\n\n"
    return f"""\
{title}
#ifndef {upper}_MODEL_H
#define {upper}_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

{blank.join(macros)}

{blank.join(functions)}

#ifdef __cplusplus
}}
#endif

#endif
"""


def _function(prefix: str, end: End) -> str:
    pointer = pointer_type(end)
    return f"{pointer}{prefix}_{end.name}(void) {{\n    return ({pointer})(arena + {end.offset});\n}}"


def _windows(prefix: str, model: Model) -> str:
    upper = prefix.upper()
    return f"""\
{windowing_definition(model, "static const windowing_config_t config")}
static int16_t rows[{upper}_WINDOW * {upper}_CHANNELS];
static windowing_t windowing = {{&config, rows, 0}};
static uint16_t missing = {upper}_WINDOW; /* the rows until the window is complete */

bool {prefix}_push(const int16_t row[{upper}_CHANNELS]) {{
    uint8_t bytes[2 * {upper}_CHANNELS];
    for (unsigned i = 0; i < {upper}_CHANNELS; i++) {{
        bytes[2 * i] = (uint8_t)row[i];
        bytes[2 * i + 1] = (uint8_t)((uint16_t)row[i] >> 8);
    }}
    windowing_push(&windowing, bytes);
    if (--missing > 0) {{
        return false;
    }}
    missing = {upper}_STRIDE;
    windowing_{_prepare(model)}(&windowing, &inputs[0]);
    return true;
}}
"""


def _labels(prefix: str, model: Model) -> str:
    upper = prefix.upper()
    return f"""\
const char *const {prefix}_labels[{upper}_LABELS] = {{{", ".join(text_literal(label) for label in model.labels)}}};

unsigned {prefix}_label(void) {{
    unsigned best = 0;
    for (unsigned i = 1; i < {upper}_LABELS; i++) {{
        best = {prefix}_output()[i] > {prefix}_output()[best] ? i : best;
    }}
    return best;
}}
"""


def _lifetime(prefix: str, model: Model) -> str:
    windows = f"    windowing.oldest = 0;\n    missing = {prefix.upper()}_WINDOW;\n" if model.windowed else ""
    return f"""\
void {prefix}_init(void) {{
    memset(arena, 0, sizeof arena);
{windows}}}

void {prefix}_invoke(void) {{
    run();
}}
"""
