"""Goals: limits of figures, most of them ratios of what was measured in one run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from tflm_hil.commands.bench.published_figures import ARENA_SHARE, CMSIS_NN, FLASH_SHARE
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.dut import DeviceUnderTest
from tflm_hil.models.manifest import Model
from tflm_hil.recordings import Recording
from tflm_hil.recordings.windows import windows
from tflm_hil.results.groups import Goal
from tflm_hil.results.model import Run

STREAMING_SHARE = 0.8
DISTINCT_WINDOWS = 1000
# The arena may exceed the largest sum of tensors that are alive at one step by this much.
PLAN_SHARE = 1.1
# The machine's speed drifts, so echo and streaming take turns and the middle one of the pairs counts.
PAIRS = 5
ECHO_BYTES = 32 * 1024
# Of the rings in memory against the UART, in emulation, and alone.
LINK_FACTOR = 15
LINK_WINDOWS_PER_S = 2000
# Instructions of an int8 convolution; see int8_convolution().
INT8_CONVOLUTION = 3.0
REQUANTIZE, PAIR, COPY, LAYER = 7.5, 2, 4, 250


def budget(firmware: Firmware, run: Run) -> Iterator[Goal]:
    """What the model's manifest allows."""
    sizes = run.firmware
    if sizes is None:
        return
    limits = firmware.budget
    rows = (
        ("instructions, slowest inference", slowest(run), limits.instructions),
        ("flash bytes", sizes.flash_bytes, limits.flash_bytes),
        ("static RAM bytes without link buffers", sizes.ram_bytes, limits.ram_bytes),
        ("arena bytes", sizes.arena_bytes, limits.arena_bytes),
        ("stack bytes", sizes.stack_peak_bytes, limits.stack_bytes),
    )
    for what, measured, limit in rows:
        if measured is not None and limit is not None:
            yield _at_most(f"{firmware.name}: {what}", measured, limit)


def against_upstream(run: Run) -> Iterator[Goal]:
    """The published figures of upstream with CMSIS-NN, of networks that have some."""
    upstream, instructions, sizes = CMSIS_NN.get(run.network), slowest(run), run.firmware
    if upstream is None or instructions is None or sizes is None:
        return
    name = f"{run.network}: {{}} against TFLM with CMSIS-NN"
    yield _at_most(name.format("instructions"), instructions, upstream.instructions)
    yield _at_most(name.format("flash without model"), sizes.code_bytes, FLASH_SHARE * upstream.flash)
    yield _at_most(name.format("arena"), sizes.arena_bytes, ARENA_SHARE * upstream.arena)


def per_unit(run: Run, most: float) -> Iterator[Goal]:
    """At most so many instructions a multiply-accumulate or element."""
    instructions, bench = slowest(run), run.bench
    if instructions is not None and bench is not None:
        share = instructions / bench.work
        what = f"{run.network}: instructions a {bench.unit}"
        yield _goal(what, f"{share:.2f}", f"at most {most:.3g}", share / most)


def int8_convolution(macs: int, outputs: int, copied: int, pairs: int) -> float:
    """The most instructions a multiply-accumulate of an int8 convolution with so many `macs` and `outputs`.

    INT8_CONVOLUTION, or if not even that is possible, what a layer with few products takes on a Cortex-M4:

    - 7.5 an output: 5 to requantize and store it (rounding halves away from zero: ADD, SMMLAR, ASR, SSAT, STRB), the
      rest for a share of loading the parameters of its channel, and of counting channels and pixels;
    - 2 for each of the `pairs` of neighbouring inputs in a window: SMLAD multiplies a pair and adds both products, and
      loading its operands, widening them to 16 bits and sharing them between outputs takes about as many again;
    - 4 an input that is `copied`, because windows reach beyond the image: with padding around, all are alike;
    - 250 once, for calls and the geometry.

    The figures of the last three are those of the kernels, not of arithmetic.
    """
    least = (REQUANTIZE + PAIR * pairs) * outputs + COPY * copied + LAYER
    return max(INT8_CONVOLUTION, least / macs)


def never_slower(compiled: Run, interpreted: Run) -> Iterator[Goal]:
    """Compiled code is not slower than an interpreter."""
    ours, theirs = slowest(compiled), slowest(interpreted)
    if ours is not None and theirs is not None:
        what = f"{compiled.network}: instructions, {compiled.engine} against {interpreted.engine}"
        yield _at_most(what, ours, theirs)


def plan(run: Run) -> Iterator[Goal]:
    """How close the arena comes to what is alive at one step."""
    compilation = run.bench.compilation if run.bench else None
    if compilation is None:
        return
    arena, alive = compilation.arena_bytes, compilation.arena_lower_bound
    share = arena / alive
    what = f"{run.network}: arena / most tensor bytes alive at a step"
    yield _goal(
        what, f"{share:.3f} ({arena:,} / {alive:,} bytes)", f"at most {PLAN_SHARE:.2f} of it", share / PLAN_SHARE
    )


def slowest(run: Run) -> int | None:
    """The instructions of the slowest inference; None if the device counts nothing."""
    return run.latency.max if run.latency else None


def streaming(device: DeviceUnderTest, recordings: Sequence[Recording]) -> Goal:
    """How fast samples travel over a serial line, as a share of a mere echo."""
    longest = max(recordings, key=lambda recording: len(recording.samples))
    pattern = bytes(range(256)) * (ECHO_BYTES // 256)
    pairs = []
    for _ in range(PAIRS):
        started = time.monotonic()
        device.client.echo(pattern)
        echo = len(pattern) / (time.monotonic() - started)
        started = time.monotonic()
        device.stream([longest])
        pairs.append((longest.samples.nbytes / (time.monotonic() - started), echo))
    stream, echo = sorted(pairs, key=lambda pair: pair[0] / pair[1])[PAIRS // 2]
    share = stream / echo
    return _goal(
        f"{device.firmware.name}: streaming of samples / raw echo",
        f"{share:.2f} ({stream:,.0f} / {echo:,.0f} bytes/s)",
        f"at least {STREAMING_SHARE} of the echo",
        share / STREAMING_SHARE,
        most=False,
    )


def links(rings: DeviceUnderTest, uart: DeviceUnderTest, recordings: Sequence[Recording]) -> Iterator[Goal]:
    """How many windows a second two links take to the same firmware, in turns."""
    longest = max(recordings, key=lambda recording: len(recording.samples))
    pairs = [(_windows_per_s(rings, longest), _windows_per_s(uart, longest)) for _ in range(PAIRS)]
    fast, slow = sorted(pairs, key=lambda pair: pair[0] / pair[1])[PAIRS // 2]
    name = f"{rings.firmware.name}: windows/s over {rings.board.link}"
    yield _goal(
        f"{name} / over {uart.board.link}",
        f"{fast / slow:.1f} ({fast:,.0f} / {slow:,.0f})",
        f"at least {LINK_FACTOR} times",
        fast / slow / LINK_FACTOR,
        most=False,
    )
    fastest = max(fast for fast, _ in pairs)
    yield _goal(
        f"{name}, fastest of {PAIRS}",
        f"{fastest:,.0f}",
        f"at least {LINK_WINDOWS_PER_S:,}, on an idle machine",
        fastest / LINK_WINDOWS_PER_S,
        most=False,
    )


def _windows_per_s(device: DeviceUnderTest, recording: Recording) -> float:
    measured = device.stream([recording])
    return len(measured.invoke) / measured.traffic.seconds


def distinct_windows(model: Model, recordings: Sequence[Recording]) -> Goal:
    """How many different windows the recordings have."""
    raw = [windows(recording.samples, model.window, model.stride) for recording in recordings]
    flat = np.concatenate(raw).reshape(-1, model.window * len(model.channels))
    distinct = len(np.unique(flat, axis=0))
    return _goal(
        f"{model.name}: distinct windows of the default run",
        f"{distinct:,}",
        f"at least {DISTINCT_WINDOWS:,}",
        distinct / DISTINCT_WINDOWS,
        most=False,
    )


def _at_most(what: str, measured: int, limit: float) -> Goal:
    return _goal(what, f"{measured:,}", f"at most {limit:,.0f}", measured / limit)


def _goal(what: str, measured: str, limit: str, ratio: float, most: bool = True) -> Goal:
    """The goal with this `ratio` of figure and limit, which is an upper limit, or a lower one if not `most`."""
    return Goal(what, measured, limit, ratio, met=ratio <= 1 if most else ratio >= 1)
