"""Turn SPACE_TO_BATCH_ND, convolution, BATCH_TO_SPACE_ND into one convolution with dilation.

Keras writes a Conv1D with dilation_rate d in this way: SPACE_TO_BATCH_ND distributes the pixels to d images, each of
which holds every d-th pixel, and BATCH_TO_SPACE_ND collects them again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tflm_hil.models.tflite_file import Graph, Operator, Tensor

SAME, VALID = 0, 1
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_RESHAPES = ("EXPAND_DIMS", "RESHAPE", "SQUEEZE")
_STEPS = ("StrideH", "StrideW", "DilationHFactor", "DilationWFactor")
# Convolutions take only images, so a series is reshaped to an image before them and back after them.
_LINKS = (_RESHAPES, _CONVOLUTIONS, _RESHAPES, ("BATCH_TO_SPACE_ND",))


def dilate(graph: Graph) -> Graph:
    """Return `graph` with each such chain replaced by one convolution, if the padding is SAME or VALID.

    Tensors inside a chain change their shapes or are no longer used. Other chains stay unchanged.
    """
    for operator in graph.operators:
        if operator.kind == "SPACE_TO_BATCH_ND":
            graph = _dilated(graph, _chain(graph, operator)) or graph
    return graph


def miscomputed_by_tflm(graph: Graph) -> str | None:
    """Return which of these operators TFLM runs with wrong results, and why; None if there is none.

    TFLM uses the batch size that the file stores, and converters store every open dimension as 1, even if
    SPACE_TO_BATCH_ND has made it larger. And TFLM pads with a value that it never sets.
    """
    for operator in graph.operators:
        if operator.kind not in ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND") or len(operator.inputs) < 3:
            continue
        where = f"operator {operator.index} ({operator.kind})"
        x, block, paddings = (graph.tensors[index] for index in operator.inputs[:3])
        y = graph.tensors[operator.outputs[0]]
        whole, parts = (x, y) if operator.kind == "SPACE_TO_BATCH_ND" else (y, x)
        if block.data is None or not whole.shape or not parts.shape:
            continue
        batch = whole.static_shape[0] * math.prod(block.data.ravel().tolist())
        if batch != parts.static_shape[0]:
            return (
                f"{where}: has a batch of {batch}, which the file stores as {parts.static_shape[0]}, so TFLM computes "
                "only a part of it; convert the model with a fixed batch: keras.Input(shape, batch_size=1)"
            )
        if whole is x and paddings.data is not None and np.any(paddings.data):
            return (
                f"{where}: pads, but TFLM does not pad with zeros, it pads with whatever its memory holds; pad to a "
                "multiple of the dilation in a separate layer: keras.layers.ZeroPadding1D"
            )
    return None


def _chain(graph: Graph, first: Operator) -> list[Operator]:
    """`first` and all that follow up to BATCH_TO_SPACE_ND; empty if other operators are between or read from it."""
    readers = Counter(index for operator in graph.operators for index in operator.inputs) + Counter(graph.outputs)
    by_input = {operator.inputs[0]: operator for operator in graph.operators if operator.inputs}
    chain = [first]
    for kinds in _LINKS:
        following = by_input.get(chain[-1].outputs[0])
        if following is None or readers[chain[-1].outputs[0]] != 1:
            return []
        if following.kind in kinds:
            chain.append(following)
        elif kinds is not _RESHAPES:
            return []
    return chain


def _dilated(graph: Graph, chain: Sequence[Operator]) -> Graph | None:
    """`graph` with `chain` as one convolution; None if that would compute something else."""
    at = next((number for number, operator in enumerate(chain) if operator.kind in _CONVOLUTIONS), 0)
    if at == 0:
        return None
    tensors = list(graph.tensors)
    convolution, x, y = chain[at], tensors[chain[0].inputs[0]], tensors[chain[-1].outputs[0]]
    image, weights, convolved = (tensors[index] for index in (*convolution.inputs[:2], convolution.outputs[0]))
    lists = _lists(tensors, chain)
    steps = (convolution.options.get(f"{name}", 1) for name in _STEPS)
    same_quantization = _quantized_alike([x, *(tensors[operator.outputs[0]] for operator in chain[:at])])
    same_quantization &= _quantized_alike([tensors[operator.outputs[0]] for operator in chain[at:]])
    if lists is None or not same_quantization or set(steps) != {1} or convolution.options.get("Padding", SAME) != VALID:
        return None
    if {len(tensor.shape) for tensor in (image, weights, convolved)} != {4}:
        return None
    # From here on, lists hold height and width of the image, even if x is a series.
    new = (0 if image.shape[1] == 1 else 1,) if len(x.shape) == 3 else ()
    spatial = []
    for values, neutral in zip((list(x.static_shape[1:-1]), *lists), (1, 1, (0, 0), (0, 0)), strict=True):
        values = values + [neutral] * (len(x.shape) - 2 - len(values))
        for dimension in new:
            values.insert(dimension, neutral)
        spatial.append(values)
    if any(len(values) != 2 for values in spatial):
        return None
    axes = []
    for size, rate, (low, high), (cut_low, cut_high), part, kernel in zip(
        *spatial, image.shape[1:3], weights.shape[1:3], strict=True
    ):
        span, before, after = (kernel - 1) * rate, low - cut_low, high - cut_high
        if rate < 1 or size + low + high != part * rate or min(before, after) < 0:
            return None
        axes.append((size, rate, size + before + after - span, (before, after), (span // 2, span - span // 2)))
    sizes, rates, outputs, paddings, same = zip(*axes, strict=True)
    if paddings not in (same, ((0, 0), (0, 0))):
        return None
    made = [n for n in (*outputs, convolved.shape[3]) if n != 1]
    if [n for n in y.static_shape if n != 1] != made or min(outputs) < 1:
        return None
    options = dict(zip(("DilationHFactor", "DilationWFactor"), rates, strict=True))
    options["Padding"] = SAME if paddings == same else VALID
    chosen = [*chain[1:at], replace(convolution, options=convolution.options | options), *chain[at + 1 : -1]]
    chosen[0] = replace(chosen[0], inputs=[x.index, *chosen[0].inputs[1:]])
    chosen[-1] = replace(chosen[-1], outputs=[y.index])
    tensors[image.index] = replace(tensors[image.index], shape=(1, *sizes, image.shape[3]))
    tensors[convolved.index] = replace(convolved, shape=(1, *outputs, convolved.shape[3]))
    changed = {operator.index: operator for operator in chosen}
    gone = {operator.index for operator in (chain[0], chain[-1])}
    operators = [changed.get(each.index, each) for each in graph.operators if each.index not in gone]
    return replace(graph, tensors=tensors, operators=operators)


def _lists(tensors: Sequence[Tensor], chain: Sequence[Operator]) -> tuple[list[Any], list[Any], list[Any]] | None:
    """The rates, paddings and crops of a chain, one per dimension; None if they are not constant."""
    data = [tensors[index].data for operator in (chain[0], chain[-1]) for index in operator.inputs[1:3]]
    if len(data) != 4:
        return None
    lists: list[list[Any]] = []
    for values, rank in zip(data, (1, 2, 1, 2), strict=True):
        if values is None or values.ndim != rank:
            return None
        lists.append(values.tolist())
    rates, paddings, again, crops = lists
    return (rates, paddings, crops) if rates == again and len(rates) == len(paddings) == len(crops) else None


def _quantized_alike(tensors: Sequence[Tensor]) -> bool:
    """Whether all have the same quantization, which TFLM assumes for operators that only move elements."""
    first = tensors[0]
    return all(
        tensor.type == first.type
        and np.array_equal(tensor.scales, first.scales)
        and np.array_equal(tensor.zero_points, first.zero_points)
        for tensor in tensors
    )
