"""SPACE_TO_BATCH_ND, convolution, BATCH_TO_SPACE_ND as what they are together: one convolution with dilation.

That is how Keras writes a Conv1D with dilation_rate. The first deals the pixels out to as many images as the dilation
says, each of which holds every so-many-th pixel; the last collects them again.
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
# Convolutions take images only, so what is no image becomes one before and is none after them.
_LINKS = (_RESHAPES, _CONVOLUTIONS, _RESHAPES, ("BATCH_TO_SPACE_ND",))


def dilate(graph: Graph) -> Graph:
    """`graph` with every such chain made one convolution, where its padding is SAME or VALID.

    Tensors inside a chain change their shape, or are no longer used. Other chains stay as they are.
    """
    for operator in graph.operators:
        if operator.kind == "SPACE_TO_BATCH_ND":
            graph = _dilated(graph, _chain(graph, operator)) or graph
    return graph


def mistaken_by_tflm(graph: Graph) -> str | None:
    """Which operator of these TFLM runs, but computes something else than is meant; None where there is none.

    It takes the batch that the file stores, and converters store every open dimension as 1, even of a batch that has
    been made larger. And it pads with a value that it never sets.
    """
    for operator in graph.operators:
        if operator.kind not in ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND") or len(operator.inputs) < 3:
            continue
        place = f"operator {operator.index} ({operator.kind})"
        x, block, paddings = (graph.tensors[index] for index in operator.inputs[:3])
        y = graph.tensors[operator.outputs[0]]
        whole, parts = (x, y) if operator.kind == "SPACE_TO_BATCH_ND" else (y, x)
        if block.data is None or not whole.shape or not parts.shape:
            continue
        batch = _sizes(whole)[0] * math.prod(block.data.ravel().tolist())
        if batch != _sizes(parts)[0]:
            return (
                f"{place}: has a batch of {batch}, which the file stores as {_sizes(parts)[0]}, so TFLM computes only "
                "a part of it; convert the model with a batch that is not open: keras.Input(shape, batch_size=1)"
            )
        if whole is x and paddings.data is not None and np.any(paddings.data):
            return (
                f"{place}: pads, and TFLM does that with whatever its memory holds instead of zeros; let a layer of "
                "its own pad, so much that the length is a multiple of the dilation: keras.layers.ZeroPadding1D"
            )
    return None


def _chain(graph: Graph, first: Operator) -> list[Operator]:
    """`first` and what follows up to BATCH_TO_SPACE_ND; empty where others come or read what lies between."""
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
    """`graph` with `chain` as one convolution; None where that is not the same."""
    at = next((number for number, operator in enumerate(chain) if operator.kind in _CONVOLUTIONS), 0)
    if at == 0:
        return None
    tensors = list(graph.tensors)
    convolution, x, y = chain[at], tensors[chain[0].inputs[0]], tensors[chain[-1].outputs[0]]
    image, weights, convolved = (tensors[index] for index in (*convolution.inputs[:2], convolution.outputs[0]))
    lists = _lists(tensors, chain)
    steps = (convolution.options.get(f"{name}", 1) for name in _STEPS)
    alike = _alike([x, *(tensors[operator.outputs[0]] for operator in chain[:at])])
    alike = alike and _alike([tensors[operator.outputs[0]] for operator in chain[at:]])
    if lists is None or not alike or set(steps) != {1} or convolution.options.get("Padding", SAME) != VALID:
        return None
    if {len(tensor.shape) for tensor in (image, weights, convolved)} != {4}:
        return None
    # Per dimension of the image, height and width, whatever x is.
    new = (0 if image.shape[1] == 1 else 1,) if len(x.shape) == 3 else ()
    spatial = []
    for values, neutral in zip((list(_sizes(x)[1:-1]), *lists), (1, 1, (0, 0), (0, 0)), strict=True):
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
    if [n for n in _sizes(y) if n != 1] != made or min(outputs) < 1:
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
    """The rates, paddings and crops of a chain, dimension by dimension; None where they are not constant."""
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


def _alike(tensors: Sequence[Tensor]) -> bool:
    """Whether they are quantized alike, as TFLM takes for granted of operators that only move elements."""
    first = tensors[0]
    return all(
        tensor.type == first.type
        and np.array_equal(tensor.scales, first.scales)
        and np.array_equal(tensor.zero_points, first.zero_points)
        for tensor in tensors
    )


def _sizes(tensor: Tensor) -> tuple[int, ...]:
    """Its shape, with 1 for an open dimension."""
    return tuple(max(size, 1) for size in tensor.shape)
