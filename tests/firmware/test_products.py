"""Which products of a build are still what they were made from: with a pretended toolchain, without SCons."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import products
import pytest
from hypothesis import given
from hypothesis import strategies as st


class Environment(dict[str, dict[str, str]]):
    """What of SCons' construction environment is looked at: the compiler's name and where it is looked for."""

    def __init__(self, path: Path) -> None:
        super().__init__(ENV={"PATH": f"{path}:/usr/bin:/bin"})

    def subst(self, _name: str) -> str:
        return "pretended-gcc"

    def subst_path(self, paths: list[str]) -> list[str]:
        return paths


class Built:
    """One object with its dependency file, made with a compiler that is a script."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.product, self.header, self.cc1 = folder / "a.o", folder / "a b#$.h", folder / "bin" / "cc1"
        self.cc1.parent.mkdir()
        self.product.write_bytes(b"an object")
        self.header.write_text("header")
        self.cc1.write_text("compiler")
        escaped = str(self.header).replace("$", "$$").replace(" ", "\\ ").replace("#", "\\#")
        (folder / "a.o.d").write_text(f"made: a.c \\\n {escaped}\n")
        driver = self.cc1.with_name("pretended-gcc")
        driver.write_text(f"#!/bin/sh\necho {self.cc1}\n")
        driver.chmod(0o755)
        self.env = Environment(driver.parent)
        self.node = SimpleNamespace(
            attributes=SimpleNamespace(tracked=True),
            get_path=lambda: str(self.product),
            get_build_env=lambda: self.env,
        )

    def record(self) -> None:
        products.record([self.node], [], self.env)

    def is_old(self) -> bool:
        unchanged = SimpleNamespace(changed_content=lambda *_: False)
        return bool(products.decide(unchanged, self.node, None))


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return Built(tmp_path)


CHANGES: dict[str, Callable[[Built], object]] = {
    "a header that only the compiler sees": lambda built: built.header.write_text("HEADER"),
    "a header that is gone": lambda built: built.header.unlink(),
    "the object cut short": lambda built: built.product.write_bytes(b"an"),
    "the object empty": lambda built: built.product.write_bytes(b""),
    "the compiler behind the driver": lambda built: os.utime(built.cc1, ns=(1, 1)),
    "no record": lambda built: (built.folder / "a.o.made").unlink(),
    "half a record": lambda built: (built.folder / "a.o.made").write_text("{"),
    "another record": lambda built: (built.folder / "a.o.made").write_text('{"product": 1}'),
}


def test_an_object_that_is_what_was_made_stays(built: Built) -> None:
    built.record()
    assert not built.is_old()
    os.utime(built.header, ns=(1, 1))
    assert not built.is_old()


@pytest.mark.parametrize("change", CHANGES)
def test_an_object_is_made_again_after_a_change_of(built: Built, change: str) -> None:
    built.record()
    CHANGES[change](built)
    products._digest_once.cache_clear()
    products._tools_of.cache_clear()
    assert built.is_old()


def test_another_compiler_on_path_makes_it_again(built: Built, tmp_path: Path) -> None:
    built.record()
    other = tmp_path / "other" / "pretended-gcc"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\necho /nowhere\n")
    other.chmod(0o755)
    built.env = Environment(other.parent)
    assert built.is_old()


def escape(name: str) -> str:
    """As gcc writes a name into a dependency file."""
    return name.replace("$", "$$").replace(" ", "\\ ").replace("#", "\\#")


NAMES = st.lists(st.text(st.sampled_from("ab/. #$'\"(&;,%é"), min_size=1).map(lambda name: f"/{name}x"), max_size=5)


@given(names=NAMES)
def test_the_names_in_dependency_files_are_read_as_they_were_meant(names: list[str]) -> None:
    compiled = "made: " + " \\\n ".join(escape(name) for name in names) + "\n"
    assert products.inputs(compiled, compiler=True) == names
    linked = "program.elf:" + "".join(f" \\\n  {name}" for name in names) + "\n\n" + "".join(f"{n}:\n\n" for n in names)
    assert products.inputs(linked, compiler=False) == names
