"""An inspection as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.table import Table

from tflm_hil.commands.inspection import (
    REFERENCE,
    ImageFacts,
    Inspection,
    OperatorFacts,
    TensorFacts,
    Verdict,
)
from tflm_hil.engines.engine import Estimate
from tflm_hil.report.text import number, shortened, table_lines

LONGEST_NAME = 26
WIDTH = 100


def inspection_lines(inspection: Inspection) -> list[str]:
    """The operators, the tensors, and what the engines say; a network of common shapes fits 100 columns."""
    lines = [f"{inspection.file}: {inspection.file_bytes:,} bytes, SHA-256 {inspection.sha256[:16]}"]
    if inspection.description:
        lines.append(f"description: {inspection.description}")
    lines += ["", *_operators(inspection), "", *_tensors(inspection), ""]
    counted = f" (not counted: {', '.join(inspection.uncounted)})" if inspection.uncounted else ""
    lines.append(f"multiply-accumulates {inspection.macs:,}{counted}, weights {inspection.weight_bytes:,} bytes")
    for verdict in inspection.verdicts:
        lines.append(f"{verdict.who}: {_said(verdict)}")
        if verdict.estimate:
            lines += _indented(_compiled(verdict.estimate))
        if verdict.image:
            lines += _indented(_image(verdict.image))
        lines += _indented(verdict.reason)
    return [_plain(line) for line in lines]


def _said(verdict: Verdict) -> str:
    if verdict.who.startswith(REFERENCE):
        return "answers can be compared" if verdict.accepts else "answers cannot be compared"
    return "takes it" if verdict.accepts else "refuses it"


def _indented(prose: str) -> list[str]:
    return textwrap.wrap(prose, WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False)


def _plain(text: str) -> str:
    """`text` without the control characters that a name or description in the file may hold."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _compiled(estimate: Estimate) -> str:
    arena, alive = estimate.arena_bytes, estimate.arena_lower_bound
    return (
        f"compiled: constants {estimate.constant_bytes:,} bytes, arena {arena:,} bytes, "
        f"{arena / alive:.3f} of the {alive:,} alive at one step"
    )


def _image(image: ImageFacts) -> str:
    return (
        f"linked for {image.target}: flash {image.flash:,} (constants {image.constants:,}), "
        f"RAM {image.ram:,} (arena {image.arena:,}) + stack {image.stack:,} + link {image.link_buffers:,} bytes"
    )


def _operators(inspection: Inspection) -> list[str]:
    rows = [
        (
            str(operator.index),
            operator.kind,
            _indices(operator),
            _shapes(inspection.tensors, operator),
            "?" if operator.macs is None else number(operator.macs) if operator.macs else "",
            number(operator.weight_bytes) if operator.weight_bytes else "",
        )
        for operator in inspection.operators
    ]
    return _table(["#", "operator", "tensors", "activations", "MACs", "weights"], rows, right={"#", "MACs", "weights"})


def _tensors(inspection: Inspection) -> list[str]:
    names = shortened([tensor.name for tensor in inspection.tensors], LONGEST_NAME)
    roles = dict.fromkeys(inspection.inputs, "input") | dict.fromkeys(inspection.outputs, "output")
    rows = [
        (
            str(tensor.index),
            _shape(tensor),
            _scale(tensor),
            _zero_point(tensor),
            number(tensor.constant_bytes) if tensor.constant_bytes else roles.get(tensor.index, ""),
            name,
        )
        for tensor, name in zip(inspection.tensors, names, strict=True)
    ]
    headings = ["tensor", "shape", "scale", "zero", "bytes", "name"]
    return _table(headings, rows, right={"tensor", "zero", "bytes"})


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: set[str]) -> list[str]:
    table = Table(box=None, pad_edge=False, header_style="")
    for heading in headings:
        table.add_column(heading, no_wrap=True, justify="right" if heading in right else "left")
    for row in rows:
        table.add_row(*row)
    return table_lines(table)


def _indices(operator: OperatorFacts) -> str:
    inputs = ",".join("-" if index < 0 else str(index) for index in operator.inputs)
    return f"{inputs}>{','.join(str(index) for index in operator.outputs)}"


def _shapes(tensors: Sequence[TensorFacts], operator: OperatorFacts) -> str:
    """What flows in and out; constants have their place in the table of tensors."""
    inputs = [tensors[index] for index in operator.inputs if index >= 0 and not tensors[index].constant_bytes]
    outputs = [tensors[index] for index in operator.outputs]
    sides = [", ".join(dict.fromkeys(_shape(tensor) for tensor in side)) for side in (inputs, outputs)]
    return " > ".join(sides)


def _shape(tensor: TensorFacts) -> str:
    return f"{tensor.type}[{','.join('?' if size < 0 else str(size) for size in tensor.shape)}]"


def _scale(tensor: TensorFacts) -> str:
    if not tensor.scales:
        return "-"
    if len(tensor.scales) == 1:
        return f"{tensor.scales[0]:.6g}"
    low, high = min(tensor.scales), max(tensor.scales)
    return f"{low:.3g}..{high:.3g} x{len(tensor.scales)} dim {tensor.quantized_dimension}"


def _zero_point(tensor: TensorFacts) -> str:
    if not tensor.zero_points:
        return "-"
    low, high = min(tensor.zero_points), max(tensor.zero_points)
    return str(low) if low == high else f"{low}..{high}"
