"""Where the `hil` command and pytest come in: an interrupt while the harness is being imported is one line as well."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

INTERRUPTED = 130
"""The exit status of a program that SIGINT ended, as a shell counts."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn Ctrl-C into the end of the program, with one line."""
    try:
        yield
    except KeyboardInterrupt:
        print("hil: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


def main() -> None:
    """Run the `hil` command. SIGTERM, too, ends a build in order and removes what is temporary."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with interruptible():
        from harness import cli

        try:
            cli.main()
        except SystemExit as ended:
            if ended.code == INTERRUPTED:  # Typer makes this of KeyboardInterrupt, without a word.
                raise KeyboardInterrupt from None
            raise


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the plugin itself, which declares the options."""
    with interruptible():
        from harness import plugin

        pluginmanager.register(plugin, plugin.__name__)
