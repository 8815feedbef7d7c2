"""A run against an earlier one: what is a regression, what an improvement, and what cannot be compared."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from support.made_results import run
from tflm_hil.checks.latency import Latency
from tflm_hil.results.compare import base_of, compare
from tflm_hil.results.comparison import Comparison
from tflm_hil.results.groups import AttributionFigures, FirmwareFigures, ParityFigures
from tflm_hil.results.model import Run
from tflm_hil.results.thresholds import Limits, parse_limits

FILE = "baselines/gesture.json"


def latency(median: int = 1000, most: int = 1100, unit: str = "instructions", count: int = 10) -> Latency:
    return Latency(unit, count, 1, median, most, most)


def firmware(flash: int = 20_000, stack: int = 300) -> FirmwareFigures:
    return FirmwareFigures("00", flash, 1000, 2000, 500, 10_000, {}, [], stack, 3000 + stack)


def parity(device: float | None = 1.0, windows: int = 1000, oracle: str = "tflite-micro 1") -> ParityFigures:
    return ParityFigures(windows, 0, True, 0.0, 0, oracle, device, 1.0)


def measured(**fields: Any) -> Run:
    given: dict[str, Any] = {"latency": latency(), "firmware": firmware(), "parity": parity(), "compiler": "12.2"}
    return run(**given | fields)


def compared(before: Run, now: Run, limits: str = "") -> Comparison:
    given = parse_limits(limits, "--hil-fail-on") if limits else []
    return compare(base_of(before, FILE, "a" * 40), before, now, Limits(given))


def verdicts(comparison: Comparison) -> dict[str, str]:
    return {change.metric: change.verdict for change in comparison.changes}


def test_the_same_figures_are_no_change() -> None:
    assert compared(measured(), measured()) == Comparison(base_of(measured(), FILE, "a" * 40))


def test_instructions_are_compared_exactly_and_cycles_with_a_tolerance() -> None:
    one_more = compared(measured(), measured(latency=latency(1001)))
    assert [(each.metric, each.unit, each.before, each.now, each.verdict) for each in one_more.changes] == [
        ("latency.median", "instructions", 1000, 1001, "regressed")
    ]
    assert (one_more.changes[0].limit, one_more.changes[0].source) == ("latency.median>+0", "default")
    before = measured(latency=latency(unit="cycles"))
    for median, verdict in ((1010, "changed"), (1011, "regressed"), (990, "changed"), (989, "improved")):
        now = measured(latency=latency(median, unit="cycles"))
        assert verdicts(compared(before, now)) == {"latency.median": verdict}


def test_units_are_never_mixed() -> None:
    comparison = compared(measured(), measured(latency=latency(5000, unit="cycles")))
    assert comparison.changes == []
    assert comparison.notes == [f"latency is not compared: {FILE} has it in instructions, this run in cycles"]


def test_every_group_of_figures_is_compared_and_what_got_better_is_told() -> None:
    before = measured(preparation=latency(), window=latency(), attribution=AttributionFigures([], [], 0.0))
    now = measured(
        preparation=latency(most=1200),
        window=latency(most=1000),
        attribution=AttributionFigures([], [], 0.001),
        parity=parity(0.999),
        firmware=replace(firmware(20_100, stack=436), model_bytes=11_000, arena_bytes=400, ram_bytes=1011),
    )
    assert verdicts(compared(before, now)) == {
        "preparation.max": "regressed",
        "window.max": "improved",
        "parity.accuracy_device": "regressed",
        "attribution.accuracy_drop": "regressed",
        "firmware.flash_bytes": "changed",
        "firmware.ram_bytes": "regressed",
        "firmware.arena_bytes": "improved",
        "firmware.stack_peak_bytes": "changed",
        "firmware.ram_total_bytes": "changed",
        "firmware.model_bytes": "regressed",
    }


def test_the_limits_that_are_given_decide_and_are_named() -> None:
    before, now = measured(), measured(latency=latency(1030), firmware=firmware(20_600))
    comparison = compared(before, now, "latency.median>+3%, firmware.flash_bytes>+512")
    assert verdicts(comparison) == {"latency.median": "changed", "firmware.flash_bytes": "regressed"}
    assert [(each.limit, each.source) for each in comparison.regressions] == [
        ("firmware.flash_bytes>+512", "--hil-fail-on")
    ]


@pytest.mark.parametrize(
    ("before", "now", "note"),
    [
        (
            {"latency": latency(count=9)},
            {"latency": latency(2000)},
            f"latency is not compared: {FILE} has it of 9 windows, this run of 10",
        ),
        ({}, {"latency": None}, "latency.* is not compared: not measured in this session"),
        (
            {},
            {"latency": latency(9000), "stale": ["latency"]},
            "latency.* is not compared: not measured in this session",
        ),
        ({"latency": None}, {}, f"latency.* is not compared: {FILE} does not have it"),
    ],
)
def test_what_was_not_measured_alike_is_not_compared_and_said_once(
    before: dict[str, Any], now: dict[str, Any], note: str
) -> None:
    comparison = compared(measured(**before), measured(**now))
    assert comparison.changes == []
    names = ("latency.median", "latency.p99", "latency.max") if "*" in note else ("",)
    assert comparison.notes == [note.replace("latency.*", name) for name in names]


def test_other_tools_are_told_and_figures_are_compared_all_the_same() -> None:
    before = measured(emulator="qemu 7.2.0", engine_version="1", parity=parity(oracle="tflite-micro 1"))
    now = measured(
        emulator="qemu 8.0.0",
        engine_version="2",
        compiler="13.2",
        parity=parity(oracle="tflite-micro 2"),
        firmware=firmware(30_000),
    )
    comparison = compared(before, now)
    assert verdicts(comparison) == {"firmware.flash_bytes": "regressed"}
    assert comparison.notes == [
        f"{FILE} was made with {tool}"
        for tool in (
            "arm-none-eabi-gcc 12.2, this run with 13.2",
            "emulator qemu 7.2.0, this run with qemu 8.0.0",
            "engine aot 1, this run with 2",
            "reference tflite-micro 1, this run with tflite-micro 2",
        )
    ]
    unknown = compared(measured(compiler=None), now)
    assert not any("gcc" in note for note in unknown.notes), "nobody knows whether it is another one"


def test_another_network_is_told_with_the_remedy_and_compared_all_the_same() -> None:
    before, now = measured(model_sha256="a" * 64), measured(model_sha256="b" * 64, latency=latency(900))
    comparison = compared(before, now)
    assert verdicts(comparison) == {"latency.median": "improved"}
    (note,) = comparison.notes
    assert note.startswith(f"{FILE} is of another network (SHA-256 aaaaaaaaaaaa..., now bbbbbbbbbbbb...)")
    assert note.endswith("--hil-update-baseline makes this one the baseline")


def test_no_change_for_the_better_is_a_regression_and_none_for_the_worse_is_an_improvement() -> None:
    better = compared(measured(firmware=firmware(30_000), parity=parity(0.9)), measured())
    worse = compared(measured(), measured(firmware=firmware(30_000), parity=parity(0.9)))
    assert set(verdicts(better).values()) == {"improved"}
    assert set(verdicts(worse).values()) == {"regressed"}
