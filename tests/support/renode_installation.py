"""An executable `renode` for tests: the stand-in, which is not Renode (see fake_renode.py)."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from tflm_hil.boards.qemu.board import command_line
from tflm_hil.targets import Target

from support import fake_renode


def install(folder: Path, target: Target, fault: str = "") -> Path:
    """Write an executable `renode` into `folder`, behind which QEMU emulates `target`; return its path."""
    qemu = command_line(target, Path("ELF"), Path("FOLDER/uart"), Path("FOLDER/monitor"))
    settings = json.dumps({"qemu": qemu, "fault": fault})
    command = shlex.join([sys.executable, fake_renode.__file__, settings])
    folder.mkdir(parents=True, exist_ok=True)
    renode = folder / "renode"
    renode.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    renode.chmod(0o755)
    return renode
