"""What other distributions add: found by entry point, loaded when asked for, and blamed for what they raise."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.distributions import installed, write_distribution
from tflm_hil import extensions
from tflm_hil.errors import HilError
from tflm_hil.extensions import ExtensionError

GROUP = "tflm_hil.engines"
MODULE = """
from tflm_hil.errors import HilError

class Line:
    def read(self):
        raise OSError("it broke\\nin two lines")

class Part:
    value = 3
    def fine(self, x):
        return [x]
    def fails(self):
        raise ZeroDivisionError
    def leaves(self):
        raise SystemExit(7)
    def refuses(self):
        raise HilError("a network that it does not take")
    def line(self):
        return Line()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where distributions are installed; the modules of `foreign` are forgotten afterwards."""
    with installed(tmp_path):
        yield tmp_path
    for name in [name for name in sys.modules if name.startswith("foreign")]:
        del sys.modules[name]


def add(folder: Path, name: str, value: str, text: str = MODULE) -> None:
    write_distribution(folder, f"foreign-{name}", {GROUP: {name: value}}, {value.partition(":")[0]: text})
    extensions.discover.cache_clear()


def made(folder: Path) -> Any:
    add(folder, "part", "foreign_part:Part")
    return extensions.find(GROUP, "part").make()


def test_ours_come_first_and_nothing_is_loaded_before_it_is_asked_for(folder: Path) -> None:
    add(folder, "a", "foreign_a:Part", "raise RuntimeError('loaded')")
    assert list(extensions.discover(GROUP)) == ["aot", "tflm", "a"]
    assert "foreign_a" not in sys.modules


@pytest.mark.parametrize(
    ("value", "text", "said"),
    [
        ("foreign_x:Part", "import nowhere", r"ModuleNotFoundError: No module named 'nowhere' \(.*foreign_x\.py:1\)"),
        ("foreign_x:Part", "\n1/0", r"ZeroDivisionError: division by zero \(.*foreign_x\.py:2\)"),
        ("foreign_x:Part", "a b", r"SyntaxError: invalid syntax \(foreign_x\.py, line 1\)"),
        ("foreign_x:Part", "raise SystemExit('no')", r"SystemExit: no \("),
        ("foreign_x:Part", "", r"AttributeError: module 'foreign_x' has no attribute 'Part'"),
        ("foreign_x:Part", "def Part(name): ...", r"TypeError: Part\(\) missing 1 required positional argument"),
        ("foreign_x:Part", "Part = 3", r"TypeError: 'int' object is not callable"),
        ("nowhere:Part", "", r"ModuleNotFoundError: No module named 'nowhere'"),
    ],
)
def test_one_that_cannot_be_loaded_is_one_line(folder: Path, value: str, text: str, said: str) -> None:
    write_distribution(folder, "foreign-x", {GROUP: {"x": value}}, {"foreign_x": text})
    extensions.discover.cache_clear()
    with pytest.raises(ExtensionError) as raised:
        extensions.find(GROUP, "x").make()
    line = str(raised.value)
    assert line.startswith(f"foreign-x 9, entry point x = {value}: ")
    assert line.endswith("; mend or uninstall it")
    assert re.search(said, line)
    assert "\n" not in line


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda part: part.fails(), r"ZeroDivisionError: no reason given \(.*foreign_part\.py:13\)"),
        (lambda part: part.leaves(), r"SystemExit: 7 "),
        (lambda part: part.nothing(), r"AttributeError: 'Part' object has no attribute 'nothing'"),
        (lambda part: part.fine(), r"TypeError: Part.fine\(\) missing 1 required positional argument: 'x'"),
        (lambda part: part.line().read(), r"OSError: it broke in two lines \(.*foreign_part\.py:6\)"),
    ],
)
def test_one_that_fails_when_it_is_used_is_one_line(folder: Path, use: Any, said: str) -> None:
    part = made(folder)
    with pytest.raises(
        ExtensionError, match=r"^foreign-part 9, entry point part = foreign_part:Part: " + said
    ) as raised:
        use(part)
    assert "\n" not in str(raised.value)
    assert raised.value.__cause__ is not None, "its author needs the traceback"


def test_what_works_and_what_it_says_itself_is_left_alone(folder: Path) -> None:
    part = made(folder)
    assert (part.value, part.fine(4)) == (3, [4])
    assert isinstance(part, sys.modules["foreign_part"].Part)
    with pytest.raises(HilError) as raised:
        part.refuses()
    assert str(raised.value) == "a network that it does not take"
    assert not isinstance(raised.value, ExtensionError)


def test_a_fault_of_our_own_keeps_its_traceback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "OWN", "foreign-own")
    add(folder, "own", "foreign_own:Part")
    with pytest.raises(ZeroDivisionError):
        extensions.find(GROUP, "own").make().fails()


def test_two_of_one_name_are_both_named(folder: Path) -> None:
    for name in ("one", "two"):
        write_distribution(folder, f"foreign-{name}", {GROUP: {"same": f"foreign_{name}:Part"}}, {})
    extensions.discover.cache_clear()
    with pytest.raises(ExtensionError) as raised:
        extensions.find(GROUP, "same")
    assert str(raised.value) == (
        "same: foreign-one 9, entry point same = foreign_one:Part and foreign-two 9, entry point same = "
        "foreign_two:Part have the same name; uninstall one of them"
    )


@pytest.mark.parametrize("value", ["", "no module: at all!", "foreign_x", ":", "foreign_x:Part [extra]"])
def test_an_entry_point_that_is_nonsense_stops_no_other_and_is_one_line(folder: Path, value: str) -> None:
    write_distribution(folder, "foreign-x", {GROUP: {"x": value}}, {"foreign_x": "Part = 3"})
    extensions.discover.cache_clear()
    assert extensions.find(GROUP, "aot").make().name == "aot"
    with pytest.raises(ExtensionError, match=r"^foreign-x 9, entry point x = ") as raised:
        extensions.find(GROUP, "x").make()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", [None, "", "Name: foreign\n", "\xff\n\n"])
def test_a_distribution_with_damaged_metadata_is_blamed_as_far_as_it_is_known(folder: Path, text: str | None) -> None:
    add(folder, "x", "foreign_x:Part", "1/0")
    metadata = folder / "foreign_x-9.dist-info" / "METADATA"
    metadata.unlink() if text is None else metadata.write_text(text, encoding="latin-1")
    extensions.discover.cache_clear()
    with pytest.raises(ExtensionError, match=r"entry point x = foreign_x:Part: ZeroDivisionError"):
        extensions.find(GROUP, "x").make()


def test_metadata_that_are_older_than_the_code_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "OWN", "nobody")
    extensions.discover.cache_clear()
    with pytest.raises(HilError, match=r"install it again \(pip install -e \.\)"):
        extensions.discover(GROUP)
    extensions.discover.cache_clear()
