"""Writes firmware/environments.ini, for builds by hand: an environment for each of our targets and engines.

Usage: python -m tflm_hil.engines.environments_file FILE
"""

from __future__ import annotations

import sys
from pathlib import Path

from tflm_hil import extensions
from tflm_hil.engines.selection import GROUP
from tflm_hil.files import write_text
from tflm_hil.firmware.environments import definition
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.targets import load_targets


def text() -> str:
    """Return what the file holds."""
    own = [name for name, (extension, *_) in extensions.discover(GROUP).items() if extension.own]
    definitions = (
        definition(target.name, engine, kind)
        for target in load_targets().values()
        if target.build
        for engine in own
        for kind in ImageKind
    )
    return "\n".join(["; Generated from harness/tflm_hil/targets by `make environments`; do not edit.", *definitions])


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), text())
