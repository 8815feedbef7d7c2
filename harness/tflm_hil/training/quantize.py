"""Make the variants of a trained network: the use case behind `hil quantize`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.configuration import Configuration
from tflm_hil.errors import HilError
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.fit import check_recording
from tflm_hil.models.manifest import Model, load_model
from tflm_hil.progress import Say
from tflm_hil.recordings import load_recordings
from tflm_hil.training import model_toml
from tflm_hil.training.conversion import FLOAT32, KINDS, convert, exported
from tflm_hil.training.figures import Scores, accuracy, agreement, cross_entropy
from tflm_hil.training.fitting import PATIENCE, Examples, fit, scores, seeded
from tflm_hil.training.judging import answers, takers
from tflm_hil.training.keras import check_installed, loaded
from tflm_hil.training.pruning import EPOCHS, pruned_network
from tflm_hil.training.quantization_file import FILE, PruningFigures, Quantization, VariantFigures, encode
from tflm_hil.training.training_file import Training, keras_file, read_training
from tflm_hil.training.windows import Windows, labelled_windows

DEFAULT_VARIANTS = (FLOAT32, "int8")


@dataclass(frozen=True)
class Recipe:
    """What to make beside the variants that there always are; see `hil quantize --help`.

    `variants` are those for model.toml, also pruned ones; `prune` the shares of hidden units to take out.
    """

    variants: Sequence[str] = DEFAULT_VARIANTS
    prune: Sequence[float] = ()


@dataclass(frozen=True)
class Quantized:
    """What came out: the figures, all `files`, none of which is written yet, and remarks on what was left out."""

    model: Model
    quantization: Quantization
    files: dict[Path, bytes]
    remarks: Sequence[str]


def pruned_name(share: float) -> str:
    """Return what the int8 variant without the `share` of its hidden units is called: pruned50_int8."""
    return f"pruned{100 * share:g}_int8".replace(".", "_")


def quantize(configuration: Configuration, name: str, project: FirmwareProject, recipe: Recipe, say: Say) -> Quantized:
    """Make the variants of the model `name` from its Keras file, and judge each on the validation windows.

    Raises HilError if TensorFlow is missing; if the model was not trained, or its files contradict each other; and for
    an unknown variant.
    """
    check_installed()
    manifest = configuration.models / name / "model.toml"
    if not manifest.is_file():
        raise HilError(f"{name}: no {manifest}; train it first: hil train {name} --recordings SET")
    _check_variants(recipe)
    model = load_model(manifest.parent, configuration.recordings, untrained=True)
    work = _Work(configuration, model, project, say)
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        variants, contents = work.variants(Path(folder))
        pruning, pruned = work.pruning(Path(folder), recipe.prune)
    asked = {name: contents[name] for name in KINDS} | {
        name: content for name, content in pruned.items() if name in recipe.variants
    }
    files = {_path(model, name): content for name, content in asked.items()}
    quantization = Quantization("hil-quantization/1", model.name, keras_file(model).stat().st_size, variants, pruning)
    files[model.directory / FILE] = encode(quantization)
    runnable = {figures.name for figures in variants if None in figures.engines.values()} | set(pruned)
    there = model_toml.text(manifest)
    wanted = {name: _path(model, name).name for name in recipe.variants if name in runnable}
    if (text := model_toml.with_variants(there, wanted)) != there:
        files[manifest] = text.encode()
    remarks = [
        f"{name} is not in model.toml, because no engine takes it" for name in recipe.variants if name not in runnable
    ]
    return Quantized(model, quantization, files, remarks)


def _check_variants(recipe: Recipe) -> None:
    known = [*KINDS, *map(pruned_name, recipe.prune)]
    for name in recipe.variants:
        if name not in known:
            raise HilError(
                f"--variants: there is no {name}; choose among {', '.join(known)}"
                + ("" if recipe.prune else "; pruned50_int8 takes --prune 0.5")
            )


def _path(model: Model, name: str) -> Path:
    """Where the variant belongs: where model.toml says, if it has it."""
    if name in model.variants:
        return model.variants[name].path
    if name == FLOAT32 and model.trained is not None:
        return model.trained
    return model.directory / f"{model.name}_{name}.tflite"


class _Work:
    """A trained network with its windows, ready to be converted."""

    def __init__(self, configuration: Configuration, model: Model, project: FirmwareProject, say: Say) -> None:
        self.model, self.project, self.say = model, project, say
        self.training = read_training(model)
        windows = self._windows(configuration.root, self.training)
        self.sides = [windows.of(names) for names in (self.training.split.training, self.training.split.validation)]
        say("loading TensorFlow")
        seeded(self.training.seed)
        self.network = loaded(keras_file(model))
        self.examples = [self._examples(side) for side in self.sides]

    def variants(self, folder: Path) -> tuple[list[VariantFigures], dict[str, bytes]]:
        """The figures of each kind, and its content; `folder` is for what is written meanwhile."""
        _, validation = self.sides
        expected = scores(self.network, self.examples[1].inputs)
        figures, contents = [], {}
        with exported(self.network) as saved_model:
            for name in KINDS:
                self.say(name)
                contents[name] = convert(saved_model, name, self.examples[0].inputs)
                figures.append(self._judged(folder, name, contents[name], validation, expected))
        return figures, contents

    def pruning(self, folder: Path, shares: Sequence[float]) -> tuple[list[PruningFigures], dict[str, bytes]]:
        """The same for the network without each of `shares` of its hidden units, trained on."""
        figures, contents = [], {}
        training, validation = self.examples
        for share in shares:
            name = pruned_name(share)
            self.say(f"pruning {share:.0%}, and training on")
            seeded(self.training.seed)
            network = pruned_network(self.model, self.network, share)
            fit(network, training, validation, EPOCHS, self.training.seed, PATIENCE, lambda _: None)
            with exported(network) as saved_model:
                contents[name] = convert(saved_model, "int8", training.inputs)
            expected = scores(network, validation.inputs)
            judged = self._judged(folder, name, contents[name], self.sides[1], expected)
            units = [layer.units for layer in network.layers[:-1]]
            figures.append(
                PruningFigures(
                    share, units, network.count_params(), judged.bytes, judged.accuracy, judged.cross_entropy
                )
            )
        return figures, contents

    def _judged(self, folder: Path, name: str, content: bytes, validation: Windows, expected: Scores) -> VariantFigures:
        file = folder / f"{self.model.name}_{name}.tflite"
        file.write_bytes(content)
        found = answers(file, self.model, validation)
        return VariantFigures(
            name,
            _path(self.model, name).name,
            len(content),
            accuracy(found.scores, validation.classes),
            cross_entropy(found.scores, validation.classes, found.step),
            agreement(found.scores, expected),
            found.runtime,
            takers(file, self.project),
        )

    def _examples(self, windows: Windows) -> Examples:
        inputs: NDArray[np.float32] = windows.inputs(self.model).reshape(len(windows), *self._shape)
        return Examples(inputs, windows.targets(len(self.model.labels)))

    @property
    def _shape(self) -> tuple[int, ...]:
        """What the network takes. Raises HilError if a window of the model does not fill it."""
        shape: Any = self.network.input_shape[1:]
        if np.prod(shape) != self.model.window * len(self.model.channels):
            raise HilError(
                f"{keras_file(self.model)}: takes {' x '.join(map(str, shape))} values, but model.toml has "
                f"{self.model.window} rows of {len(self.model.channels)} channels; train again: "
                f"hil train {self.model.name}"
            )
        return tuple(shape)

    def _windows(self, root: Path, training: Training) -> Windows:
        folder = root / training.recordings
        recordings = load_recordings(folder, self.model.channels, self.model.window)
        for recording in recordings:
            check_recording(self.model, recording)
        missing = {*training.split.training, *training.split.validation} - {each.name for each in recordings}
        if missing:
            raise HilError(
                f"{folder}: recording {min(missing)} is gone, on which {self.model.name} was trained; restore it, or "
                f"train again: hil train {self.model.name}"
            )
        return labelled_windows(self.model, recordings)
