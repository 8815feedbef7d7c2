"""Runs compiled networks on the host, in two ways: kernel by kernel through ctypes, and whole as generated C."""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import graphlib
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tflm_hil.compiler import compile_model
from tflm_hil.compiler.c_struct import CStruct
from tflm_hil.compiler.compile import lower_graph
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_file import Tensor, parse

from support.once import once

ROOT = Path(__file__).parents[2]
LIBRARIES = ROOT / "firmware" / "lib"
ENGINE = LIBRARIES / "aot"
KERNELS = ENGINE / "kernels"
SOURCES = sorted(KERNELS.rglob("*.c"))
FLAGS = [
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffp-contract=off",
    f"-I{ENGINE}",
    *(f"-I{family}" for family in sorted(KERNELS.iterdir())),
    f"-I{LIBRARIES / 'engine'}",
    f"-I{LIBRARIES / 'protocol' / 'src'}",
]
SANITIZE = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="no host gcc: apt-get install gcc")

GUARD = b"\xa5" * 16
C_TYPES: dict[str, Any] = {
    "int8_t": ctypes.c_int8,
    "uint8_t": ctypes.c_uint8,
    "int16_t": ctypes.c_int16,
    "uint16_t": ctypes.c_uint16,
    "uint32_t": ctypes.c_uint32,
    "int32_t": ctypes.c_int32,
    "int64_t": ctypes.c_int64,
    "float": ctypes.c_float,
}


def run_tflm(model: bytes, inputs: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """The outputs of upstream TFLM for one run."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
    for i, values in enumerate(inputs):
        interpreter.set_input(values, i)
    interpreter.invoke()
    outputs = []
    for i in range(len(parse(model).outputs)):
        outputs.append(interpreter.get_output(i).copy())
    return outputs


@functools.cache
def _library() -> tuple[ctypes.CDLL, dict[str, Any]]:
    """All kernels as a shared library, and their parameter structures by name."""

    def make(folder: Path) -> None:
        subprocess.run(["gcc", *FLAGS, "-O2", "-fPIC", "-shared", "-o", folder / "kernels.so", *SOURCES], check=True)

    loaded = ctypes.CDLL(str(once("kernels-host", make) / "kernels.so"))
    structures: dict[str, Any] = dict(C_TYPES)
    for header in _headers():
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        for body, name in re.findall(r"typedef struct \{(.*?)\} (\w+);", text, flags=re.S):
            if "engine" not in body and "void" not in body and "[" not in body:
                structures[name] = type(name, (ctypes.Structure,), {"_fields_": _members(body, structures)})
    return loaded, structures


def _headers() -> list[Path]:
    """The kernels' headers, each after those that it includes."""
    headers = {path.name: path for path in sorted(KERNELS.rglob("*.h"))}
    includes = {
        path: [headers[name] for name in re.findall(r'#include "(aot_\w+\.h)"', path.read_text())]
        for path in headers.values()
    }
    return list(graphlib.TopologicalSorter(includes).static_order())


def exp_f32(values: npt.NDArray[np.float32], way: str) -> npt.NDArray[np.float32]:
    """aot_exp_by_integers or aot_exp_by_floats of each value."""
    library, _ = _library()
    function = getattr(library, f"aot_exp_by_{way}")
    function.argtypes, function.restype = [ctypes.c_float], ctypes.c_float
    return np.array([function(float(value)) for value in values], np.float32)


def _members(body: str, structures: Mapping[str, Any]) -> list[tuple[str, Any]]:
    members = []
    for declaration in filter(None, (part.strip() for part in body.split(";"))):
        kind, names = re.fullmatch(r"(?:const )?(\w+) (.*)", declaration, flags=re.S).groups()  # type: ignore[union-attr]
        for name in names.split(","):
            pointer = name.strip().startswith("*")
            members.append((name.strip(" *"), ctypes.c_void_p if pointer else structures[kind]))
    return members


def run_kernels(model: bytes, inputs: Sequence[npt.NDArray[Any]]) -> tuple[list[npt.NDArray[Any]], list[str]]:
    """The outputs of one run of the network's kernels, and the names of the kernels.

    Every tensor has a buffer of its own with guards on both sides, which must be intact afterwards. A kernel whose
    output or scratch memory may share memory with its input runs once more that way, and must write the same.
    """
    network, calls = lower_graph(Path("model.tflite"), parse(model))
    library, _ = _library()
    readable: dict[int, int] = {}
    for call in calls:
        readable.update(call.readable)
    buffers: dict[int, Any] = {}
    for tensor in network.tensors:
        buffers[tensor.index] = _buffer(tensor, readable.get(tensor.index, 0))
    for index, values in zip(network.inputs, inputs, strict=True):
        _write(buffers[index], values.tobytes())
    for call in calls:
        if call.kernel is None:
            _write(buffers[call.outputs[0]], _content(buffers[call.inputs[0]], network.tensors[call.inputs[0]]))
            continue
        parameters, kept_alive = _structure(call.parameter_type, call.parameters)
        scratch = ctypes.create_string_buffer(GUARD + b"\x77" * call.scratch + GUARD, call.scratch + 2 * len(GUARD))
        used = [buffers[index] for index in (*call.inputs, *call.outputs)] + [scratch] * (call.scratch > 0)
        pointers = [ctypes.c_void_p(ctypes.addressof(buffer) + len(GUARD)) for buffer in used]
        kernel = functools.partial(_call, getattr(library, call.kernel), parameters, call)
        kernel(pointers)
        assert scratch.raw.startswith(GUARD)
        assert scratch.raw.endswith(GUARD)
        x, y, output = len(call.inputs) - 1, len(call.inputs), network.tensors[call.outputs[0]]
        expected = _content(used[y], output)  # The bytes behind it are only there to be read by the next kernel.
        if call.lag is not None:
            assert _run_overlapping(kernel, pointers, used, (y, x), call.lag)[: len(expected)] == expected
        if call.scratch_lag is not None:
            ctypes.memset(pointers[y], 0x33, len(expected))
            _run_overlapping(kernel, pointers, used, (y + 1, x), call.scratch_lag)
            assert _content(used[y], output) == expected
        del kept_alive
    for buffer in buffers.values():
        assert buffer.raw.startswith(GUARD)
        assert buffer.raw.endswith(GUARD)
    outputs = [_values(network.tensors[i], _content(buffers[i], network.tensors[i])) for i in network.outputs]
    return outputs, [call.kernel for call in calls if call.kernel]


def _call(function: Any, parameters: Any, call: KernelCall, pointers: Sequence[Any]) -> None:
    """Run a kernel on `pointers` to its inputs, outputs and scratch memory."""
    inputs, outputs = list(pointers[: len(call.inputs)]), list(pointers[len(call.inputs) :])
    outputs, scratch = outputs[: len(call.outputs)], outputs[len(call.outputs) :]
    if call.listed_inputs:
        inputs = [(ctypes.c_void_p * len(inputs))(*inputs)]
    if call.listed_outputs:
        outputs = [(ctypes.c_void_p * len(outputs))(*outputs)]
    function(ctypes.byref(parameters), *inputs, *outputs, *scratch)


def _run_overlapping(
    kernel: Callable[[Sequence[Any]], None],
    pointers: Sequence[Any],
    buffers: Sequence[Any],
    pair: tuple[int, int],
    lag: int,
) -> bytes:
    """What shared memory holds after a run in which the first buffer of `pair` begins `lag` bytes before the second."""
    low, high = (buffers[number].raw[len(GUARD) : -len(GUARD)] for number in pair)
    content = (b"\x77" * lag + high).ljust(len(low), b"\x77")
    memory = ctypes.create_string_buffer(GUARD + content + GUARD, len(content) + 2 * len(GUARD))
    pointers = list(pointers)
    for number, offset in zip(pair, (0, lag), strict=True):
        pointers[number] = ctypes.c_void_p(ctypes.addressof(memory) + len(GUARD) + offset)
    kernel(pointers)
    assert memory.raw.startswith(GUARD)
    assert memory.raw.endswith(GUARD)
    return bytes(memory.raw[len(GUARD) : -len(GUARD)])


def _size(tensor: Tensor) -> int:
    return tensor.elements * (tensor.type.dtype.itemsize if tensor.type.dtype else 1)


def _buffer(tensor: Tensor, extra: int) -> Any:
    content = tensor.data.tobytes() if tensor.data is not None else bytes(_size(tensor))
    raw = GUARD + content + b"\x5a" * extra + GUARD
    return ctypes.create_string_buffer(raw, len(raw))


def _write(buffer: Any, content: bytes) -> None:
    ctypes.memmove(ctypes.byref(buffer, len(GUARD)), content, len(content))


def _content(buffer: Any, tensor: Tensor) -> bytes:
    return bytes(buffer.raw[len(GUARD) : len(GUARD) + _size(tensor)])


def _values(tensor: Tensor, content: bytes) -> npt.NDArray[Any]:
    assert tensor.type.dtype is not None
    return np.frombuffer(content, tensor.type.dtype).reshape(tensor.shape)


def _structure(name: str, values: Mapping[str, Value]) -> tuple[Any, list[Any]]:
    kept: list[Any] = []
    _, structures = _library()
    kind = structures[name]
    assert {member for member, _ in kind._fields_} == set(values), f"members of {name}"
    return kind(**{member: _convert(value, kept) for member, value in values.items()}), kept


def _convert(value: Value, kept: list[Any]) -> Any:
    _, structures = _library()
    match value:
        case Array(ctype, values) if isinstance(values, np.ndarray):
            kept.append(np.ascontiguousarray(values))
            return ctypes.c_void_p(kept[-1].ctypes.data)
        case Array(ctype, values):
            array = (structures[ctype] * len(values))(*(_convert(item, kept) for item in values))
            assert ctypes.sizeof(array) == value.bytes, f"size of {ctype}"
            kept.append(array)
            return ctypes.cast(array, ctypes.c_void_p)
        case CStruct(ctype=ctype):
            members = [_convert(getattr(value, field.name), kept) for field in dataclasses.fields(value)]
            return structures[ctype](*members)
    return value


MAIN = r"""
#include "engine.h"
#include <stdio.h>
#include <stdlib.h>
/* Its argument is the number of tensors to write after the outputs, where they are kept. */
int main(int argc, char **argv) {
    if (argc != 2) { return 4; }
    if (!engine_init()) { return 1; }
    for (;;) {
        for (uint8_t i = 0; i < engine_input_count(); i++) {
            const hil_tensor_t *t = &engine_inputs()[i];
            if (fread(t->data, 1, t->bytes, stdin) != t->bytes) { return i == 0 ? 0 : 2; }
        }
        if (!engine_invoke()) { return 3; }
        for (uint8_t i = 0; i < engine_output_count(); i++) {
            const hil_tensor_t *t = &engine_outputs()[i];
            fwrite(t->data, 1, t->bytes, stdout);
        }
        for (int i = 0; i < atoi(argv[1]); i++) {
            const void *data;
            uint32_t bytes;
            if (engine_tensor((uint16_t)i, &data, &bytes)) { fwrite(data, 1, bytes, stdout); }
        }
    }
}
"""


def sanitized() -> tuple[Path, Path]:
    """The object of `MAIN`, and an archive of all kernels and of the engine."""

    def make(folder: Path) -> None:
        (folder / "main.c").write_text(MAIN)
        sources = [ENGINE / "engine_aot.c", *SOURCES]
        subprocess.run(["gcc", *FLAGS, *SANITIZE, "-c", *sources], check=True, cwd=folder)
        subprocess.run(["ar", "rcs", folder / "kernels.a", *sorted(folder.glob("*.o"))], check=True)
        subprocess.run(["gcc", *FLAGS, *SANITIZE, "-c", "main.c"], check=True, cwd=folder)

    folder = once("kernels-sanitized", make)
    return folder / "main.o", folder / "kernels.a"


def run_generated(
    model: Path, folder: Path, runs: Sequence[Sequence[npt.NDArray[Any]]], *, keep_tensors: bool = False
) -> list[bytes]:
    """Compile `model` to C, that to a sanitized program, and run it; what it writes for each of `runs`.

    That is the outputs, and with `keep_tensors` every activation after them, in the order of their indices.
    """
    sources = compile_model(model, folder / "generated", keep_tensors=keep_tensors).sources
    count = len(parse(model.read_bytes()).tensors) if keep_tensors else 0
    program = folder / "program"
    subprocess.run(["gcc", *FLAGS, *SANITIZE, "-o", program, *sources, *sanitized()], check=True)
    stdin = b"".join(values.tobytes() for run in runs for values in run)
    result = subprocess.run([str(program), str(count)], input=stdin, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
    size, rest = divmod(len(result.stdout), len(runs))
    assert rest == 0
    return [result.stdout[i * size : (i + 1) * size] for i in range(len(runs))]


def refusal(content: bytes, folder: Path) -> str:
    """The line that compiling `content` ends with, without the file's name."""
    path = folder / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(HilError) as caught:
        compile_model(path, folder / "generated")
    assert not (folder / "generated").exists()
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")
