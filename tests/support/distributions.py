"""Distributions that tests install: modules, and the metadata that importlib.metadata reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from tflm_hil import extensions


def write_distribution(
    folder: Path, name: str, entry_points: Mapping[str, Mapping[str, str]], modules: Mapping[str, str]
) -> None:
    """Put version 9 of the distribution `name` into `folder`, which is to be on sys.path.

    `entry_points` has names and values by group, `modules` the text of each module.
    """
    info = folder / f"{name.replace('-', '_')}-9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 9\n")
    lines = []
    for group, entries in entry_points.items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text)


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """Have this process find the distributions in `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        extensions.discover.cache_clear()
        yield
    extensions.discover.cache_clear()
