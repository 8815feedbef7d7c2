"""Results in which there is something of everything that a report draws."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from tflm_hil.checks.latency import Latency
from tflm_hil.results.groups import (
    AttributionFigures,
    AttributionStep,
    ClassFigures,
    Confusion,
    DifferenceFigures,
    FirmwareFigures,
    LinkFigures,
    OperatorFigures,
    ParityFigures,
    ProfileFigures,
    SymbolFigures,
    ThroughputFigures,
    WindowFigures,
)
from tflm_hil.results.model import BoardFigures, Case, Results, Run

from support.made_results import compared, failed, flipped, larger, less_accurate, results, run, slower

HOSTILE = (
    "</script><script>alert(1)</script>'\"><img src=x onerror=alert(1)>{{7*7}}\n&lt;\u202e\x00\x1b\ud800]]>--><!--"
    + "W" * 150
)
# What decides how something is drawn; a hostile value there is drawn as something else, not as markup.
_DECIDING = {"verdict", "outcome", "kind", "metric", "schema", "section", "commit", "type"}


def rich_results() -> Results:
    """A run that got worse in every way, one that got better, and one of each other verdict."""
    faster = slower(verdict="improved")
    faster.before, faster.now = faster.now, faster.before
    return results(
        rich_run(),
        run("gesture_cnn", comparison=compared(faster)),
        run(
            "wave",
            verdict="incomplete",
            not_run=["tests/test_hil.py::test_good"],
            tests=[Case(id="tests/t.py::test_good")],
        ),
        run("wave", target="nrf51"),
        no_baseline=["wave-int8-aot-nrf51"],
        stale_baselines=["baselines/old.json"],
        left_out=["wave-int8-aot-lm3s"],
        skipped={"wave-float32-aot-nrf51": "too large"},
        missing_engines={"tflm": "the registry does not answer"},
        boards=[BoardFigures("/dev/ttyACM0", "gw0", 10, ""), BoardFigures("/dev/ttyACM1", "gw1", 3, "it hangs")],
    )


def hostile_results() -> Results:
    """The same with hostile text wherever there is text."""
    return msgspec.convert(_hostile(msgspec.to_builtins(rich_results())), Results)


def rich_run(number: int = 0, symbols: int = 30, windows: int = 200, operators: int = 6) -> Run:
    """A run of which everything was measured, and everything went wrong. `windows` are the distinct latencies."""
    measured = [[13_000 + 7 * value + number, 1 + value % 5] for value in range(windows)]
    return run(
        f"gesture{number or ''}",
        comparison=compared(slower(), larger(), less_accurate(), flips=[flipped()], notes=["another compiler"]),
        verdict="fail",
        engine_version="1.0",
        compiler="12.2.1",
        latency=Latency("instructions", 10, 13_000, 15_002, 15_400, 15_500),
        firmware=_firmware(symbols),
        parity=_parity(),
        attribution=_attribution(),
        throughput=ThroughputFigures(112.0, 10_304.9, "RTT"),
        link=LinkFigures(1, 2, 3),
        trace="the first operator that differs is 2, SOFTMAX",
        profile=_profile(operators),
        differences=[DifferenceFigures(_window(7, "flex"), _window(6, "punch")), DifferenceFigures(_window(9, "flex"))],
        failures=["tests/test_hil.py::test_bad", "accuracy of the device: 98%"],
        over_budget=["accuracy of the device: 98%"],
        notes=["accuracy is not gated"],
        tests=[
            Case(
                id="tests/test_hil.py::test_latency",
                outcome="passed",
                this_session=True,
                measured=[{"latency": {"unit": "instructions", "invoke": measured, "prepare": [], "window": []}}],
            ),
            failed("3 of 1,305 windows differ\nthe first in punch.csv", log="[boot] 1\n[model] 2\n"),
        ],
    )


def _firmware(symbols: int) -> FirmwareFigures:
    sizes = [max(8, 5_000 // (place + 1)) for place in range(symbols)]
    return FirmwareFigures(
        elf_sha256="00",
        flash_bytes=22_400,
        ram_bytes=708,
        uart_buffer_bytes=2_000,
        arena_bytes=232,
        model_bytes=5_000,
        sections={".text": 22_392, ".bss": 700, ".link_buffers": 2_000, ".data": 8, ".stack": 4_096},
        symbols=[
            *(
                SymbolFigures(f"symbol_{place}(int, char*)", ".text", size, "dense.o")
                for place, size in enumerate(sizes)
            ),
            SymbolFigures("arena", ".bss", 232),
        ],
        stack_peak_bytes=376,
        ram_total_bytes=3_084,
        flash_sections=[".text", ".data"],
        ram_sections=[".bss", ".data"],
        core="Cortex-M4",
    )


def _parity() -> ParityFigures:
    return ParityFigures(
        windows=1_305,
        label_mismatches=3,
        bit_exact=False,
        max_abs_diff=0.5,
        max_ulp=0,
        oracle="tflite-micro 1",
        accuracy_device=0.985,
        accuracy_reference=1.0,
        mismatches=3,
        labelled=387,
        classes=[ClassFigures("punch", 212, 0.97, 1.0), ClassFigures("flex", 175, 1.0, 0.98)],
        confusion=[Confusion("punch", "punch", 206), Confusion("punch", "flex", 6), Confusion("flex", "flex", 175)],
    )


def _attribution() -> AttributionFigures:
    return AttributionFigures(
        [
            AttributionStep("as trained on LiteRT", 1_305, 387, 1.0, 0, 0, 0, 0.0),
            AttributionStep("int8 on LiteRT", 1_305, 387, 0.995, 5, 2, 0, 0.1),
            AttributionStep("int8 on the device", 1_305, 387, 0.985, 3, 6, 0, None),
        ],
        ["one step is left out"],
        0.015,
    )


def _profile(operators: int) -> ProfileFigures:
    layers = [
        OperatorFigures(
            place,
            "CONV_2D" if place % 2 == 0 else "RELU",
            f"layer_{place}",
            900 + 100 * place,
            4_000 * (place % 2 == 0),
        )
        for place in range(operators)
    ]
    return ProfileFigures("instructions", "punch.csv, window 0", sum(layer.count for layer in layers) + 137, layers)


def _window(window: int, label: str) -> WindowFigures:
    rows = [[round(8_192 * math.sin((row + channel) / (3 + window))) for channel in range(6)] for row in range(100)]
    answer = [0.25, 0.75] if label == "flex" else [0.75, 0.25]
    return WindowFigures("punch.csv", window, 10 * window, rows, list(answer), label, [0.75, 0.25], "punch", "punch")


def _hostile(value: Any, key: str = "") -> Any:
    """`value` with every string in it replaced by a hostile one."""
    if isinstance(value, dict):
        return {name: _hostile(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_hostile(each, key) for each in value]
    return HOSTILE if isinstance(value, str) and key not in _DECIDING else value
