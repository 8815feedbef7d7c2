"""Goals: what the example firmware must reach, as ratios of figures that were measured in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.dut import DeviceUnderTest, Firmware
from harness.recordings import Recording
from harness.recordings.windows import windows
from harness.session import Session

STREAMING_SHARE = 0.8
DISTINCT_WINDOWS = 1000
# The machine's speed drifts, so echo and streaming take turns and the median of the pairs counts.
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


def goals(session: Session, run_dir: Path) -> Iterator[Goal]:
    """Measure every goal of the models' budgets, then the streaming rate, on the emulated board."""
    board = session.open_board(run_dir)
    try:
        for build in session.builds:
            firmware = session.firmware(build)
            recordings = [recording for file in session.recordings(build.model).values() for recording in file]
            with session.connected(board, firmware, run_dir / f"{build.name}.log") as device:
                yield from _budget(device, firmware, recordings)
                yield _streaming(device, recordings)
        for model in session.models:
            yield _distinct_windows(
                model.name,
                np.concatenate(
                    [
                        windows(recording.samples, model.window, model.stride).reshape(
                            -1, model.window * len(model.channels)
                        )
                        for file in session.recordings(model).values()
                        for recording in file
                    ]
                ),
            )
    finally:
        board.close()


def _budget(device: DeviceUnderTest, firmware: Firmware, recordings: list[Recording]) -> Iterator[Goal]:
    measurement = device.stream(recordings)
    budget, image = firmware.budget, firmware.image
    rows = (
        (f"{measurement.unit}, slowest inference", max(measurement.invoke), budget.instructions),
        ("flash bytes", image.flash_bytes, budget.flash_bytes),
        ("static RAM bytes without UART buffers", image.ram_bytes, budget.ram_bytes),
        ("arena bytes", device.info.arena_bytes, budget.arena_bytes),
        ("stack bytes", device.status().stack_peak, budget.stack_bytes),
    )
    for what, measured, limit in rows:
        if limit is not None:
            yield Goal(f"{firmware.name}: {what}", f"{measured:,}", f"at most {limit:,}", measured / limit, True)


def _streaming(device: DeviceUnderTest, recordings: list[Recording]) -> Goal:
    longest = max(recordings, key=lambda recording: len(recording.samples))
    pattern = bytes(range(256)) * (ECHO_BYTES // 256)
    echo_rates, stream_rates = [], []
    for _ in range(PAIRS):
        started = time.monotonic()
        device.client.echo(pattern)
        echo_rates.append(len(pattern) / (time.monotonic() - started))
        started = time.monotonic()
        device.stream([longest])
        stream_rates.append(longest.samples.nbytes / (time.monotonic() - started))
    share = statistics.median(stream / echo for stream, echo in zip(stream_rates, echo_rates, strict=True))
    echo, stream = statistics.median(echo_rates), statistics.median(stream_rates)
    return Goal(
        f"{device.firmware.name}: streaming of samples / raw echo",
        f"{stream:,.0f} / {echo:,.0f} bytes/s",
        f"at least {STREAMING_SHARE} of the echo",
        share / STREAMING_SHARE,
        False,
    )


def _distinct_windows(name: str, raw: np.ndarray) -> Goal:
    distinct = len(np.unique(raw, axis=0))
    return Goal(
        f"{name}: distinct windows of the default run",
        f"{distinct:,}",
        f"at least {DISTINCT_WINDOWS:,}",
        distinct / DISTINCT_WINDOWS,
        False,
    )
