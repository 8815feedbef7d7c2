"""The `hil` command, one file a command."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tflm_hil.processes import INTERRUPTED, interruptible

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Why standard output takes no more: a full disk, a quota, a limit, or a terminal that is gone."""


def main() -> None:
    """Run `hil`. An interrupt while the harness is imported is one line as well.

    SIGTERM and the end of the terminal are interrupts, so that they end a build or a tool in order. `nohup` has SIGHUP
    ignored, and so it stays.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    with interruptible():
        from tflm_hil.cli import app

        try:
            with _written():
                app.main()
        except SystemExit as ended:
            if ended.code == INTERRUPTED:  # Typer makes this of KeyboardInterrupt, without a word.
                raise KeyboardInterrupt from None
            raise


@contextmanager
def _written() -> Iterator[None]:
    """End the program with one line if standard output cannot be written, also at its end."""
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        if error.filename is not None or error.errno not in _NO_ROOM:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python writes what is left once more when it ends.
        sys.exit(f"hil: the output cannot be written: {error.strerror}; free some space, or send it elsewhere")
