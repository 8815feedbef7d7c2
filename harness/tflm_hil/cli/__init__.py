"""The `hil` command, one file a command."""

from __future__ import annotations

import signal

from tflm_hil.processes import INTERRUPTED, interruptible


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
            app.main()
        except SystemExit as ended:
            if ended.code == INTERRUPTED:  # Typer makes this of KeyboardInterrupt, without a word.
                raise KeyboardInterrupt from None
            raise
