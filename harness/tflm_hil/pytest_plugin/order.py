"""The order of tests: those of one image stay together, because starting an emulator or flashing a board takes time."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tflm_hil.pytest_plugin.planner import board_of, build_of


class Order:
    """Sorts tests right after pytest does, so that other plugins reorder and deselect what is sorted already."""

    @pytest.hookimpl(tryfirst=True)  # Plugins are called in reverse: the one of pytest is about to be registered.
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Get in behind pytest's own plugin for fixtures."""
        session.config.pluginmanager.register(_Sorter())


class _Sorter:
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort by emulator, then by image, in the order in which they appear; other tests go with the first of them.

        The tests of one image keep their order. Workers of pytest-xdist share out what stands together.
        """
        boards = _ranks(board.kind for item in items if (board := board_of(item)))
        builds = _ranks(build.name for item in items if (build := build_of(item)))

        def group(item: pytest.Item) -> tuple[int, int]:
            board, build = board_of(item), build_of(item)
            return boards[board.kind] if board else 0, builds[build.name] if build else 0

        items.sort(key=group)


def _ranks(names: Iterable[str]) -> dict[str, int]:
    return {name: rank for rank, name in enumerate(dict.fromkeys(names))}
