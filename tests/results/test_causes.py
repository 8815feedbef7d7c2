"""What a change is made of: the parts add up, and what was renamed or moved is no gain and no loss."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tflm_hil.results.causes import BETWEEN, STACK, causes, footprint_causes, latency_causes
from tflm_hil.results.comparison import Cause
from tflm_hil.results.groups import FirmwareFigures, OperatorFigures, ProfileFigures, SymbolFigures
from tflm_hil.results.model import Run
from tflm_hil.results.symbol_pairs import symbol_pairs

FLASH, RAM = [".text", ".data"], [".data", ".bss"]


def run(*symbols: SymbolFigures, padding: int = 0, peak: int | None = None) -> Run:
    sections = dict.fromkeys((".text", ".data", ".bss", ".link_buffers"), padding)
    for symbol in symbols:
        sections[symbol.section] += symbol.size
    flash, ram = (sum(sections[name] for name in names) for names in (FLASH, RAM))
    buffers = sections[".link_buffers"]
    total = None if peak is None else ram + buffers + peak
    image = FirmwareFigures(
        "", flash, ram, buffers, 0, 0, sections, list(symbols), peak, total, flash_sections=FLASH, ram_sections=RAM
    )
    return Run("m", "int8", "aot", "emulated", "qemu 7", "stm32f4", "pass", firmware=image)


def symbol(
    name: str, size: int, section: str = ".text", origin: str = "a.o", frame: int | None = None
) -> SymbolFigures:
    return SymbolFigures(name, section, size, origin, frame)


def of(kind: str, found: list[Cause]) -> list[Cause]:
    return [cause for cause in found if cause.kind == kind]


SYMBOLS = st.lists(
    st.builds(
        SymbolFigures,
        name=st.sampled_from(["f", "g", "f.constprop.0", "f(int)", "f(char)", "g.part.0.isra.1", "table.3", "table.7"]),
        section=st.sampled_from([".text", ".data", ".bss", ".link_buffers"]),
        size=st.integers(1, 9),
        origin=st.sampled_from(["", "a.o", "libc.a(b.o)"]),
        frame=st.none() | st.integers(0, 64),
    ),
    max_size=12,
)
IMAGES = st.builds(
    lambda symbols, padding, peak: run(*symbols, padding=padding, peak=peak),
    SYMBOLS,
    st.integers(0, 8),
    st.integers(0, 99),
)


@settings(max_examples=70)
@given(IMAGES, IMAGES, st.sampled_from(["flash_bytes", "ram_bytes", "ram_total_bytes"]))
def test_sections_and_symbols_add_up_to_the_difference(before: Run, now: Run, figure: str) -> None:
    difference = getattr(now.firmware, figure) - getattr(before.firmware, figure)
    found = footprint_causes(before, now, f"firmware.{figure}")
    assert sum(cause.difference for cause in of("section", found)) == difference
    stack = sum(cause.difference for cause in found if cause.name == STACK)
    assert sum(cause.difference for cause in of("symbol", found)) == difference - stack
    unnamed = sum(cause.difference for cause in found if "without a symbol" in cause.name)
    assert sum(cause.difference for cause in of("object", found)) == difference - stack - unnamed
    sizes = [abs(cause.difference) for cause in found]
    assert sizes == sorted(sizes, reverse=True)


@settings(max_examples=50)
@given(SYMBOLS, SYMBOLS)
def test_every_symbol_is_in_one_pair(before: list[SymbolFigures], now: list[SymbolFigures]) -> None:
    pairs = symbol_pairs(before, now)
    for number, symbols in enumerate((before, now)):
        paired = [pair[number] for pair in pairs if pair[number] is not None]
        assert sorted(map(id, paired)) == sorted(map(id, symbols))


@settings(max_examples=50)
@given(IMAGES)
def test_an_image_has_no_causes_against_itself(image: Run) -> None:
    for metric in ("firmware.flash_bytes", "firmware.ram_total_bytes", "firmware.stack_peak_bytes"):
        assert causes(metric, image, image) == []


def test_a_new_table_is_named_with_its_object_and_section_and_comes_first() -> None:
    before = run(symbol("main", 100), symbol("kernel", 500))
    now = run(symbol("main", 104), symbol("kernel", 500), symbol("kTable", 2048, origin="libaot.a(tables.o)"))
    found = footprint_causes(before, now)
    assert found[:3] == [
        Cause("section", ".text", 600, 2652),
        Cause("symbol", "kTable", None, 2048),
        Cause("object", "libaot.a(tables.o)", None, 2048),
    ]
    assert Cause("symbol", "main", 100, 104) in found
    assert not [cause for cause in found if cause.name == "kernel"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("f", "f.constprop.0"),
        ("f.isra.0", "f.constprop.0.isra.1"),
        ("f.part.1", "f"),
        ("f", "f.lto_priv.3"),
        ("table.1234", "table.1240"),
        ("f(int) [clone .part.0]", "f(int)"),
        ("f(int)", "f(int, char const*)"),
        ("ns::f<3>(int) const", "ns::f<3>(char) const"),
    ],
)
def test_a_clone_or_a_function_with_other_parameters_is_the_same_symbol(old: str, new: str) -> None:
    (cause,) = of("symbol", footprint_causes(run(symbol(old, 100)), run(symbol(new, 120))))
    assert cause == Cause("symbol", new, 100, 120, was=old)


def test_another_name_for_as_many_bytes_of_the_same_object_is_a_rename() -> None:
    before = run(symbol("old_filter_taps", 64), symbol("old_window", 64), symbol("gone", 60))
    now = run(symbol("filter_taps", 64), symbol("window", 64), symbol("added", 60, origin="b.o"))
    assert of("symbol", footprint_causes(before, now)) == [
        Cause("symbol", "added", None, 60),
        Cause("symbol", "gone", 60, None),
    ]
    assert before.firmware
    assert now.firmware
    pairs = symbol_pairs(before.firmware.symbols, now.firmware.symbols)
    names = {old.name: new.name for old, new in pairs if old and new}
    assert names == {"old_filter_taps": "filter_taps", "old_window": "window"}


def test_a_symbol_that_moves_says_from_where_and_leaves_one_memory_for_another() -> None:
    before, now = run(symbol("t", 64)), run(symbol("t", 64, section=".bss", origin="b.o"))
    (flash,) = of("symbol", footprint_causes(before, now))
    (ram,) = of("symbol", footprint_causes(before, now, "firmware.ram_bytes"))
    assert flash == Cause("symbol", "t", 64, None, was="t in .text of a.o")
    assert ram == Cause("symbol", "t", None, 64, was="t in .text of a.o")
    (same,) = of("symbol", footprint_causes(before, run(symbol("t", 64, origin="b.o"))))
    assert same == Cause("symbol", "t", 64, 64, was="t of a.o")


def test_local_symbols_of_one_name_are_told_apart_by_their_size() -> None:
    before = run(symbol("buffer", 8), symbol("buffer", 100), symbol("buffer", 50))
    now = run(symbol("buffer", 50), symbol("buffer", 8), symbol("buffer", 130))
    assert of("symbol", footprint_causes(before, now)) == [Cause("symbol", "buffer", 100, 130)]
    fewer = run(symbol("buffer", 50), symbol("buffer", 8))
    assert of("symbol", footprint_causes(before, fewer)) == [Cause("symbol", "buffer", 100, None)]


def test_a_clone_belongs_to_the_overload_of_its_own_parameters() -> None:
    before = run(symbol("f(int)", 100), symbol("f(char)", 60))
    now = run(symbol("f(int) [clone .isra.0]", 60), symbol("f(char) [clone .part.0]", 64))
    assert of("symbol", footprint_causes(before, now)) == [
        Cause("symbol", "f(int) [clone .isra.0]", 100, 60, was="f(int)"),
        Cause("symbol", "f(char) [clone .part.0]", 60, 64, was="f(char)"),
    ]


def test_a_larger_stack_is_explained_by_the_frames_that_grew() -> None:
    before = run(symbol("deep", 20, frame=16), symbol("other", 8, frame=8), peak=300)
    now = run(symbol("deep", 24, frame=528), symbol("other", 8, frame=8), peak=812)
    assert causes("firmware.stack_peak_bytes", before, now) == [Cause("symbol", "deep", 16, 528)]
    assert causes("firmware.ram_total_bytes", before, now)[0] == Cause("section", STACK, 300, 812)


def profiled(*operators: tuple[str, str, int], between: int = 10) -> Run:
    made = [OperatorFigures(index, kind, output, count) for index, (kind, output, count) in enumerate(operators)]
    profile = ProfileFigures("instructions", "punch", sum(each.count for each in made) + between, made)
    return Run("m", "int8", "aot", "emulated", "qemu 7", "stm32f4", "pass", profile=profile)


OPERATORS = st.lists(
    st.tuples(st.sampled_from(["CONV_2D", "RELU"]), st.sampled_from(["a", "b", "c"]), st.integers(0, 50)), max_size=6
)


@settings(max_examples=50)
@given(OPERATORS, OPERATORS, st.integers(0, 9))
def test_operators_add_up_to_the_difference_of_the_inference(
    before: list[tuple[str, str, int]], now: list[tuple[str, str, int]], between: int
) -> None:
    old, new = profiled(*before), profiled(*now, between=between)
    assert old.profile
    assert new.profile
    found = latency_causes(old, new)
    assert sum(cause.difference for cause in found) == new.profile.whole - old.profile.whole
    assert latency_causes(old, old) == []


def test_a_slower_layer_is_named_and_an_inserted_one_moves_no_other() -> None:
    before = profiled(("CONV_2D", "conv", 500), ("FULLY_CONNECTED", "dense", 90), ("SOFTMAX", "out", 20))
    now = profiled(
        ("CONV_2D", "conv", 700), ("RELU", "relu", 5), ("FULLY_CONNECTED", "dense_1", 95), ("SOFTMAX", "out", 20)
    )
    assert latency_causes(before, now) == [
        Cause("operator", "0 CONV_2D conv", 500, 700),
        Cause("operator", "1 RELU relu", None, 5),
        Cause("operator", "2 FULLY_CONNECTED dense_1", 90, 95, was="1 FULLY_CONNECTED dense"),
    ]


def test_an_operator_is_called_after_the_first_of_the_layers_that_were_fused() -> None:
    names = "net/dense/MatMul;net/dense/Relu;net/dense/BiasAdd"
    (cause,) = latency_causes(profiled(("CONV_2D", names, 5)), profiled(("CONV_2D", names, 9)))
    assert cause == Cause("operator", "0 CONV_2D net/dense/MatMul", 5, 9)


def test_what_lies_between_the_operators_is_a_cause_too() -> None:
    before, now = profiled(("RELU", "a", 5)), profiled(("RELU", "a", 5), between=30)
    assert causes("latency.median", before, now) == [Cause("operator", BETWEEN, 10, 30)]
    assert causes("parity.accuracy_device", before, now) == []


def test_profiles_in_different_units_are_not_compared() -> None:
    before, now = profiled(("RELU", "a", 5)), profiled(("RELU", "a", 9))
    assert now.profile
    now.profile.unit = "cycles"
    assert latency_causes(before, now) == []
