"""Run the kernels of a network one by one on the host, through ctypes."""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import graphlib
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tflm_hil.compiler.c_struct import CStruct
from tflm_hil.compiler.compile import lower_graph
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.models.tflite_file import Tensor, parse

from support.compiler_helpers import FLAGS, KERNELS, SOURCES
from support.once import once

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


@functools.cache
def _library() -> tuple[ctypes.CDLL, dict[str, Any]]:
    """Return all kernels as a shared library, and their parameter structures by name."""

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
    """The headers of the kernels, each after the ones that it includes."""
    headers = {path.name: path for path in sorted(KERNELS.rglob("*.h"))}
    includes = {
        path: [headers[name] for name in re.findall(r'#include "(aot_\w+\.h)"', path.read_text())]
        for path in headers.values()
    }
    return list(graphlib.TopologicalSorter(includes).static_order())


def exp_f32(values: npt.NDArray[np.float32], way: str) -> npt.NDArray[np.float32]:
    """Return aot_exp_by_integers() or aot_exp_by_floats() of each value."""
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
    """Run the kernels of a network once; return its outputs and the names of the kernels.

    Every tensor has its own buffer with guards on both sides, which must stay intact. A kernel whose output or scratch
    memory may overlap its input runs a second time with overlapping memory, and must write the same.
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
        expected = _content(used[y], output)  # Without the bytes behind it that the next kernel may read.
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
    """Run a kernel with the first buffer of `pair` beginning `lag` bytes before the second; return their memory."""
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
