"""How many bytes the paper's network takes in each kind of file: 180-50-15-2, 9,847 parameters.

Needs nothing but TensorFlow, of whatever version: `python .ci/file_sizes.py`. The sizes do not depend on the weights.
harness/tflm_hil/report/paper/file_sizes.py has what came out.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

INPUTS, LABELS = 180, 2
ROWS = np.random.default_rng(1).random((100, INPUTS)).astype(np.float32)


def network(trained: bool = True) -> Any:
    """Return the network as a first one of a session, whose names have no numbers; `trained` gives it an optimizer."""
    tf.keras.backend.clear_session()
    layers = tf.keras.layers
    made = tf.keras.Sequential(
        [
            layers.Dense(50, activation="relu"),
            layers.Dense(15, activation="relu"),
            layers.Dense(LABELS, activation="softmax"),
        ]
    )
    if trained:
        made.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
        made.fit(ROWS, np.eye(LABELS, dtype=np.float32)[np.arange(len(ROWS)) % LABELS], epochs=1, verbose=0)
    else:
        made.build((None, INPUTS))
    return made


def keras(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the files that Keras writes, and their sizes."""
    for name, trained in ((".h5 with the state of rmsprop", True), (".h5", False)):
        network(trained).save(str(folder / "network.h5"))
        yield name, (folder / "network.h5").stat().st_size
    with contextlib.suppress(ValueError, ImportError):
        for name, trained in ((".keras with the state of rmsprop", True), (".keras", False)):
            network(trained).save(str(folder / "network.keras"))
            if zipfile.is_zipfile(folder / "network.keras"):  # Old versions write another format of that name.
                yield name, (folder / "network.keras").stat().st_size


def tflite(kind: str) -> int:
    """Return the size of the .tflite."""
    converter = tf.lite.TFLiteConverter.from_keras_model(network())
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        converter.representative_dataset = lambda: ([row[None]] for row in ROWS)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return len(converter.convert())


if __name__ == "__main__":
    print(f"TensorFlow {tf.__version__}")
    with tempfile.TemporaryDirectory() as made:
        for name, size in keras(Path(made)):
            print(f"{size:8,}  {name}", flush=True)
    for kind in ("float32", "float16", "dynamic", "int8"):
        with contextlib.redirect_stdout(sys.stderr):
            size = tflite(kind)
        print(f"{size:8,}  .tflite {kind}", flush=True)
