"""Run the `hil` command in this process, because starting a process takes longer than most commands."""

from __future__ import annotations

import contextlib
import io
import subprocess
from pathlib import Path
from unittest import mock

from tflm_hil.cli import app as cli

ROOT = Path(__file__).parents[2]


def hil(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `hil` in the folder `cwd`; return its output and its exit status."""
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
