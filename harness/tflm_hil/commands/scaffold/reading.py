"""Read what is to be written as the harness will read it."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

from tflm_hil.commands.scaffold.parts import Parts
from tflm_hil.errors import HilError
from tflm_hil.firmware.model_config import write_model_config
from tflm_hil.models.fit import check_fit
from tflm_hil.models.manifest import Model, load_models
from tflm_hil.models.tflite_file import read
from tflm_hil.recordings import Recording, load_recordings


def load(parts: Parts) -> tuple[Model, list[Recording]]:
    """Return the model and its recordings.

    Raises:
        HilError: one of the files that they are made of is wrong, or the firmware cannot take the network.
    """
    with tempfile.TemporaryDirectory(prefix="hil-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The tests say what is suspicious.
        root = Path(folder).resolve()
        for name, content in {**parts.files, **parts.present}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                path.symlink_to(content.resolve())
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        try:
            (model,) = load_models(root).values()
            (variant,) = model.variants.values()
            graph = read(variant.path)
            check_fit(model, graph)
            write_model_config(model, variant.sha256, graph, root / "generated")
            recordings = load_recordings(model.recordings, model.channels, model.window) if model.recordings else []
            return model, recordings
        except HilError as error:
            raise HilError(_in_terms_of_the_user(str(error), root, parts)) from error


def _in_terms_of_the_user(message: str, root: Path, parts: Parts) -> str:
    """A file that is a copy is called by what it is a copy of."""
    for name, content in {**parts.files, **parts.present}.items():
        if isinstance(content, Path):
            message = message.replace(str(root / name), str(content))
    return message.replace(f"{root}/", "")
