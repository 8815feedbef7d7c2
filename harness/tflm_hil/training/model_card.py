"""MODEL_CARD.md: what a trained network is, for people."""

from __future__ import annotations

from tflm_hil.models.manifest import Model
from tflm_hil.training.networks import ARCHITECTURES
from tflm_hil.training.training_file import Training


def model_card(model: Model, training: Training, simulated: bool) -> str:
    """Return the text. `simulated` tells whether the recordings say that nobody moved."""
    seconds = model.window / model.sample_rate_hz
    channels = ", ".join(f"{channel.name} ({channel.unit})" for channel in model.channels)
    sensors = sorted({f"{channel.sensor} at +-{channel.range:g}" for channel in model.channels if channel.sensor})
    sides = (
        ("training", training.split.training, training.windows.training),
        ("validation", training.split.validation, training.windows.validation),
    )
    lines = [
        f"# {model.name}",
        "",
        f"Tells {', '.join(model.labels[:-1])} and {model.labels[-1]} apart by {seconds:.3g} s of a sensor: "
        f"{model.window} rows at {model.sample_rate_hz:g} Hz of {channels}"
        + (f" ({', '.join(sensors)})" if sensors else "")
        + f". A window begins every {model.stride} rows.",
        "",
        f"The network (`{training.arch}`): {ARCHITECTURES[training.arch].about}; {training.parameters:,} parameters.",
        "",
        "## Data",
        "",
        f"`{training.recordings}`" + (", **simulated: nobody moved**." if simulated else "."),
        "",
        "| | recordings | labelled windows |",
        "|---|---|---|",
        *(f"| {side} | {len(names):,} | {count:,} |" for side, names, count in sides),
        "",
        "Recordings were drawn for validation whole, and by label, so no window of one recording is on both sides. "
        "`training.json` names them.",
        "",
        "## Figures",
        "",
        f"Trained for {training.epochs:,} epochs with RMSprop on categorical cross-entropy, seed {training.seed}. The "
        f"weights are those of epoch {training.best_epoch:,}, which had the lowest validation loss. The validation "
        "windows chose them, so expect less of new people.",
        "",
        "| | accuracy | mean cross-entropy |",
        "|---|---|---|",
        f"| training | {training.accuracy.training:.4f} | {training.cross_entropy.training:.4f} |",
        f"| validation | {training.accuracy.validation:.4f} | {training.cross_entropy.validation:.4f} |",
        "",
        "Validation windows, true label by answer:",
        "",
        f"| | {' | '.join(map(_cell, training.labels))} |",
        f"|---|{'---|' * len(training.labels)}",
        *(
            f"| {_cell(label)} | {' | '.join(f'{count:,}' for count in row)} |"
            for label, row in zip(training.labels, training.confusion, strict=True)
        ),
        "",
        "`quantization.json`, if it is there, has the figures of the quantized variants.",
        "",
        "## Make it again",
        "",
        f"    pip install 'tflm-hil[train]'    # TensorFlow {training.tensorflow}",
        f"    hil train {model.name} --recordings {training.recordings} --arch {training.arch} --seed {training.seed}",
        f"    hil quantize {model.name}",
        "",
        "The same recordings, TensorFlow and kind of machine give the same weights.",
        "",
        "## Limits",
        "",
        f"- It always answers one of {', '.join(model.labels)}, also to what it was not trained on.",
        "- It knows the people, the movements and the place of the sensor that the recordings show.",
        f"- It takes rows at {model.sample_rate_hz:g} Hz, in the order and the units above.",
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
