"""Reading .tflite files: sound ones completely, damaged ones never further than one clear line."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from support.compiler_helpers import run_tflm
from support.host_kernels import run_kernels
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, parse, read
from tflm_hil.models.tflite_verify import InvalidFileError

FLOAT32, INT8 = TensorType.FLOAT32, TensorType.INT8


def small_model() -> bytes:
    weights = np.arange(12, dtype=np.int8).reshape(3, 4)
    tensors = [
        TensorSpec([1, 4], INT8, [0.5], [-3], name="in", signature=[-1, 4]),
        TensorSpec([3, 4], INT8, [0.1, 0.2, 0.3], data=weights, name="weights"),
        TensorSpec([1, 3], INT8, [0.25], [7], name="out"),
    ]
    operators = [OperatorSpec("FULLY_CONNECTED", [0, 1, -1], [2], {"FusedActivationFunction": 1})]
    return build(tensors, operators, [0], [2])


def test_a_graph_is_read_completely() -> None:
    graph = parse(small_model())
    assert (graph.inputs, graph.outputs, graph.subgraphs, graph.description) == ([0], [2], 1, "built by tflm-hil")
    source, weights, _ = graph.tensors
    assert (source.name, source.shape, source.type, source.data) == ("in", (-1, 4), INT8, None)
    assert (source.scales.tolist(), source.zero_points.tolist()) == ([0.5], [-3])
    assert weights.data is not None
    np.testing.assert_array_equal(weights.data, np.arange(12, dtype=np.int8).reshape(3, 4))
    assert len(weights.scales) == 3
    operator = graph.operators[0]
    assert (operator.kind, operator.inputs, operator.outputs) == ("FULLY_CONNECTED", [0, 1, -1], [2])
    assert operator.options["FusedActivationFunction"] == 1
    assert operator.options["KeepNumDims"] == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"TFL3", "the identifier TFL3 is missing"),
        (b"\x50\x4b\x03\x04 this is a zip", "the identifier TFL3 is missing"),
        (b"\x08\x00\x00\x00TFL3", "outside the file"),
        (b"\xff\xff\xff\xffTFL3" + bytes(64), "outside the file"),
    ],
)
def test_what_is_no_model_is_one_line(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(content)
    with pytest.raises(HilError, match=reason) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("codes_in", ["newer", "deprecated", "both"])
def test_the_operator_code_is_found_in_either_field(codes_in: str) -> None:
    x = TensorSpec([1, 4], FLOAT32)
    content = build([x, x, x], [OperatorSpec("MUL", [0, 1], [2])], [0, 1], [2], codes_in=codes_in)
    assert parse(content).operators[0].kind == "MUL"
    values = np.array([[1, 2, 3, 4]], np.float32)
    np.testing.assert_array_equal(run_kernels(content, [values, values])[0][0], run_tflm(content, [values, values])[0])


def test_one_zero_point_goes_for_all_scales() -> None:
    """As for TFLM; no other number of them but that of the scales has a meaning."""
    weights = TensorSpec([4, 2], INT8, [0.1, 0.2, 0.3, 0.4], [0], data=np.arange(-4, 4, dtype=np.int8).reshape(4, 2))
    ends = [TensorSpec([1, size], INT8, [0.5], [0]) for size in (2, 4)]
    operator = OperatorSpec("FULLY_CONNECTED", [0, 1], [2])
    content = build([ends[0], weights, ends[1]], [operator], [0], [2])
    assert parse(content).tensors[1].zero_points.tolist() == [0, 0, 0, 0]
    x = np.array([[3, -100]], np.int8)
    np.testing.assert_array_equal(run_kernels(content, [x])[0][0], run_tflm(content, [x])[0])
    for scales, zero_points in (([0.1], [0] * 4), ([0.1] * 4, [0] * 3)):
        weights.scales, weights.zero_points = scales, zero_points
        with pytest.raises(InvalidFileError, match=f"{len(scales)} scales but {len(zero_points)} zero points"):
            parse(build([ends[0], weights, ends[1]], [operator], [0], [2]))


def test_weights_in_a_file_of_their_own_are_noticed() -> None:
    """A field that is newer than the tflite package: TFLM takes such weights for zeros."""
    network = schema.ModelT.InitFromObj(schema.Model.GetRootAs(small_model(), 0))
    network.subgraphs[0].tensors[1].externalBuffer = 1
    network.subgraphs[0].tensors[1].buffer = 0
    builder = schema.flatbuffers.Builder(0)
    builder.Finish(network.Pack(builder), b"TFL3")
    assert [tensor.external for tensor in parse(bytes(builder.Output())).tensors] == [False, True, False]


def test_an_open_batch_is_as_large_as_it_is_stored() -> None:
    ends = [TensorSpec([size, 4], FLOAT32, signature=[-1, 4]) for size in (3, 1)]
    graph = parse(build(ends, [OperatorSpec("RELU", [0], [1])], [0], [1]))
    assert [tensor.shape for tensor in graph.tensors] == [(3, 4), (-1, 4)]


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.tflite", tmp_path):
        with pytest.raises(HilError, match="cannot be read"):
            read(path)


def test_a_tensor_whose_data_do_not_fit_its_shape_is_refused() -> None:
    tensors = [TensorSpec([1, 4], FLOAT32, data=np.zeros(3, np.float32)), TensorSpec([1, 4], FLOAT32)]
    with pytest.raises(InvalidFileError, match=r"tensor 0 \('t'\) is FLOAT32\[1, 4\] but has 12 bytes"):
        parse(build(tensors, [OperatorSpec("RELU", [0], [1])], [], [1]))


def test_an_index_that_names_no_tensor_is_refused() -> None:
    tensors = [TensorSpec([1, 4], FLOAT32)]
    with pytest.raises(InvalidFileError, match=r"the outputs of operator 0 \(RELU\) name tensor 5, but there are 1"):
        parse(build(tensors, [OperatorSpec("RELU", [0], [5])], [0], [0]))


def test_offsets_that_all_lead_to_one_large_table_do_not_keep_the_reader_busy() -> None:
    """A subgraph of a thousand tensors that are the same table, whose name is as long as the file."""
    name_bytes = 200_000
    vtable = struct.pack("<HH4H", 12, 8, 0, 0, 0, 4)
    name = struct.pack("<I", name_bytes) + bytes(name_bytes)
    with pytest.raises(InvalidFileError, match="overlaps what was read before"):
        parse(_with_one_tensor_many_times(1000, len(vtable) + 4, vtable + name))


def test_tables_that_share_a_large_vtable_do_not_keep_the_reader_busy() -> None:
    """A thousand times the same tensor, of 32,765 fields that are all absent."""
    vtable_bytes = 2**16 - 2
    vtable = struct.pack("<HH", vtable_bytes, 8) + bytes(vtable_bytes - 4)
    with pytest.raises(InvalidFileError, match="vtable of a Tensor overlaps what was read before"):
        parse(_with_one_tensor_many_times(1000, 0, vtable))


def test_tensors_that_share_a_buffer_share_its_memory() -> None:
    content = np.arange(1000, dtype=np.int8)
    graph = parse(build([TensorSpec([1000], INT8, data=content, buffer=1) for _ in range(3)], [], [0], []))
    first, *others = [tensor.data for tensor in graph.tensors]
    assert first is not None
    for other in others:
        assert other is not None
        np.testing.assert_array_equal(other, content)
        assert np.shares_memory(first, other)


def test_names_stay_on_one_line() -> None:
    graph = parse(
        build([TensorSpec([1], INT8, name="a\nb\x1b[2J")], [OperatorSpec("CUSTOM evil\r\nname", [0], [0])], [0], [0])
    )
    assert graph.tensors[0].name == "a?b?[2J"
    assert graph.operators[0].kind == "CUSTOM evil??name"


def _with_one_tensor_many_times(count: int, name: int, tail: bytes) -> bytes:
    """A valid model, whose tensors are offsets that all lead to one of 8 bytes; `tail` is its vtable and the rest.

    Its second word is an offset that leads `name` bytes further.
    """
    content = bytearray(small_model())
    content += bytes(-len(content) % 4)
    vector = len(content)
    table = vector + 4 + 4 * count
    content += struct.pack("<I", count)
    content += b"".join(struct.pack("<I", table - (vector + 4 + 4 * i)) for i in range(count))
    content += struct.pack("<iI", -8, name) + tail
    return _with_tensors_at(bytes(content), vector)


def _with_tensors_at(content: bytes, vector: int) -> bytes:
    """`content` with the first subgraph's tensors replaced by the vector at that position."""

    def number(form: str, position: int) -> int:
        return int(struct.unpack_from(form, content, position)[0])

    def field(table: int, slot: int) -> int:
        return table + number("<H", table - number("<i", table) + 4 + 2 * slot)

    def follow(position: int) -> int:
        return position + number("<I", position)

    subgraph = follow(follow(field(follow(0), 2)) + 4)
    position = field(subgraph, 0)
    return content[:position] + struct.pack("<I", vector - position) + content[position + 4 :]
