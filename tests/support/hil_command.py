"""The `hil` command in this process: starting one of its own takes longer than most of what it does."""

from __future__ import annotations

import contextlib
import io
import subprocess
from pathlib import Path
from unittest import mock

from tflm_hil.cli import app as cli

ROOT = Path(__file__).parents[2]


def hil(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """What `hil` says and how it ends, in the folder `cwd`."""
    argv, out, err, status = ["hil", *map(str, arguments)], io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch("sys.argv", argv),
    ):
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0
    return subprocess.CompletedProcess(argv, status, out.getvalue(), err.getvalue())
