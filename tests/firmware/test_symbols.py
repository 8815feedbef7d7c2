"""Symbols of an image as reports name them: demangled, with their object and their stack frame."""

from __future__ import annotations

import os
import shutil
from io import BytesIO
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st
from support.linked_program import linked
from support.targets import STM32F4
from tflm_hil.firmware import demangle as demangling
from tflm_hil.firmware.demangle import demangle
from tflm_hil.firmware.image import read_application
from tflm_hil.firmware.link_map import LinkMap, origin_name
from tflm_hil.firmware.stack_frames import stack_frames
from tflm_hil.firmware.symbols import PlacedSymbol, placed_symbols


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return linked(tmp_path_factory.mktemp("program"))


def symbols(elf: Path) -> dict[str, PlacedSymbol]:
    return {symbol.name: symbol for symbol in placed_symbols(read_application(elf, STM32F4))}


def test_symbols_have_the_names_of_people_their_objects_and_their_frames(tmp_path: Path) -> None:
    elf = linked(tmp_path)
    found = symbols(elf)
    assert found["ns::table"] == PlacedSymbol("ns::table", ".rodata", 2048, "app/main.o", None)
    assert found["twice"].origin == found["count"].origin == "libtwice.a(twice.o)"
    deep = found["int ns::deep<512, int>(int)"]
    assert deep.origin == "app/main.o"
    assert deep.frame is not None
    assert 512 <= deep.frame < 600
    assert found["twice"].frame == 0
    assert len({"plain", "other_name"} & set(found)) == 1, "one function, whatever its names"
    sizes = [symbol.size for symbol in found.values()]
    assert sizes == sorted(sizes, reverse=True)
    code = sum(symbol.size for symbol in found.values() if symbol.section == ".text")
    assert code <= read_application(elf, STM32F4).sections[".text"]


def frames(content: bytes | bytearray) -> dict[int, int]:
    return stack_frames(ELFFile(BytesIO(content)))


def table_of_frames(content: bytes | bytearray) -> slice:
    """Where it is in an ELF file."""
    table = ELFFile(BytesIO(content)).get_section_by_name(".debug_frame")
    assert table is not None
    return slice(table["sh_offset"], table["sh_offset"] + table["sh_size"])


@settings(max_examples=40)
@given(data=st.data())
def test_a_damaged_table_of_frames_costs_the_frames_and_nothing_else(data: st.DataObject, program: Path) -> None:
    content = bytearray(program.read_bytes())
    where = table_of_frames(content)
    changes = data.draw(st.lists(st.tuples(st.integers(where.start, where.stop - 1), st.integers(0, 255)), max_size=8))
    for at, byte in changes:
        content[at] = byte
    assert frames(content) or changes


def test_a_frame_that_no_memory_has_is_not_believed(program: Path) -> None:
    content = bytearray(program.read_bytes())
    where = table_of_frames(content)
    assert 512 in frames(content).values()
    at = content.index(b"\x0e\x80\x04", where.start, where.stop)  # DW_CFA_def_cfa_offset: 512
    content[at + 1 : at + 7] = b"\xff\xff\xff\xff\xff\x7f"
    assert frames(content)
    assert max(frames(content).values()) < 512


def test_a_map_that_is_missing_or_of_another_image_says_nothing(tmp_path: Path) -> None:
    elf = linked(tmp_path)
    map_file = elf.with_suffix(".map")
    kept = map_file.read_text()
    shutil.rmtree(tmp_path / "build")
    other = linked(tmp_path, "-O0", link="-Wl,--no-gc-sections")
    assert {symbol.origin for symbol in symbols(other).values()} == {""}
    map_file.write_text(kept)
    assert {symbol.origin for symbol in symbols(other).values()} == {""}
    map_file.write_bytes(os.urandom(4096))
    assert {symbol.origin for symbol in symbols(other).values()} == {""}


def test_objects_that_link_time_optimization_makes_up_have_no_name(tmp_path: Path) -> None:
    found = symbols(linked(tmp_path, "-flto"))
    assert "start" in found
    assert {symbol.origin for symbol in found.values()} == {""}


def test_what_lies_between_objects_is_of_none() -> None:
    known = LinkMap([(108, 4, "b.o"), (100, 6, "a.o")])
    assert [known.origin(address) for address in (99, 100, 105, 106, 108, 112)] == ["", "a.o", "a.o", "", "b.o", ""]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/p/.hil/firmware/m/build/env/generated/aot_model.o", "generated/aot_model.o"),
        (".hil/firmware/m/build/env/src/main.o", "src/main.o"),
        ("/p/.hil/firmware/m/build/env/lib23d/aot/engine_aot.o", "aot/engine_aot.o"),
        ("/p/.hil/objects/stm32f4_aot/windowing/windowing.o", "windowing/windowing.o"),
        (".hil/objects/tflm/mcpu=cortex-m4_mthumb/src/tensorflow/lite/conv.cc.o", "src/tensorflow/lite/conv.cc.o"),
        ("/usr/lib/gcc/../lib/thumb/libc_nano.a(lib_a-memcpy.o)", "libc_nano.a(lib_a-memcpy.o)"),
        ("CMakeFiles/app.dir/src/main.c.obj", "CMakeFiles/app.dir/src/main.c.obj"),
        ("/opt/sdk/crt0.o", "crt0.o"),
        ("/tmp/ccAbC123.ltrans0.ltrans.o", ""),
        ("a folder/with blanks.o", "a folder/with blanks.o"),
    ],
)
def test_an_object_is_called_the_same_wherever_the_project_lies(path: str, name: str) -> None:
    root = Path("/p/.hil")
    assert origin_name(path, root / "firmware" / "m" / "build" / "env", root / "objects") == name


def test_names_stay_as_they_are_if_nothing_demangles_them(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["main", "_ZN2ns3useEl", "_Znonsense", "_ZN2ns3useEl"]
    if shutil.which("c++filt") or shutil.which("arm-none-eabi-c++filt"):
        assert demangle(names) == ["main", "ns::use(long)", "_Znonsense", "ns::use(long)"]
    monkeypatch.setattr(demangling, "PROGRAMS", ("no-such-program",))
    assert demangle(names) == names
    monkeypatch.setattr(demangling, "PROGRAMS", ("false",))
    assert demangle(names) == names
