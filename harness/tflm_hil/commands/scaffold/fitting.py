"""What a network says of the windows that it takes, and how the values of a sensor become its input."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tflm_hil.commands.scaffold.survey import Signal
from tflm_hil.errors import HilError
from tflm_hil.models.preprocess import INPUT_TYPES, Layout
from tflm_hil.models.tflite_file import Graph, Tensor
from tflm_hil.recordings.units import RAW

MOST_CHANNELS = 16
"""Nobody says how many channels a network takes; sensors of motion have 3, 6 or 9, images and spectra have more."""

FULL_SCALE = 32768.0
NARROW = 0.1
"""Values that fill less than this part of the range of an input were not meant as they are."""

FLOAT_RANGE = (-1.0, 1.0)
LARGE = 32.0
"""Networks are hardly trained on floats beyond this."""

AS_IT_IS = {"normalize": "none"}


@dataclass(frozen=True)
class Windows:
    """`rows` of `channels` in this `layout` fill the network's input."""

    rows: int
    channels: int
    layout: Layout


@dataclass(frozen=True)
class Scaling:
    """How a channel becomes input: its unit, the counts a unit, and the keys of its normalization."""

    unit: str
    lsb_per_unit: float
    normalization: Mapping[str, float | str]


def variant_name(graph: Graph) -> str:
    """What to call the variant of a model that the network is: by the type of its input."""
    kind = graph.tensors[graph.inputs[0]].type.name.lower() if graph.inputs else "tflite"
    return {"int16": "int16x8"}.get(kind, kind)


def windows_of(graph: Graph) -> Windows | None:
    """The windows that the network's shape speaks of; None if it takes something else, or nobody can tell."""
    if not _may_be_windows(graph):
        return None
    plain = _plain_shape(graph)
    if len(plain) != 2:
        return None
    rows, channels = plain
    if channels <= MOST_CHANNELS:
        return Windows(rows, channels, "channels-last")
    return Windows(channels, rows, "channels-first") if rows <= MOST_CHANNELS else None


def windows_of_channels(tflite: Path, graph: Graph, folder: Path, signals: tuple[Signal, ...]) -> Windows:
    """The windows of recordings with these `signals`.

    Raises:
        HilError: the network cannot take them.
    """
    names = ", ".join(signal.name for signal in signals)
    plain, channels = _plain_shape(graph), len(signals)
    if _may_be_windows(graph):
        if len(plain) == 2 and plain[1] == channels:
            return Windows(plain[0], channels, "channels-last")
        if len(plain) == 2 and plain[0] == channels:
            return Windows(plain[1], channels, "channels-first")
        if len(plain) <= 1 and math.prod(plain) % channels == 0:
            return Windows(math.prod(plain) // channels, channels, "channels-last")
    shapes = " and ".join(str(list(graph.tensors[index].static_shape)) for index in graph.inputs)
    raise HilError(
        f"{tflite}: takes {shapes}, which are no windows of the {channels} channels in {folder} ({names}); "
        "name other recordings, or leave out --recordings to write its inputs as tensors"
    )


def scaling(signal: Signal, source: Tensor) -> Scaling:
    """A guess how a channel with these values feeds the input `source`, whose range they are to fill."""
    unit = signal.unit or (RAW if signal.whole else "dimensionless")
    largest = max(abs(signal.lowest), abs(signal.highest)) or 1.0
    lsb = 1.0 if unit == RAW else 2.0 ** math.floor(math.log2(FULL_SCALE / largest) + 1e-9)
    limits = _input_range(source)
    lowest, highest = limits or FLOAT_RANGE
    span = highest - lowest
    if limits is None and largest <= LARGE:
        return Scaling(unit, lsb, AS_IT_IS)
    within = lowest - 0.05 * span <= signal.lowest and signal.highest <= highest + 0.05 * span
    if limits and within and signal.highest - signal.lowest >= NARROW * span:
        return Scaling(unit, lsb, AS_IT_IS)
    std = _short((signal.highest - signal.lowest or 1.0) / span)
    return Scaling(unit, lsb, {"mean": _short(signal.lowest - lowest * std), "std": std})


def _may_be_windows(graph: Graph) -> bool:
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return False
    kind = graph.tensors[graph.inputs[0]].type.dtype
    return kind is not None and kind.name in INPUT_TYPES


def _plain_shape(graph: Graph) -> list[int]:
    return [size for size in graph.tensors[graph.inputs[0]].static_shape if size != 1] if graph.inputs else []


def _input_range(source: Tensor) -> tuple[float, float] | None:
    """The real numbers that a quantized input can hold; None for a float."""
    dtype = source.type.dtype
    if dtype is None or dtype == np.float32 or len(source.scales) != 1:
        return None
    limits, scale, zero = np.iinfo(dtype), float(source.scales[0]), int(source.zero_points[0])
    return (int(limits.min) - zero) * scale, (int(limits.max) - zero) * scale


def _short(value: float) -> float:
    return float(f"{value:.4g}")
