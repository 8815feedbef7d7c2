"""Memory that a kernel keeps from one inference to the next: zero at the start, and nobody else's."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.compiler_helpers import FLAGS, needs_gcc
from support.generated_programs import SANITIZE, sanitized
from support.kernel_cases import seeds
from support.random_networks import FLOAT32, INT8, RandomNetwork
from tflm_hil.compiler.compile import lower_graph
from tflm_hil.compiler.emit import emit
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import KernelCall
from tflm_hil.compiler.memory.storage import Storage
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, parse

# y is the sum of all x so far.
KERNEL = r"""
#include <stdint.h>
typedef struct { uint32_t elements; } test_sum_t;
static inline void test_sum(const test_sum_t *layer, const float *x, float *y, void *state) {
    float *sums = state;
    for (uint32_t i = 0; i < layer->elements; i++) { y[i] = sums[i] += x[i]; }
}
"""


def lowered(content: bytes) -> tuple[Network, list[KernelCall]]:
    return lower_graph(Path("model.tflite"), parse(content))


@settings(max_examples=30)
@given(seeds, st.sampled_from([INT8, FLOAT32]), st.booleans(), st.data())
def test_state_overlaps_with_nothing(seed: int, kind: TensorType, keep_tensors: bool, data: st.DataObject) -> None:
    content = RandomNetwork(seed, kind, 5)
    # Two more tensors, which stand for the state.
    tensors = [*content.tensors, TensorSpec([1], FLOAT32), TensorSpec([1], FLOAT32)]
    state = len(content.tensors), len(content.tensors) + 1
    network, calls = lowered(build(tensors, content.operators, content.inputs, content.outputs))
    for tensor in state:
        number = data.draw(st.integers(0, len(calls) - 1))
        calls[number] = replace(calls[number], state={**calls[number].state, tensor: data.draw(st.integers(1, 200))})
    storage = Storage(network, calls, keep_tensors)
    offsets = storage.plan.offsets
    assert set(state) <= {buffer.name for buffer in storage.buffers}
    for one, other in combinations(storage.buffers, 2):
        if {one.name, other.name} & set(state):
            apart = offsets[one.name] - offsets[other.name]
            assert apart >= other.bytes or -apart >= one.bytes


@needs_gcc
@pytest.mark.parametrize("shared", [False, True])
def test_state_is_zero_at_first_and_stays_between_inferences(shared: bool, tmp_path: Path) -> None:
    """Three sums one after the other, each with a state of its own, or the first and the last with one together."""
    spec = TensorSpec([4], FLOAT32)
    operators = [OperatorSpec("RELU", [i], [i + 1]) for i in range(3)]
    network, calls = lowered(build([spec] * 7, operators, [0], [3]))
    states = (4, 5, 4) if shared else (4, 5, 6)
    calls = [
        replace(call, header="test_sum.h", kernel="test_sum", parameter_type="test_sum_t", state={state: 16})
        for call, state in zip(calls, states, strict=True)
    ]
    storage = Storage(network, calls, keep_tensors=False)
    (tmp_path / "test_sum.h").write_text(KERNEL)
    (tmp_path / "aot_model.c").write_text(emit(network, calls, storage, "sums", keep_tensors=False))
    program = tmp_path / "program"
    sources = [tmp_path / "aot_model.c", *sanitized()]
    subprocess.run(["gcc", *FLAGS, *SANITIZE, f"-I{tmp_path}", "-o", program, *sources], check=True)
    runs = np.arange(20, dtype=np.float32).reshape(5, 4)
    result = subprocess.run([program, "0"], input=runs.tobytes(), capture_output=True, check=True)
    sums = {state: np.zeros(4, np.float32) for state in states}
    for x, written in zip(runs, np.frombuffer(result.stdout, np.float32).reshape(5, 4), strict=True):
        y = x
        for state in states:
            y = sums[state] = sums[state] + y
        np.testing.assert_array_equal(written, y)
