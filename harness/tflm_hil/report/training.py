"""What was trained, as text for a terminal."""

from __future__ import annotations

from rich.table import Table

from tflm_hil.report.text import number, percent, table_lines
from tflm_hil.training.training_file import Training


def training_lines(training: Training) -> list[str]:
    """Figures of both sides, and the confusion matrix of the validation windows."""
    sides = Table(box=None, pad_edge=False, header_style="")
    for heading in ("", "recordings", "windows", "accuracy", "cross-entropy"):
        sides.add_column(heading, no_wrap=True, justify="right" if heading else "left")
    for side in ("training", "validation"):
        split, windows, accuracy, loss = (
            getattr(part, side)
            for part in (training.split, training.windows, training.accuracy, training.cross_entropy)
        )
        sides.add_row(side, number(len(split)), number(windows), percent(accuracy), f"{loss:.4f}")
    lines = [
        f"{training.model}: {training.arch}, {training.parameters:,} parameters; the weights are those of epoch "
        f"{training.best_epoch:,} of {training.epochs:,}, which had the lowest validation loss",
        "",
        *table_lines(sides),
    ]
    answers = Table(box=None, pad_edge=False, header_style="")
    for heading in ("validation", *training.labels):
        answers.add_column(heading, no_wrap=True, justify="left" if heading == "validation" else "right")
    for label, row in zip(training.labels, training.confusion, strict=True):
        answers.add_row(label, *map(number, row))
    return [*lines, "", *table_lines(answers), "rows: the true label; columns: the answer"]
