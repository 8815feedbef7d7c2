"""The pytest plugin. An interrupt while it is imported is one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflm_hil.processes import interruptible

if TYPE_CHECKING:
    import pytest


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the plugin itself, which declares the options."""
    with interruptible():
        from tflm_hil.pytest_plugin import hooks

        pluginmanager.register(hooks, hooks.__name__)
