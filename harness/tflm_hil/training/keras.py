"""TensorFlow, where it is needed: it takes seconds to load, and only the extra `train` installs it."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tflm_hil.errors import HilError

MISSING = "TensorFlow is missing; run: pip install 'tflm-hil[train]'"

_SHARED = re.compile(r'("shared_object_id": )(\d+)')


def check_installed() -> None:
    """Raise HilError if TensorFlow is not installed. Does not load it."""
    if importlib.util.find_spec("tensorflow") is None:
        raise HilError(MISSING)


def tensorflow() -> Any:
    """Return the module `tensorflow`, without its start-up messages. Raises HilError if it is missing."""
    check_installed()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # It rounds differently from one processor to the next.
    import tensorflow

    return tensorflow


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep off the terminal what Keras and the converter print, which is of temporary folders and inner workings."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 (a device)
            os.dup2(nowhere.fileno(), 2)  # The converter is C++.
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def saved(network: Any, folder: Path) -> bytes:
    """Return `network` as a Keras v3 file, with the state of its optimizer; `folder` is for what is written meanwhile.

    The file has neither dates nor addresses of memory in it, so that the same weights are the same bytes.
    """
    path = folder / "network.keras"
    with quiet():
        network.save(path)
    result = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(result, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                content = f'{{"keras_version": "{_version()}"}}'.encode()
            elif name == "config.json":
                content = _numbered(content.decode()).encode()
            target.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), content)
    return result.getvalue()


def _numbered(config: str) -> str:
    """`config` with the objects that Keras identifies by their address counted from 1, in the order of appearance."""
    numbers: dict[str, int] = {}
    return _SHARED.sub(lambda found: f"{found[1]}{numbers.setdefault(found[2], len(numbers) + 1)}", config)


def loaded(path: Path) -> Any:
    """Return the network in the Keras file `path`. Raises HilError if it cannot be read."""
    tf = tensorflow()
    try:
        with quiet():
            return tf.keras.models.load_model(path)
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise HilError(f"{path}: Keras cannot read it ({said}); train again: hil train {path.stem}") from error


def _version() -> str:
    return str(tensorflow().keras.__version__)
