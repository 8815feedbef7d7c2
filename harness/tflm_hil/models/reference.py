"""The reference that a device must agree with: upstream TensorFlow Lite Micro, built for the host."""

import functools
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
from tflm_hil.models.dilation import mistaken_by_tflm
from tflm_hil.models.folded_file import folded_file
from tflm_hil.models.folding import fold
from tflm_hil.models.graph_checks import STATELESS, state
from tflm_hil.models.preprocess import Quantization
from tflm_hil.models.tflite_file import Graph
from tflm_hil.models.tflite_operators import foreign_operator

TRIAL_SECONDS = 60.0
"""The largest of the MLPerf Tiny networks takes less than one."""
WINDOW_TYPES = ("float32", "int8", "uint8", "int16")


@dataclass(frozen=True)
class TensorSpec:
    """An input or output: its shape, the batch of one included, and how it holds numbers."""

    shape: tuple[int, ...]
    quantization: Quantization

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its elements."""
        return self.quantization.dtype

    @property
    def elements(self) -> int:
        """How many there are."""
        return int(np.prod(self.shape))


class Reference:
    """One network on the `tflite-micro` interpreter.

    `name` is that of the interpreter and its version, `inputs` and `outputs` describe the network's ends. Where TFLM
    refuses the file as it is, but not with its constants folded, it runs it like that, and `refusal` says why.
    Raises HilError where the file is damaged, where TFLM refuses it (the message then holds what TFLM says), where it
    should (it does not look whether a tensor is sparse or lies elsewhere, and computes with whatever it finds), and
    where an answer would depend on those before it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.graph = tflite_file.read(path)
        _check_storage(path, self.graph)
        self._content = path.read_bytes()
        self.refusal = mistaken_by_tflm(self.graph) or _refusal(self._content, self.graph)
        folded = folded_file(self._content) if self.refusal else None
        if folded is not None:
            # What is left says more about the network than what can be folded.
            left = mistaken_by_tflm(tflite_file.parse(folded)) or _refusal(folded, self.graph)
            if left is not None:
                raise HilError(f"{path}: {left}")
            self._content = folded
        elif self.refusal is not None:
            raise HilError(f"{path}: {self.refusal}")
        self._interpreter = _interpreter(self._content)
        self.name = f"tflite-micro {importlib.metadata.version('tflite-micro')}"
        self.inputs = [_spec(self._interpreter.get_input_details(i)) for i in range(len(self.graph.inputs))]
        self.outputs = [_spec(self._interpreter.get_output_details(i)) for i in range(len(self.graph.outputs))]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of the only input. Raises HilError where there are several, or outputs."""
        return self._window_input.shape

    @property
    def input_quantization(self) -> Quantization:
        """How the only input holds numbers. Raises HilError as `input_shape`, and for a type that no window has."""
        return self._window_input.quantization

    def run(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """The output tensors [n, ...] for the prepared windows `inputs` [n, ...], each of as many values as the input.

        Raises HilError where a window does not fit the network's input.
        """
        spec, output = self._window_input, self.outputs[0]
        given = int(np.prod(inputs.shape[1:]))
        if given != spec.elements or inputs.dtype != spec.dtype:
            raise HilError(
                f"{self.path}: takes {spec.elements} x {spec.dtype} a window, not {given} x {inputs.dtype}; "
                "correct window or channels in model.toml"
            )
        outputs = np.empty((len(inputs), *output.shape[1:]), dtype=output.dtype)
        for window, result in zip(inputs, outputs, strict=True):
            result[...] = self.infer([window])[0].reshape(result.shape)
        return outputs

    def infer(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Every output for one set of inputs, each of as many values as the network's.

        Raises HilError where they do not fit.
        """
        self._feed(self._interpreter, inputs)
        return [self._interpreter.get_output(index) for index in range(len(self.outputs))]

    def tensors(self, inputs: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
        """What every operator computes for one set of inputs, by the index of its tensor in the file.

        Raises HilError where the inputs do not fit.
        """
        self._feed(self._keeping, inputs)
        operators = self.graph.operators if self.refusal is None else fold(self.graph).operators
        computed = [index for operator in operators for index in operator.outputs if index >= 0]
        return {index: np.array(self._keeping.GetTensor(index, 0)["tensor_data"]) for index in computed}

    @cached_property
    def _keeping(self) -> Any:
        """An interpreter that lets no tensor have the memory of another."""
        from tflite_micro.python.tflite_micro import runtime

        return _interpreter(self._content, intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors)

    @property
    def _window_input(self) -> TensorSpec:
        if len(self.inputs) != 1 or len(self.outputs) != 1:
            raise HilError(
                f"{self.path}: has {len(self.inputs)} inputs and {len(self.outputs)} outputs, windows take one of "
                "each; leave windows out of model.toml, or export a network with one input and one output"
            )
        spec = self.inputs[0]
        if spec.dtype.name not in WINDOW_TYPES:
            raise HilError(f"{self.path}: takes {spec.dtype} input; convert it for one of {', '.join(WINDOW_TYPES)}")
        if spec.dtype != np.float32 and spec.quantization.scale <= 0:
            raise HilError(
                f"{self.path}: its {spec.dtype} input is not quantized by one positive scale; convert the model again"
            )
        return spec

    def _feed(self, interpreter: Any, inputs: Sequence[NDArray[Any]]) -> None:
        given = [(values.size, values.dtype) for values in inputs]
        taken = [(spec.elements, spec.dtype) for spec in self.inputs]
        if given != taken:
            raise HilError(f"{self.path}: takes {_sizes(taken)}, not {_sizes(given)}")
        for index, (values, spec) in enumerate(zip(inputs, self.inputs, strict=True)):
            interpreter.set_input(np.ascontiguousarray(values).reshape(spec.shape), index)
        interpreter.invoke()


def _sizes(tensors: Sequence[tuple[int, np.dtype[Any]]]) -> str:
    return " and ".join(f"{size} x {dtype}" for size, dtype in tensors) or "nothing"


def _interpreter(content: bytes, **how: Any) -> Any:
    # Slow to import, and of no use to who only reads manifests.
    from tflite_micro.python.tflite_micro import runtime

    return runtime.Interpreter.from_bytes(content, arena_size=tflm_trial.ARENA_BYTES, **how)


def _check_storage(path: Path, graph: Graph) -> None:
    if kept := state(graph):
        raise HilError(f"{path}: {kept}; {STATELESS}")
    for tensor in graph.tensors:
        place = f"{path}: tensor {tensor.index} ({tensor.name!r})"
        if tensor.sparse:
            raise HilError(f"{place} is sparse, which TFLM takes for dense; export the model with dense weights")
        if tensor.external:
            raise HilError(
                f"{place} lies outside the flatbuffer, so TFLM takes it for zeros; export a model below 2 GB"
            )
        if tensor.blockwise:
            raise HilError(
                f"{place} is quantized block by block, which TFLM overlooks; quantize it by channel or as a whole"
            )


def _refusal(content: bytes, graph: Graph) -> str | None:
    """Why TFLM cannot run the file with this `content`, whose operators and ends are those of `graph`."""
    refusal = _trial(content, len(graph.inputs), len(graph.outputs))
    for operator in graph.operators if refusal else ():
        if reason := foreign_operator(operator.kind):
            return f"operator {operator.index} ({operator.kind}): {reason}"
    return refusal


@functools.lru_cache(maxsize=16)
def _trial(content: bytes, inputs: int, outputs: int) -> str | None:
    """What comes of one inference in a process of its own. Asked by the build, by the reference and by inspection."""
    with tempfile.NamedTemporaryFile(prefix="hil-", suffix=".tflite") as file:
        file.write(content)
        file.flush()
        # -P keeps this folder off the child's import path.
        command = [sys.executable, "-P", tflm_trial.__file__, file.name, str(inputs), str(outputs)]
        try:
            child = subprocess.run(command, capture_output=True, timeout=TRIAL_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return "TFLM does not come to an end with it; convert the model again"
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        return f"TFLM crashes on it ({name}), so the file contradicts itself; convert the model again"
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
