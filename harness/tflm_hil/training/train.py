"""Train a model: the use case behind `hil train`."""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tflm_hil.configuration import Configuration
from tflm_hil.files import probe_folder
from tflm_hil.models.manifest import Model
from tflm_hil.recordings.manifest import load_manifest
from tflm_hil.training import model_toml
from tflm_hil.training.checks import check_signals
from tflm_hil.training.conversion import FLOAT32, convert, exported
from tflm_hil.training.figures import accuracy, confusion, cross_entropy
from tflm_hil.training.fitting import PATIENCE, Examples, History, fit, scores, seeded
from tflm_hil.training.keras import check_installed, saved
from tflm_hil.training.model_card import model_card
from tflm_hil.training.networks import architecture
from tflm_hil.training.split import split
from tflm_hil.training.subject import Subject, Wishes, recordings_key, subject
from tflm_hil.training.training_file import FILE, Sides, Training, encode, keras_file
from tflm_hil.training.windows import Windows, labelled_windows

Watch = Callable[[int, History], None]
"""Is told the number of epochs that were planned, and what the epochs up to now have shown."""


@dataclass(frozen=True)
class Recipe:
    """How to train: see `hil train --help`. `epochs` is None for what the architecture needs."""

    arch: str = "dense"
    epochs: int | None = None
    seed: int = 1
    validation: float = 0.2
    early_stopping: bool = False


@dataclass(frozen=True)
class Trained:
    """A model that was trained: what is known of it, and all its `files`, none of which is written yet."""

    model: Model
    training: Training
    new: bool
    files: dict[Path, bytes]


def train(configuration: Configuration, name: str, wishes: Wishes, recipe: Recipe, watch: Watch) -> Trained:
    """Train the model `name` of the project.

    Warns of suspicious recordings.

    Raises HilError if TensorFlow is missing, and for all that is wrong with the model or its recordings.
    """
    kind = architecture(recipe.arch)
    what = subject(configuration, name, wishes)
    for suspicion in check_signals(what.model, what.recordings):
        warnings.warn(suspicion, stacklevel=2)
    if what.model.directory.exists():
        probe_folder(what.model.directory)
    parts = split(
        what.recordings, what.model.labels, what.model.window, what.model.stride, recipe.validation, recipe.seed
    )
    check_installed()
    windows = labelled_windows(what.model, what.recordings)
    sides = Sides(windows.of(parts.training), windows.of(parts.validation))

    tf = seeded(recipe.seed)
    network = kind.build(what.model)
    examples = Sides(*(_examples(what.model, side, network.input_shape) for side in (sides.training, sides.validation)))
    epochs = recipe.epochs or kind.epochs
    history = fit(
        network,
        examples.training,
        examples.validation,
        epochs,
        recipe.seed,
        PATIENCE if recipe.early_stopping else None,
        lambda history: watch(epochs, history),
    )
    answers = Sides(scores(network, examples.training.inputs), scores(network, examples.validation.inputs))
    with tempfile.TemporaryDirectory(prefix="hil-") as folder, exported(network) as saved_model:
        weights = saved(network, Path(folder))
        tflite = convert(saved_model, FLOAT32)
    model = what.model
    training = Training(
        schema="hil-training/1",
        model=model.name,
        arch=recipe.arch,
        seed=recipe.seed,
        epochs=len(history.loss),
        best_epoch=history.val_loss.index(min(history.val_loss)) + 1,
        parameters=int(network.count_params()),
        tensorflow=tf.__version__,
        labels=list(model.labels),
        window=model.window,
        stride=model.stride,
        recordings=_relative(configuration.root, what.folder),
        files={keras_file(model).name: len(weights)},
        keras_sha256=hashlib.sha256(weights).hexdigest(),
        split=Sides(list(parts.training), list(parts.validation)),
        windows=Sides(len(sides.training), len(sides.validation)),
        history={key: [round(value, 6) for value in values] for key, values in vars(history).items()},
        accuracy=Sides(
            accuracy(answers.training, sides.training.classes), accuracy(answers.validation, sides.validation.classes)
        ),
        cross_entropy=Sides(
            cross_entropy(answers.training, sides.training.classes),
            cross_entropy(answers.validation, sides.validation.classes),
        ),
        confusion=confusion(answers.validation, sides.validation.classes),
    )
    trained = model.trained or model.directory / f"{model.name}_{FLOAT32}.tflite"
    files = {
        trained: tflite,
        keras_file(model): weights,
        model.directory / FILE: encode(training),
        model.directory / "MODEL_CARD.md": model_card(model, training, load_manifest(what.folder).simulated).encode(),
    }
    files |= _manifest(configuration, what, trained.name)
    return Trained(model, training, what.new, files)


def _examples(model: Model, windows: Windows, shape: tuple[int | None, ...]) -> Examples:
    inputs = windows.inputs(model).reshape(len(windows), *shape[1:])
    return Examples(inputs, windows.targets(len(model.labels)))


def _manifest(configuration: Configuration, what: Subject, trained: str) -> dict[Path, bytes]:
    """model.toml, if it is to be written; one that is there only learns which network was trained."""
    path = what.model.directory / "model.toml"
    if what.new:
        key = recordings_key(configuration, what.model)
        return {path: model_toml.new(what.model, key, trained, {FLOAT32: trained}).encode()}
    there = model_toml.text(path)
    if (changed := model_toml.with_trained(there, trained)) != there:
        return {path: changed.encode()}
    return {}


def _relative(root: Path, folder: Path) -> str:
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else str(folder)
