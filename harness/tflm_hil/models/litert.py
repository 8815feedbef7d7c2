"""LiteRT, the usual runtime for .tflite files in Python; an optional dependency."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.errors import HilError
from tflm_hil.models.preprocess import Quantization

PACKAGE = "ai_edge_litert"


def missing() -> str | None:
    """Return a line on how to install LiteRT; None if it is installed."""
    if importlib.util.find_spec(PACKAGE) is None:
        return "LiteRT is not installed; to include its steps: pip install 'tflm-hil[attribution]'"
    return None


class LiteRt:
    """One network with one input and one output on LiteRT.

    The default kernels are those of XNNPACK, which round int8 differently from TFLM. With `reference_kernels`, they are
    the plain ones that the kernels of TFLM derive from. Raises HilError if LiteRT refuses the file.
    """

    def __init__(self, path: Path, reference_kernels: bool = False) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType  # optional, and slow to import

        resolver = OpResolverType.BUILTIN_REF if reference_kernels else OpResolverType.AUTO
        try:
            # One thread, because several threads may add float32 values in a different order each time.
            self._interpreter = Interpreter(str(path), experimental_op_resolver_type=resolver, num_threads=1)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            said = ", ".join(line.strip() for line in str(error).splitlines())
            raise HilError(f"{path}: LiteRT refuses it ({said}); convert the model again") from error
        (self._input,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()
        self.path = path
        kernels = "reference kernels" if reference_kernels else "default kernels"
        self.name = f"LiteRT {importlib.metadata.version('ai-edge-litert')}, {kernels}"
        self.input_quantization = _quantization(self._input)
        self.output_quantization = _quantization(self._output)

    def run(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Return the outputs [n, outputs] for the prepared windows `inputs` [n, ...].

        Raises HilError if a window does not have the type and number of elements of the network's input.
        """
        shape = tuple(self._input["shape"])
        if np.prod(inputs.shape[1:]) != np.prod(shape) or inputs.dtype != self._input["dtype"]:
            raise HilError(
                f"{self.path}: takes {np.prod(shape)} x {np.dtype(self._input['dtype'])} per window, "
                f"not {np.prod(inputs.shape[1:])} x {inputs.dtype}; correct window or channels in model.toml"
            )
        outputs = np.empty((len(inputs), int(np.prod(self._output["shape"]))), self._output["dtype"])
        for window, result in zip(inputs.reshape(-1, *shape), outputs, strict=True):
            self._interpreter.set_tensor(self._input["index"], window)
            self._interpreter.invoke()
            result[...] = self._interpreter.get_tensor(self._output["index"]).ravel()
        return outputs


def _quantization(details: dict[str, Any]) -> Quantization:
    scale, zero_point = details["quantization"]
    return Quantization(np.dtype(details["dtype"]), float(scale), int(zero_point))
