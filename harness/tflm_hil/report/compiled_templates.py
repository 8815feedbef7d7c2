"""Templates are compiled once for each installation, not once for each session."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket


class CompiledTemplates(jinja2.FileSystemBytecodeCache):
    """Keeps compiled templates where Python keeps this package's compiled modules, if it keeps and may keep them."""

    def __init__(self) -> None:
        super().__init__(str(Path(__file__).parent / "__pycache__"))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template, unless there is no room for it or Python was told to keep nothing."""
        if not sys.dont_write_bytecode:
            with contextlib.suppress(OSError):
                super().dump_bytecode(bucket)
