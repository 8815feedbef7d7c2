"""Goals: limits of figures, most of them ratios of what was measured in one run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from tflm_hil.commands.bench.published_figures import ARENA_SHARE, CMSIS_NN, FLASH_SHARE
from tflm_hil.commands.bench.rows import Compilation, Figures, Goal
from tflm_hil.lab.dut import DeviceUnderTest, Firmware
from tflm_hil.models.manifest import Model
from tflm_hil.recordings import Recording
from tflm_hil.recordings.windows import windows

STREAMING_SHARE = 0.8
DISTINCT_WINDOWS = 1000
# The arena may exceed the largest sum of tensors that are alive at one step by this much.
PLAN_SHARE = 1.1
# The machine's speed drifts, so echo and streaming take turns and the middle one of the pairs counts.
PAIRS = 5
ECHO_BYTES = 32 * 1024


def budget(firmware: Firmware, figures: Figures) -> Iterator[Goal]:
    """What the model's manifest allows."""
    limits = firmware.budget
    rows = (
        ("instructions, slowest inference", figures.instructions, limits.instructions),
        ("flash bytes", figures.flash, limits.flash_bytes),
        ("static RAM bytes without UART buffers", figures.ram, limits.ram_bytes),
        ("arena bytes", figures.arena, limits.arena_bytes),
        ("stack bytes", figures.stack, limits.stack_bytes),
    )
    for what, measured, limit in rows:
        if limit is not None:
            yield _at_most(f"{firmware.name}: {what}", measured, limit)


def against_upstream(figures: Figures) -> Iterator[Goal]:
    """The published figures of upstream with CMSIS-NN, of networks that have some."""
    upstream = CMSIS_NN.get(figures.network)
    if upstream is None:
        return
    name = f"{figures.network}: {{}} against TFLM with CMSIS-NN"
    yield _at_most(name.format("instructions"), figures.instructions, upstream.instructions)
    yield _at_most(name.format("flash without model"), figures.code, FLASH_SHARE * upstream.flash)
    yield _at_most(name.format("arena"), figures.arena, ARENA_SHARE * upstream.arena)


def per_unit(figures: Figures, most: float) -> Goal:
    """At most so many instructions a multiply-accumulate or element."""
    share = figures.instructions / figures.work
    return Goal(
        f"{figures.network}: instructions a {figures.unit}", f"{share:.2f}", f"at most {most:g}", share / most, True
    )


def never_slower(compiled: Figures, interpreted: Figures) -> Goal:
    """Compiled code is not slower than an interpreter."""
    what = f"{compiled.network}: instructions, {compiled.engine} against {interpreted.engine}"
    return _at_most(what, compiled.instructions, interpreted.instructions)


def plan(compilation: Compilation) -> Goal:
    """How close the arena comes to what is alive at one step."""
    share = compilation.arena / compilation.lower_bound
    return Goal(
        f"{compilation.network}: arena / most tensor bytes alive at a step",
        f"{share:.3f} ({compilation.arena:,} / {compilation.lower_bound:,} bytes)",
        f"at most {PLAN_SHARE:.2f} of it",
        share / PLAN_SHARE,
        True,
    )


def streaming(device: DeviceUnderTest, recordings: Sequence[Recording]) -> Goal:
    """How fast samples travel, as a share of a mere echo."""
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
    return Goal(
        f"{device.firmware.name}: streaming of samples / raw echo",
        f"{share:.2f} ({stream:,.0f} / {echo:,.0f} bytes/s)",
        f"at least {STREAMING_SHARE} of the echo",
        share / STREAMING_SHARE,
        False,
    )


def distinct_windows(model: Model, recordings: Sequence[Recording]) -> Goal:
    """How many different windows the recordings have."""
    raw = [windows(recording.samples, model.window, model.stride) for recording in recordings]
    flat = np.concatenate(raw).reshape(-1, model.window * len(model.channels))
    distinct = len(np.unique(flat, axis=0))
    return Goal(
        f"{model.name}: distinct windows of the default run",
        f"{distinct:,}",
        f"at least {DISTINCT_WINDOWS:,}",
        distinct / DISTINCT_WINDOWS,
        False,
    )


def _at_most(what: str, measured: int, limit: float) -> Goal:
    return Goal(what, f"{measured:,}", f"at most {limit:,.0f}", measured / limit, True)
