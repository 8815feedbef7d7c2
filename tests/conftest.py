"""Which tests run where nobody names them.

With a board and no paths on the command line the suite runs alone: the host tests in unit/ need no board. Tests that
take minutes are marked `nightly` and run only where -m names that marker.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.fixtures import SESSION

HOST_TESTS = Path(__file__).parent / "unit"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = config.args_source == pytest.Config.ArgsSource.ARGS
    return True if collection_path == HOST_TESTS and SESSION in config.stash and not named else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "nightly" not in config.getoption("markexpr"):
        nightly = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if item not in nightly]
