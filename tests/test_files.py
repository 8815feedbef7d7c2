"""Several files are written completely, or none of them is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tflm_hil.errors import HilError
from tflm_hil.files import write_all


def test_all_files_are_written(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("before")
    write_all({tmp_path / "old": "after", tmp_path / "new" / "file": b"\0"})
    assert (tmp_path / "old").read_text() == "after"
    assert (tmp_path / "new" / "file").read_bytes() == b"\0"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "new", "old"]


def test_one_that_cannot_be_written_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("before")
    with pytest.raises(HilError, match=r"cannot write .*/old"):
        write_all({tmp_path / "first": "x", tmp_path / "old" / "file": "y"})
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_text() == "before"


def test_an_interrupt_in_the_middle_comes_after_the_last_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, calls = Path.replace, []

    def interrupted(path: Path, target: str | os.PathLike[str]) -> Path:
        calls.append(path)
        done = replace(path, target)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_all({tmp_path / "a": "a", tmp_path / "b": "b"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
