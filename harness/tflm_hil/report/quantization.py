"""The variants of a network, as text for a terminal."""

from __future__ import annotations

from rich.table import Table

from tflm_hil.report.text import number, percent, table_lines
from tflm_hil.training.quantization_file import Quantization


def quantization_lines(found: Quantization) -> list[str]:
    """A table of the variants, why engines refuse some, and a table of what pruning would save."""
    engines = list(found.variants[0].engines)
    table = _table("variant", "bytes", "accuracy", "cross-entropy", "agreement", *engines)
    reasons = []
    for variant in found.variants:
        table.add_row(
            variant.name,
            number(variant.bytes),
            percent(variant.accuracy),
            f"{variant.cross_entropy:.4f}",
            percent(variant.agreement),
            *(_verdict(variant.engines[engine]) for engine in engines),
        )
        reasons += [
            f"{engine} refuses {variant.name}: {reason}"
            for engine, reason in variant.engines.items()
            if reason and _verdict(reason) == "no"
        ]
    lines = [f"{found.model}: the Keras file has {found.keras_bytes:,} bytes", "", *table_lines(table)]
    lines += ["agreement: the share of validation windows with the answer of the network as trained"]
    lines += ["", *reasons] if reasons else []
    if found.pruning:
        pruned = _table("pruned", "hidden units", "parameters", "int8 bytes", "accuracy", "cross-entropy")
        for point in found.pruning:
            pruned.add_row(
                f"{point.share:.4g}",
                ", ".join(map(str, point.units)),
                number(point.parameters),
                number(point.bytes),
                percent(point.accuracy),
                f"{point.cross_entropy:.4f}",
            )
        lines += ["", *table_lines(pruned)]
    return lines


def _verdict(reason: str | None) -> str:
    if reason is None:
        return "yes"
    return "not here" if reason.startswith("not here") else "no"


def _table(first: str, *headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="")
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(heading, no_wrap=True, justify="right")
    return table
