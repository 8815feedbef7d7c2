"""What recordings must be, and what is suspicious about them, before a network is trained on them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model
from tflm_hil.recordings import Channel, Recording, by_file

CLIPPED = 0.01
"""The share of a file's rows at the end of a sensor's range from which it is worth a warning."""

IMPLAUSIBLE = 0.5
"""A file with this share of rows there is not a clipped gesture: its values are in another unit."""

_FULL_SCALE = 32767


def check_labels(where: Path, labels: Sequence[str]) -> None:
    """Raise HilError, which names `where`, if there are fewer than two labels, or two that differ only in case."""
    spelled = Counter(label.casefold() for label in labels)
    alike = [label for label in labels if spelled[label.casefold()] > 1]
    if alike:
        raise HilError(f"{where}: labels {' and '.join(map(repr, alike))} differ only in case; spell them the same way")
    if len(labels) < 2:
        found = f"the only label is {labels[0]!r}" if labels else "no recording has a label"
        raise HilError(
            f"{where}: {found}, and a network tells at least two apart; record another gesture, or `idle`: no gesture"
        )


def check_signals(model: Model, recordings: Sequence[Recording]) -> Iterator[str]:
    """Yield what is suspicious about the samples of `recordings`, one line each, with the name of the file.

    Raises HilError if a channel is constant in all of them, or if a file has a channel that is at the end of the
    sensor's range most of the time.
    """
    everything = np.concatenate([recording.samples for recording in recordings])
    for at in np.flatnonzero(everything.min(axis=0) == everything.max(axis=0)).tolist():
        channel = model.channels[at]
        value = everything[0, at] / channel.lsb_per_unit
        raise HilError(
            f"{recordings[0].file.parent}: channel {channel.name} is {value:g} {channel.unit} in every row; mend the "
            "sensor's wiring and record again, or leave the channel out of model.toml"
        )
    for file, group in by_file(recordings).items():
        samples = np.concatenate([recording.samples for recording in group])
        for at, channel in enumerate(model.channels):
            clipped = float(np.mean(np.abs(samples[:, at].astype(np.int32)) >= _rail(channel)))
            limit = f"+-{_rail(channel) / channel.lsb_per_unit:.4g} {channel.unit}"
            if clipped >= IMPLAUSIBLE:
                raise HilError(
                    f"{group[0].file}: {clipped:.0%} of {channel.name} are at {limit}, where the sensor's range ends; "
                    "are they in another unit? Say which in [columns], or convert the file"
                )
            if clipped > CLIPPED:
                yield (
                    f"{group[0].file.parent / file}: {clipped:.1%} of {channel.name} are clipped at {limit}, where the "
                    "sensor's range ends; set a wider range and record again"
                )


def _rail(channel: Channel) -> int:
    """The count beyond which the sensor shows nothing."""
    if channel.range is None:
        return _FULL_SCALE
    return min(_FULL_SCALE, math.floor(channel.range * channel.lsb_per_unit))
