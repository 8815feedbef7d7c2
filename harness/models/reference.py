"""The reference that a device must agree with: upstream TensorFlow Lite Micro, built for the host."""

import importlib.metadata
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import HilError
from harness.models import tflite_file, tflm_trial
from harness.models.preprocess import Quantisation

TRIAL_SECONDS = 60.0
"""The largest of the MLPerf Tiny networks takes less than one."""
INPUT_TYPES = ("float32", "int8", "uint8", "int16")


class TflmHost:
    """One network with one input and one output on the `tflite-micro` interpreter.

    `oracle` names the interpreter and its version, `input_shape` includes the batch of one.
    Raises HilError where the file is damaged, or where TFLM refuses it: the message then holds what TFLM says.
    """

    def __init__(self, path: Path) -> None:
        from tflite_micro.python.tflite_micro import (
            runtime,
        )  # slow to import, and of no use to who only reads manifests

        graph = tflite_file.read(path)
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            raise HilError(
                f"{path}: has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs, windows take one of each; "
                "export a network with one input and one output"
            )
        _try(path)

        self._interpreter = runtime.Interpreter.from_bytes(path.read_bytes(), arena_size=tflm_trial.ARENA_BYTES)
        details = self._interpreter.get_input_details(0)
        self.path = path
        self.oracle = f"tflite-micro {importlib.metadata.version('tflite-micro')}"
        self.input_shape: tuple[int, ...] = tuple(int(size) for size in details["shape"])
        self.input_quantisation = _quantisation(path, details)

    def run(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """The output tensors [n, ...] for the prepared windows `inputs` [n, ...], each of as many values as the input.

        Raises HilError where a window does not fit the network's input.
        """
        dtype, size = self.input_quantisation.dtype, int(np.prod(self.input_shape))
        given = int(np.prod(inputs.shape[1:]))
        if given != size or inputs.dtype != dtype:
            raise HilError(
                f"{self.path}: takes {size} x {dtype} a window, not {given} x {inputs.dtype}; "
                "correct window or channels in model.toml"
            )
        output = self._interpreter.get_output_details(0)
        outputs = np.empty((len(inputs), *output["shape"][1:]), dtype=output["dtype"])
        for window, result in zip(inputs.reshape(-1, *self.input_shape), outputs, strict=True):
            self._interpreter.set_input(window, 0)
            self._interpreter.invoke()
            result[...] = self._interpreter.get_output(0).reshape(result.shape)
        return outputs


def _try(path: Path) -> None:
    # -P keeps this folder off the child's import path.
    command = [sys.executable, "-P", tflm_trial.__file__, str(path)]
    try:
        child = subprocess.run(command, capture_output=True, timeout=TRIAL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise HilError(f"{path}: TFLM does not come to an end with it; convert the model again") from error
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        raise HilError(f"{path}: TFLM crashes on it ({name}), so the file contradicts itself; convert the model again")
    if child.returncode > 0:
        lines = child.stderr.decode(errors="replace").splitlines()
        said = ", ".join(line.strip(" .") for line in lines if line.strip())
        raise HilError(f"{path}: TFLM refuses it: {said}; convert the model without that")


def _quantisation(path: Path, details: dict[str, Any]) -> Quantisation:
    dtype = np.dtype(details["dtype"])
    if dtype.name not in INPUT_TYPES:
        raise HilError(f"{path}: takes {dtype} input; convert it for one of {', '.join(INPUT_TYPES)}")
    if dtype == np.float32:
        return Quantisation(dtype)
    parameters = details["quantization_parameters"]
    if len(parameters["scales"]) != 1 or parameters["scales"][0] <= 0:
        raise HilError(f"{path}: its {dtype} input is not quantised by one positive scale; convert the model again")
    return Quantisation(dtype, float(parameters["scales"][0]), int(parameters["zero_points"][0]))
