"""Measuring networks, engine by engine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tflm_hil.checks.parity import Parity
from tflm_hil.commands.bench import goals
from tflm_hil.commands.bench.rows import Compilation, Figures, Row, Unmeasured
from tflm_hil.commands.bench.subjects import Subject
from tflm_hil.engines.engine import Engine
from tflm_hil.errors import HilError
from tflm_hil.firmware.build_dir import Say
from tflm_hil.firmware.build_dir import silent as unsaid
from tflm_hil.lab.dut import Build, DeviceUnderTest, Measurement, TensorMeasurement
from tflm_hil.lab.session import Session
from tflm_hil.models.macs import multiply_accumulates
from tflm_hil.models.stimuli import stimuli
from tflm_hil.models.tflite_file import Graph


def bench(session: Session, subjects: Sequence[Subject], run_dir: Path, say: Say = unsaid) -> Iterator[Row]:
    """Measure `subjects` with each engine of the session on its board and target, the first engine's first of all.

    Nothing that goes wrong with one of them keeps the others from being measured. `say` is told what takes its time.
    """
    compiled: dict[str, Figures] = {}
    total = len(subjects) * len(session.engines)
    number = 0
    for engine in session.engines:
        for subject in subjects:
            number += 1
            what = f"{subject.name} with {engine.name} ({number} of {total})"
            say(what)
            build = Build(subject.model, subject.variant, engine.name, session.targets[0].name)
            try:
                for row in _measure(session, engine, subject, build, run_dir, partial(_say_of, say, what)):
                    yield row
                    if not isinstance(row, Figures):
                        continue
                    if engine.compiles:
                        compiled.setdefault(subject.name, row)
                    elif subject.name in compiled:
                        yield goals.never_slower(compiled[subject.name], row)
            except HilError as error:
                yield Unmeasured(subject.name, engine.name, build.target, str(error))
    for model in {subject.model.name: subject.model for subject in subjects}.values():
        if model.windowed:
            yield goals.distinct_windows(model, session.all_recordings(model))


def _say_of(say: Say, what: str, text: str) -> None:
    say(f"{what}: {text}")


def _measure(
    session: Session, engine: Engine, subject: Subject, build: Build, run_dir: Path, say: Say
) -> Iterator[Row]:
    firmware = session.firmware(build, say=say)
    # A board for each: one that a crash left behind must not spoil the next one's figures.
    board = session.open_board(run_dir)
    try:
        with session.connected(board, firmware, run_dir / f"{build.name}.log") as device:
            figures = _figures(session, device, subject)
            yield figures
            if subject.own:
                yield from goals.budget(firmware, figures)
                if subject.model.windowed:
                    yield goals.streaming(device, session.all_recordings(subject.model))
    finally:
        board.close()
    if not engine.compiles:
        return
    if subject.of_set is None:
        if compilation := _compile(session, engine, subject):
            yield compilation
            yield goals.plan(compilation)
        yield from goals.against_upstream(figures)
    elif subject.of_set.most is not None:
        yield goals.per_unit(figures, subject.of_set.most)


def _figures(session: Session, device: DeviceUnderTest, subject: Subject) -> Figures:
    firmware = device.firmware
    reference = session.reference(firmware.variant.path)
    measured: Measurement | TensorMeasurement
    if firmware.model.windowed:
        measured = device.stream(session.all_recordings(firmware.model))
    else:
        measured = device.infer(stimuli(reference.inputs))
    parity = measured.parity(reference)
    image = firmware.image
    stack = device.status().stack_peak
    work, unit = (subject.of_set.work, subject.of_set.unit) if subject.of_set else (_macs(reference.graph), "MAC")
    return Figures(
        subject.name,
        firmware.engine,
        firmware.target,
        instructions=max(measured.invoke),
        work=work,
        unit=unit,
        flash=image.flash_bytes,
        constants=image.model_bytes,
        ram=image.ram_bytes,
        ram_total=image.ram_total_bytes + stack,
        arena=device.info.arena_bytes,
        stack=stack,
        answers=describe(parity),
        equal=not parity.mismatches,
    )


def _macs(graph: Graph) -> int:
    counts = [multiply_accumulates(graph, operator) for operator in graph.operators]
    return sum(count for count in counts if count is not None) if None not in counts else 0


def describe(parity: Parity[Any]) -> str:
    """How the answers compare with those of host TFLM, in a few words."""
    if parity.bit_exact:
        return "equal"
    if not parity.mismatches:
        return f"within {parity.max_ulp} ULP" if parity.max_ulp else "within rounding"
    return f"{len(parity.mismatches)} differences in {parity.windows} inferences, of up to {parity.max_abs_diff:g}"


def _compile(session: Session, engine: Engine, subject: Subject) -> Compilation | None:
    started = time.monotonic()
    estimate = engine.check(subject.variant.path, session.project)
    seconds = time.monotonic() - started
    if estimate is None:
        return None
    return Compilation(subject.name, seconds, estimate.arena_bytes, estimate.arena_lower_bound)
