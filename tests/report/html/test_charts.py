"""The geometry of charts: that what is drawn has the proportions of what was measured."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.made_results import compared, failed, run, slower
from support.rich_results import rich_run
from tflm_hil.checks.latency import Latency
from tflm_hil.report.html import footprint as geometry
from tflm_hil.report.html.chain import chain
from tflm_hil.report.html.distribution import BINS, distribution
from tflm_hil.report.html.footprint import footprint
from tflm_hil.report.html.layers import layers
from tflm_hil.report.html.room import PAIRS, PAIRS_OF_A_RUN, rooms
from tflm_hil.report.html.scale import Scale, ticks
from tflm_hil.report.html.traces import CHANNELS, LANE, POINTS, pair
from tflm_hil.results.groups import (
    AttributionFigures,
    AttributionStep,
    DifferenceFigures,
    FirmwareFigures,
    OperatorFigures,
    ProfileFigures,
    SymbolFigures,
    WindowFigures,
)
from tflm_hil.results.model import Case, Run


def measured(*pairs: tuple[int, int], before: float | None = None) -> Run:
    """A run whose inferences took these counts, each so often."""
    part = {"latency": {"unit": "instructions", "invoke": [list(each) for each in pairs], "prepare": [], "window": []}}
    ordered = sorted(count for count, times in pairs for _ in range(min(times, 1_000)))
    middle = ordered[len(ordered) // 2]
    change = slower()
    change.before = before or 0
    return run(
        latency=Latency("instructions", len(ordered), ordered[0], middle, ordered[-1], ordered[-1]),
        tests=[Case(id="t", outcome="passed", this_session=True, measured=[part])],
        comparison=compared(change) if before else None,
    )


@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(1, 2**40)), min_size=2))
def test_bins_hold_every_inference_once(pairs: list[tuple[int, int]]) -> None:
    drawn = distribution(measured(*pairs))
    counts = [count for count, _ in pairs]
    if len(set(counts)) < 2:
        assert drawn is None
        return
    assert drawn is not None
    assert sum(drawn.bins) == sum(times for _, times in pairs)
    assert len(drawn.bins) <= BINS + 1
    assert drawn.low <= min(counts)
    assert max(counts) < drawn.low + drawn.width * len(drawn.bins)
    assert drawn.bins[0]
    assert drawn.bins[-1]


def test_the_busiest_bin_and_the_medians_are_where_they_belong() -> None:
    drawn = distribution(measured((1_000, 1), (1_050, 7), (1_099, 2), before=1_020))
    assert drawn is not None
    begin, end, inferences = drawn.busiest
    assert begin <= 1_050 <= end
    assert inferences == 7
    assert drawn.before is not None
    assert drawn.before < drawn.median
    assert [value for _, value in drawn.marks] == [1_000, 1_050, 1_100]
    elsewhere = distribution(measured((1_000, 1), (1_099, 2), before=5_000))
    assert elsewhere is not None
    assert elsewhere.before is None


def test_what_earlier_sessions_measured_is_not_mixed_in() -> None:
    made = measured((1_000, 1), (1_010, 1))
    old = measured((9_000, 5)).tests[0]
    old.stale = True
    made.tests.append(old)
    drawn = distribution(made)
    assert drawn is not None
    assert sum(drawn.bins) == 2


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9))
def test_ticks_are_few_round_and_inside(low: float, extent: float) -> None:
    found = ticks(low, low + extent)
    assert 1 <= len(found) <= 5
    assert all(low - extent / 1e3 <= value <= low + extent * 1.001 for value in found)


def test_a_scale_puts_its_ends_at_the_ends() -> None:
    assert [Scale(10, 20, 0, 100)(value) for value in (10, 15, 20)] == [0, 50, 100]
    assert Scale(7, 7, 0, 100)(7) == 50
    assert ticks(7, 7) == [7]


def image(sections: dict[str, int], symbols: list[SymbolFigures], flash: list[str], ram: list[str]) -> FirmwareFigures:
    return FirmwareFigures("00", 0, 0, 0, 0, 0, sections, symbols, flash_sections=flash, ram_sections=ram)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=60))
def test_areas_are_as_large_as_what_they_stand_for(sizes: list[int]) -> None:
    symbols = [SymbolFigures(f"s{number}", ".text", size) for number, size in enumerate(sizes)]
    (memory,) = footprint(image({".text": sum(sizes)}, symbols, [".text"], []), 10)
    (section,) = memory.sections
    assert (section.area.w, section.area.h) == (geometry.WIDTH, geometry.HEIGHT)
    inside = geometry.WIDTH * (geometry.HEIGHT - geometry.HEAD)
    for area in section.symbols:
        assert 0 <= area.x <= area.x + area.w <= geometry.WIDTH + 1
        assert geometry.HEAD <= area.y + 1 <= area.y + area.h + 1 <= geometry.HEIGHT + 2
        assert area.w * area.h == pytest.approx(area.bytes / sum(sizes) * inside, abs=area.w + area.h + 1)
    if section.symbols:
        assert sum(area.bytes for area in section.symbols) == sum(sizes)


def test_what_is_in_both_memories_is_in_both_charts_and_what_has_no_symbol_is_told() -> None:
    sections = {".text": 4_000, ".data": 400, ".bss": 500, ".link_buffers": 2_000}
    symbols = [SymbolFigures("weights", ".text", 3_000), SymbolFigures("arena", ".bss", 500)]
    flash, ram = footprint(image(sections, symbols, [".text", ".data"], [".data", ".bss"]), 10)
    assert (flash.name, ram.name) == ("Flash", "RAM")
    assert {section.area.name for section in flash.sections} == {".text", ".data"}
    assert {section.area.name for section in ram.sections} == {".data", ".bss", ".link_buffers"}
    assert [(area.name, area.bytes) for area in flash.sections[0].symbols] == [("weights", 3_000), ("no symbol", 1_000)]


def test_an_image_of_which_it_is_not_known_what_lies_in_flash_is_one_chart() -> None:
    (memory,) = footprint(image({".text": 100, ".bss": 50}, [], [], []), 10)
    assert [(section.area.name, section.area.bytes) for section in memory.sections] == [(".text", 100), (".bss", 50)]


def test_the_dearest_operators_of_a_long_network_are_shown_in_its_order() -> None:
    operators = [OperatorFigures(index, "CONV_2D", "", 1_000 + index % 50, 10) for index in range(100)]
    shown = layers(ProfileFigures("cycles", "", 110_000, operators), 32)
    assert shown is not None
    indices = [layer.operator.index for layer in shown.layers]
    assert indices == sorted(indices)
    assert len(indices) == 32
    assert {99, 49, 98} <= set(indices)
    assert shown.left_out == 100 - 32
    shown_count = sum(layer.operator.count for layer in shown.layers)
    assert shown_count + shown.left_out_count + shown.between == 110_000
    assert shown.dearest.operator.index == 49
    assert layers(ProfileFigures("cycles", "", 0, []), 32) is None


def test_a_chain_leaves_out_steps_without_an_accuracy_and_keeps_their_numbers() -> None:
    def step(accuracy: float | None) -> AttributionStep:
        return AttributionStep("", 1, 1, accuracy, 0, 0, 0, None)

    first, second = chain(AttributionFigures([step(1.0), step(None), step(0.5)], []))
    assert (first.number, second.number) == (1, 3)
    assert first.y < second.y
    assert chain(AttributionFigures([step(None), step(0.5)], [])) == []


def window(rows: list[list[int]]) -> WindowFigures:
    return WindowFigures("r.csv", 0, 0, rows, [], "a", [], "b")


def heights(path: str) -> list[int]:
    """The heights of all points of a path."""
    start, _, rest = path.removeprefix("M").partition("l")
    steps = [int(number) for number in re.findall(r"-?\d+", rest)]
    found = [int(start.split()[1])]
    for rise in steps[1::2]:
        found.append(found[-1] + rise)
    return found


def test_both_windows_are_drawn_on_the_same_scale() -> None:
    drawn = pair(DifferenceFigures(window([[0], [1_000]]), window([[500], [2_000]])))
    assert drawn.agrees is not None
    (differs,), (agrees,) = drawn.differs.traces, drawn.agrees.traces
    assert (differs.low, differs.high) == (agrees.low, agrees.high) == (0, 2_000)
    assert heights(differs.path) == [LANE, LANE // 2]
    assert heights(agrees.path) == [LANE * 3 // 4, 0]


@example([0] * 500 + [9, -9] + [0] * 500)
@given(st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=200))
def test_a_long_trace_keeps_its_peaks(values: list[int]) -> None:
    drawn = pair(DifferenceFigures(window([[value] for value in values])))
    assert drawn.agrees is None
    (trace,) = drawn.differs.traces
    found = heights(trace.path)
    assert len(found) <= POINTS
    if min(values) < max(values):
        assert (min(found), max(found)) == (0, LANE)


def test_rows_of_different_lengths_and_many_channels_are_drawn_as_far_as_they_go() -> None:
    drawn = pair(DifferenceFigures(window([[1, 2], [3]]), window([[1] * (CHANNELS + 3)] * 2)))
    assert drawn.agrees is not None
    assert [len(heights(trace.path)) for trace in drawn.differs.traces] == [2, 1]
    assert (len(drawn.agrees.traces), drawn.agrees.left_out) == (CHANNELS, 3)
    assert drawn.differs.height == drawn.agrees.height
    assert pair(DifferenceFigures(window([]))).differs.traces == []


def test_room_goes_to_the_first_runs_and_never_beyond_what_there_is() -> None:
    (alone,) = rooms([rich_run()])
    assert alone.pairs == PAIRS_OF_A_RUN
    many = rooms([rich_run(number) for number in range(100)])
    assert [room.pairs for room in many] == [1] * PAIRS + [0] * (100 - PAIRS)
    assert many[0].operators < alone.operators
    assert many[0].symbols < alone.symbols
    logs = run(tests=[failed("no", test=str(number), log="x") for number in range(9)])
    assert rooms([logs])[0].characters == rooms([run()])[0].characters
    assert rooms([logs] * 100)[0].characters < rooms([logs])[0].characters
