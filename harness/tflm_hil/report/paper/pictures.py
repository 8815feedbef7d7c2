"""The figures of the page, each as an SVG file."""

from __future__ import annotations

from itertools import groupby

from tflm_hil.report.paper import published
from tflm_hil.report.paper.charts import Bar, Series, bars, lines
from tflm_hil.report.paper.figures import Paper

FOLDER = "images/paper"
QUANTITIES = {"g": "acceleration (g)", "dps": "rotation (degrees per second)"}


def pictures(paper: Paper) -> dict[str, str]:
    """Return the figures by the names of their files, numbered as in the paper; there is a second one only if there
    are channels of two units."""
    history, cross_entropy = paper.history, paper.cross_entropy
    found = {f"figure-{number}.svg": trace for number, trace in enumerate(_traces(paper)[:2], start=1)}
    found["figure-4.svg"] = lines(
        "Loss over the epochs",
        "epoch",
        "mean cross-entropy",
        [Series("training", history.loss), Series("validation", history.val_loss)],
        start=1,
    )
    found["figure-5.svg"] = lines(
        "Accuracy over the epochs",
        "epoch",
        "accuracy",
        [Series("training", history.accuracy), Series("validation", history.val_accuracy)],
        start=1,
    )
    found["figure-6.svg"] = bars(
        "Size before and after quantization",
        [
            Bar("paper, before", published.BYTES_BEFORE, "113 kB", True),
            Bar("paper, after", published.BYTES_AFTER, f"{published.BYTES_AFTER:,} B", True),
            Bar("Keras file", paper.keras_bytes, f"{paper.keras_bytes:,} B"),
            *(Bar(f".tflite {each.name}", each.bytes, f"{each.bytes:,} B") for each in paper.variants),
        ],
    )
    found["figure-7.svg"] = bars(
        "Mean cross-entropy before and after quantization",
        [
            Bar("paper, before", published.LOSS_BEFORE, f"{published.LOSS_BEFORE:.8f}", True),
            Bar("paper, after", published.LOSS_AFTER, f"{published.LOSS_AFTER:.8f}", True),
            Bar("Keras network", cross_entropy.validation, f"{cross_entropy.validation:.8f}"),
            *(Bar(f".tflite {each.name}", each.cross_entropy, f"{each.cross_entropy:.8f}") for each in paper.variants),
        ],
    )
    return {f"{FOLDER}/{name}": text for name, text in found.items()}


def _traces(paper: Paper) -> list[str]:
    """A chart for each unit, in the order of the channels."""
    gesture = paper.gesture
    return [
        lines(
            f"{gesture.label}, recording {gesture.recording}",
            "time (s)",
            QUANTITIES.get(unit, unit),
            [Series(trace.name, trace.values) for trace in traces],
            step=1 / gesture.sample_rate_hz,
        )
        for unit, traces in groupby(gesture.traces, lambda trace: trace.unit)
    ]
