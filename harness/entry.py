"""Where the `hil` command and pytest come in: an interrupt while the harness is being imported is one line as well."""

from __future__ import annotations

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
    """Run the `hil` command."""
    with interruptible():
        from harness import cli

        cli.main()


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the plugin itself, which declares the options."""
    with interruptible():
        from harness import plugin

        pluginmanager.register(plugin, plugin.__name__)
