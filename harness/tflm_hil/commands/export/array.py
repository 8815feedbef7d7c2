"""The .tflite as an array in C."""

from __future__ import annotations

import hashlib

from tflm_hil.commands.export.names import identifier
from tflm_hil.compiler.emit import title_comment
from tflm_hil.engines.tflm.sources import byte_rows

# What the vectors of a .tflite need, which interpreters read in place.
ALIGNMENT = 16


def array_name(file: str) -> str:
    """Return the name of the array for a .tflite called `file`, which is the one that `xxd -i` gives it."""
    return identifier(file)


def array_files(file: str, content: bytes) -> dict[str, str]:
    """Return header and source of the array with the `content` of a .tflite called `file`, by their file names."""
    name = array_name(file)
    digest = hashlib.sha256(content).hexdigest()
    title = title_comment(f"{file}, {len(content):,} bytes, SHA-256 {digest}")
    header = f"""\
{title}
#ifndef {name.upper()}_H
#define {name.upper()}_H

#define {name.upper()}_SHA256 "{digest}"

#ifdef __cplusplus
extern "C" {{
#endif

/* The whole file, aligned to {ALIGNMENT} bytes, and its length. */
extern const unsigned char {name}[{len(content)}];
extern const unsigned int {name}_len;

#ifdef __cplusplus
}}
#endif

#endif
"""
    source = f"""\
{title}
#include "{name}.h"

#include <stdalign.h>

alignas({ALIGNMENT}) const unsigned char {name}[{len(content)}] = {{
{byte_rows(content)}
}};
const unsigned int {name}_len = {len(content)};
"""
    return {f"{name}.h": header, f"{name}.c": source}
