"""Goals: what firmware must reach, as ratios of figures that were measured in one run, and the engines side by side."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.boards.board import Board
from harness.checks.parity import Parity
from harness.compiler import compile_model
from harness.dut import Build, DeviceUnderTest, Firmware, Measurement, TensorMeasurement
from harness.errors import DeviceError, HilError
from harness.models.manifest import Model, lone_model
from harness.models.stimuli import stimuli
from harness.recordings import Recording
from harness.recordings.windows import windows
from harness.session import Session
from harness.upstream import ARENA_SHARE, CMSIS_NN, FLASH_SHARE

STREAMING_SHARE = 0.8
DISTINCT_WINDOWS = 1000
# The arena may exceed the largest sum of tensors that are alive at one step by this much.
PLAN_SHARE = 1.1
# The machine's speed drifts, so echo and streaming take turns and the middle one of the pairs counts.
PAIRS = 5
ECHO_BYTES = 32 * 1024


@dataclass(frozen=True)
class Goal:
    """A figure, its limit and their ratio; `most` tells whether the limit is an upper or a lower one."""

    what: str
    measured: str
    limit: str
    ratio: float
    most: bool

    @property
    def met(self) -> bool:
        """Whether the figure is on the right side of its limit."""
        return self.ratio <= 1 if self.most else self.ratio >= 1


@dataclass(frozen=True)
class Figures:
    """What `engine` needs for `network` on `target`: instructions of the slowest inference, and bytes.

    `constants` is the part of `flash` that holds the network, `ram` is static and without the buffers of the link to
    the harness. `answers` says how they compare with those of host TFLM, `equal` whether as much as they must.
    """

    network: str
    engine: str
    target: str
    instructions: int
    flash: int
    constants: int
    ram: int
    arena: int
    stack: int
    answers: str
    equal: bool

    @property
    def code(self) -> int:
        """Bytes of flash without the network."""
        return self.flash - self.constants


@dataclass(frozen=True)
class Compilation:
    """The aot compiler at work on `network`: seconds from .tflite to C, the arena's bytes and those alive at once."""

    network: str
    seconds: float
    arena: int
    lower_bound: int


@dataclass(frozen=True)
class Refusal:
    """A network that an engine cannot run on this target, and why."""

    network: str
    engine: str
    reason: str


Row = Goal | Figures | Compilation | Refusal


def bench(session: Session, networks: Sequence[Path], run_dir: Path) -> Iterator[Row]:
    """Measure the project's models against their budgets, and `networks` (.tflite files) against upstream's figures.

    Everything runs on the session's board, with each of its engines.
    """
    board = session.open_board(run_dir)
    try:
        for build in session.builds:
            yield from _own(session, board, build, run_dir)
        for model in session.models:
            if model.windowed:
                yield _distinct_windows(session, model)
        for path in networks:
            yield from _network(session, board, path, run_dir)
    finally:
        board.close()


def _own(session: Session, board: Board, build: Build, run_dir: Path) -> Iterator[Row]:
    firmware = session.firmware(build)
    with session.connected(board, firmware, run_dir / f"{build.name}.log") as device:
        figures = _figures(session, device, f"{build.model.name}-{build.variant.name}")
        yield figures
        yield from _budget(firmware, figures)
        if build.engine == "aot":
            yield from _compiled(build.variant.path, build.name)
        if build.model.windowed:
            yield _streaming(device, session.all_recordings(build.model))


def _network(session: Session, board: Board, path: Path, run_dir: Path) -> Iterator[Row]:
    model = lone_model(path)
    (variant,) = model.variants.values()
    for target in session.targets:
        for engine in session.engines:
            build = Build(model, variant, engine, target.name)
            try:
                firmware = session.firmware(build)
                with session.connected(board, firmware, run_dir / f"{build.name}.log") as device:
                    figures = _figures(session, device, model.name)
            except DeviceError:
                raise
            except HilError as error:
                yield Refusal(model.name, engine, str(error))
                continue
            yield figures
            if engine == "aot":
                yield from _compiled(path, model.name)
                yield from _against_upstream(figures)


def _figures(session: Session, device: DeviceUnderTest, network: str) -> Figures:
    firmware = device.firmware
    reference = session.reference(firmware.variant.path)
    measured: Measurement | TensorMeasurement
    if firmware.model.windowed:
        measured = device.stream(session.all_recordings(firmware.model))
    else:
        measured = device.infer(stimuli(reference.inputs))
    parity = measured.parity(reference)
    image = firmware.image
    return Figures(
        network,
        firmware.engine,
        firmware.target,
        instructions=max(measured.invoke),
        flash=image.flash_bytes,
        constants=image.model_bytes,
        ram=image.ram_bytes,
        arena=device.info.arena_bytes,
        stack=device.status().stack_peak,
        answers=describe(parity),
        equal=not parity.mismatches,
    )


def describe(parity: Parity[Any]) -> str:
    """How the answers compare with those of host TFLM, in a few words."""
    if parity.bit_exact:
        return "equal"
    if not parity.mismatches:
        return f"within {parity.max_ulp} ULP" if parity.max_ulp else "within rounding"
    return f"{len(parity.mismatches)} differences in {parity.windows} inferences, of up to {parity.max_abs_diff:g}"


def _budget(firmware: Firmware, figures: Figures) -> Iterator[Goal]:
    budget = firmware.budget
    rows = (
        ("instructions, slowest inference", figures.instructions, budget.instructions),
        ("flash bytes", figures.flash, budget.flash_bytes),
        ("static RAM bytes without UART buffers", firmware.image.ram_bytes, budget.ram_bytes),
        ("arena bytes", figures.arena, budget.arena_bytes),
        ("stack bytes", figures.stack, budget.stack_bytes),
    )
    for what, measured, limit in rows:
        if limit is not None:
            yield _at_most(f"{firmware.name}: {what}", measured, limit)


def _against_upstream(figures: Figures) -> Iterator[Goal]:
    upstream = CMSIS_NN.get(figures.network)
    if upstream is None:
        return
    name = f"{figures.network}: {{}} against TFLM with CMSIS-NN"
    yield _at_most(name.format("instructions"), figures.instructions, upstream.instructions)
    yield _at_most(name.format("flash without model"), figures.code, FLASH_SHARE * upstream.flash)
    yield _at_most(name.format("arena"), figures.arena, ARENA_SHARE * upstream.arena)


def _at_most(what: str, measured: int, limit: float) -> Goal:
    return Goal(what, f"{measured:,}", f"at most {limit:,.0f}", measured / limit, True)


def _compiled(path: Path, name: str) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        started = time.monotonic()
        compiled = compile_model(path, Path(folder))
        seconds = time.monotonic() - started
    compilation = Compilation(name, seconds, compiled.arena_bytes, compiled.arena_lower_bound)
    yield compilation
    yield _plan(compilation)


def _plan(compilation: Compilation) -> Goal:
    share = compilation.arena / compilation.lower_bound
    return Goal(
        f"{compilation.network}: arena / most tensor bytes alive at a step",
        f"{share:.3f} ({compilation.arena:,} / {compilation.lower_bound:,} bytes)",
        f"at most {PLAN_SHARE:.2f} of it",
        share / PLAN_SHARE,
        True,
    )


def _streaming(device: DeviceUnderTest, recordings: list[Recording]) -> Goal:
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


def _distinct_windows(session: Session, model: Model) -> Goal:
    raw = [windows(recording.samples, model.window, model.stride) for recording in session.all_recordings(model)]
    flat = np.concatenate(raw).reshape(-1, model.window * len(model.channels))
    distinct = len(np.unique(flat, axis=0))
    return Goal(
        f"{model.name}: distinct windows of the default run",
        f"{distinct:,}",
        f"at least {DISTINCT_WINDOWS:,}",
        distinct / DISTINCT_WINDOWS,
        False,
    )
