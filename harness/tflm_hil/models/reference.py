"""The reference that a device must agree with: TensorFlow Lite Micro itself, built for the host."""

import functools
import hashlib
import importlib.metadata
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.errors import HilError
from tflm_hil.models import tflite_file, tflm_trial
from tflm_hil.models.dilation import miscomputed_by_tflm
from tflm_hil.models.folded_file import folded_file
from tflm_hil.models.folding import fold
from tflm_hil.models.graph_checks import STATELESS, state
from tflm_hil.models.preprocess import INPUT_TYPES, Quantization
from tflm_hil.models.tflite_file import Graph
from tflm_hil.models.tflite_operators import foreign_operator

TRIAL_SECONDS = 60.0
"""The limit for one trial inference. The largest network of MLPerf Tiny takes less than 1 s."""


@dataclass(frozen=True)
class TensorSpec:
    """An input or output: its shape, including the batch of one, and its quantization."""

    shape: tuple[int, ...]
    quantization: Quantization

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return self.quantization.dtype

    @property
    def elements(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))


class Reference:
    """One network on the interpreter of the package `tflite-micro`.

    `name` is the name and version of the interpreter; `inputs` and `outputs` describe the tensors of the network. If
    TFLM refuses the file, but runs it with its constants folded, that is what runs, and `refusal` says why.

    Raises HilError if the file is damaged; if TFLM refuses it (the message quotes TFLM); if TFLM would compute nonsense
    because it ignores that a tensor is sparse, outside the file or quantized in blocks; and if the network keeps state
    between inferences.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.graph = tflite_file.read(path)
        _check_storage(path, self.graph)
        self._content = path.read_bytes()
        self.refusal = miscomputed_by_tflm(self.graph) or _refusal(self._content, self.graph)
        folded = folded_file(self._content) if self.refusal else None
        if folded is not None:
            # Report what remains after folding: the rest is no obstacle.
            left = miscomputed_by_tflm(tflite_file.parse(folded)) or _refusal(folded, self.graph)
            if left is not None:
                raise HilError(f"{path}: {left}")
            self._content = folded
        elif self.refusal is not None:
            raise HilError(f"{path}: {self.refusal}")
        self._interpreter = _interpreter(self._content)
        self._answers: dict[bytes, list[NDArray[Any]]] = {}
        self.name = f"tflite-micro {importlib.metadata.version('tflite-micro')}"
        self.inputs = [_spec(self._interpreter.get_input_details(i)) for i in range(len(self.graph.inputs))]
        self.outputs = [_spec(self._interpreter.get_output_details(i)) for i in range(len(self.graph.outputs))]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of the only input. Raises HilError if there are several inputs or outputs."""
        return self._window_input.shape

    @property
    def input_quantization(self) -> Quantization:
        """The quantization of the only input. Raises HilError as `input_shape`, and if its type is unsupported."""
        return self._window_input.quantization

    def run(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Return the outputs [n, ...] for the prepared windows `inputs` [n, ...].

        Raises HilError if a window does not have the type and number of elements of the network's input.
        """
        spec, output = self._window_input, self.outputs[0]
        given = int(np.prod(inputs.shape[1:]))
        if given != spec.elements or inputs.dtype != spec.dtype:
            raise HilError(
                f"{self.path}: takes {spec.elements} x {spec.dtype} per window, not {given} x {inputs.dtype}; "
                "correct window or channels in model.toml"
            )
        outputs = np.empty((len(inputs), *output.shape[1:]), dtype=output.dtype)
        for window, result in zip(inputs, outputs, strict=True):
            result[...] = self.infer([window])[0].reshape(result.shape)
        return outputs

    def infer(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the outputs of one inference on `inputs`, one array per input of the network, as read-only arrays.

        Answers are cached, because the network keeps no state and several checks use the same windows. Raises HilError
        if an array does not have the type and number of elements of its input.
        """
        self._check(inputs)
        key = hashlib.sha256(b"".join(values.tobytes() for values in inputs)).digest()
        if key not in self._answers:
            self._feed(self._interpreter, inputs)
            outputs = [np.array(self._interpreter.get_output(index)) for index in range(len(self.outputs))]
            for output in outputs:
                output.setflags(write=False)
            self._answers[key] = outputs
        return self._answers[key]

    def tensors(self, inputs: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
        """Return the tensors that the operators compute for one inference, by their index in the file.

        Raises HilError as `infer`.
        """
        self._check(inputs)
        self._feed(self._preserving, inputs)
        operators = self.graph.operators if self.refusal is None else fold(self.graph).operators
        computed = [index for operator in operators for index in operator.outputs if index >= 0]
        return {index: np.array(self._preserving.GetTensor(index, 0)["tensor_data"]) for index in computed}

    @cached_property
    def _preserving(self) -> Any:
        """An interpreter in which no tensor shares memory with another."""
        from tflite_micro.python.tflite_micro import runtime

        return _interpreter(self._content, intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors)

    @property
    def _window_input(self) -> TensorSpec:
        if len(self.inputs) != 1 or len(self.outputs) != 1:
            raise HilError(
                f"{self.path}: has {len(self.inputs)} inputs and {len(self.outputs)} outputs, but windows need one of "
                "each; leave windows out of model.toml, or export a network with one input and one output"
            )
        spec = self.inputs[0]
        if spec.dtype.name not in INPUT_TYPES:
            raise HilError(
                f"{self.path}: the input is {spec.dtype}, which is not supported; convert the model for one of "
                f"{', '.join(INPUT_TYPES)}"
            )
        if spec.dtype != np.float32 and spec.quantization.scale <= 0:
            raise HilError(
                f"{self.path}: the {spec.dtype} input is not quantized with one positive scale; convert the model again"
            )
        return spec

    def _check(self, inputs: Sequence[NDArray[Any]]) -> None:
        given = [(values.size, values.dtype) for values in inputs]
        taken = [(spec.elements, spec.dtype) for spec in self.inputs]
        if given != taken:
            raise HilError(f"{self.path}: takes {_sizes(taken)}, not {_sizes(given)}; correct the inputs")

    def _feed(self, interpreter: Any, inputs: Sequence[NDArray[Any]]) -> None:
        for index, (values, spec) in enumerate(zip(inputs, self.inputs, strict=True)):
            interpreter.set_input(np.ascontiguousarray(values).reshape(spec.shape), index)
        interpreter.invoke()


def _sizes(tensors: Sequence[tuple[int, np.dtype[Any]]]) -> str:
    return " and ".join(f"{size} x {dtype}" for size, dtype in tensors) or "nothing"


def _interpreter(content: bytes, **how: Any) -> Any:
    # Imported here because it is slow, and not needed to read manifests.
    from tflite_micro.python.tflite_micro import runtime

    return runtime.Interpreter.from_bytes(content, arena_size=tflm_trial.ARENA_BYTES, **how)


def _check_storage(path: Path, graph: Graph) -> None:
    if kept := state(graph):
        raise HilError(f"{path}: {kept}; {STATELESS}")
    for tensor in graph.tensors:
        where = f"{path}: tensor {tensor.index} ({tensor.name!r})"
        if tensor.sparse:
            raise HilError(f"{where} is sparse, which TFLM ignores; export the model with dense weights")
        if tensor.external:
            raise HilError(
                f"{where} lies outside the flatbuffer, so TFLM reads zeros instead; export a model below 2 GB"
            )
        if tensor.blockwise:
            raise HilError(f"{where} is quantized in blocks, which TFLM ignores; quantize it per channel or per tensor")


def _refusal(content: bytes, graph: Graph) -> str | None:
    """Why TFLM cannot run the file `content`, which holds `graph` or its folded form; None if it can."""
    refusal = _trial(content, len(graph.inputs), len(graph.outputs))
    for operator in graph.operators if refusal else ():
        if reason := foreign_operator(operator.kind):
            return f"operator {operator.index} ({operator.kind}): {reason}"
    return refusal


@functools.lru_cache(maxsize=16)
def _trial(content: bytes, inputs: int, outputs: int) -> str | None:
    """Why one inference on TFLM in a separate process fails; None if it works.

    Cached, because the build, the reference and the inspection ask for the same file.
    """
    with tempfile.NamedTemporaryFile(prefix="hil-", suffix=".tflite") as file:
        file.write(content)
        file.flush()
        # -P keeps the folder of the script off the child's import path.
        command = [sys.executable, "-P", tflm_trial.__file__, file.name, str(inputs), str(outputs)]
        try:
            child = subprocess.run(command, capture_output=True, timeout=TRIAL_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return f"TFLM does not finish within {TRIAL_SECONDS:g} s; convert the model again"
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        return f"TFLM crashes on it ({name}), because the file contradicts itself; convert the model again"
    if child.returncode == 0:
        return None
    lines = child.stderr.decode(errors="replace").splitlines()
    said = ", ".join(line.strip(" .") for line in lines if line.strip())
    return f"TFLM refuses it: {said}; convert the model without that"


def _spec(details: dict[str, Any]) -> TensorSpec:
    dtype, parameters = np.dtype(details["dtype"]), details["quantization_parameters"]
    single = dtype != np.float32 and len(parameters["scales"]) == 1
    quantization = (
        Quantization(dtype, float(parameters["scales"][0]), int(parameters["zero_points"][0]))
        if single
        else Quantization(dtype)
    )
    return TensorSpec(tuple(int(size) for size in details["shape"]), quantization)
