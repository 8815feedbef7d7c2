"""What is generated for the tflm engine, and which networks it refuses before anything is compiled."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from support.firmware_helpers import ROOT
from support.tflm_helpers import NAME, VERSION, pretend_library
from tflm_hil.engines.tflm.library import TflmLibrary, read_library
from tflm_hil.engines.tflm.sources import check, check_operators, write_sources
from tflm_hil.errors import HilError
from tflm_hil.models.manifest import load_models
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, read

INT8, FLOAT32, FLOAT16 = TensorType.INT8, TensorType.FLOAT32, TensorType.FLOAT16


@pytest.fixture
def library(tmp_path: Path) -> TflmLibrary:
    return read_library(pretend_library(tmp_path / "copy"))


def examine(path: Path, library: TflmLibrary) -> None:
    graph = read(path)
    check(path, graph)
    check_operators(path, graph, library)


@pytest.fixture
def tflite() -> Path:
    return load_models(ROOT)["gesture"].variants["int8"].path


def test_the_header_has_each_operator_once_and_the_library_by_name(
    tmp_path: Path, tflite: Path, library: TflmLibrary
) -> None:
    graph = read(tflite)
    header, source = write_sources(tflite, graph, library, 1920, tmp_path)
    defined = dict(re.findall(r"#define (TFLM_\w+(?:\(ADD\))?) (.*)", header.read_text()))
    assert defined == {
        "TFLM_LIBRARY": f'"{NAME} {VERSION}"',
        "TFLM_ARENA_BYTES": "1920",
        "TFLM_OPERATOR_COUNT": "2",
        "TFLM_OPERATORS(ADD)": "ADD(FullyConnected) ADD(Softmax)",
        "TFLM_INPUT_COUNT": "1",
        "TFLM_OUTPUT_COUNT": "1",
        "TFLM_TENSOR_COUNT": str(len(graph.tensors)),
    }
    assert (header.name, source.name) == ("tflm_model.h", "tflm_model.c")


def test_the_array_is_the_file_aligned(tmp_path: Path, tflite: Path, library: TflmLibrary) -> None:
    _, source = write_sources(tflite, read(tflite), library, 1920, tmp_path)
    text, content = source.read_text(), tflite.read_bytes()
    assert f"_Alignas(16) const unsigned char tflm_model[{len(content)}] = {{" in text
    assert bytes(int(number) for number in re.findall(r"\b(\d+),", text)) == content


def test_what_stays_the_same_is_not_written_again(tmp_path: Path, tflite: Path, library: TflmLibrary) -> None:
    files = write_sources(tflite, read(tflite), library, 1920, tmp_path)
    written = [file.stat().st_mtime_ns for file in files]
    write_sources(tflite, read(tflite), library, 1920, tmp_path)
    assert [file.stat().st_mtime_ns for file in files] == written
    write_sources(tflite, read(tflite), library, 1936, tmp_path)
    header, source = (file.stat().st_mtime_ns for file in files)
    assert header != written[0]
    assert source == written[1]


def test_an_ordinary_network_is_taken(tflite: Path, library: TflmLibrary) -> None:
    examine(tflite, library)


def dense(tmp_path: Path, weights: TensorType, kind: str = "FULLY_CONNECTED") -> Path:
    """One layer on float32 activations with weights of this type; some layers take another tensor before those."""
    path = tmp_path / "network.tflite"
    scale = ([0.5], [0]) if weights == INT8 else ([], [])
    first = TensorType.INT32 if kind == "TRANSPOSE_CONV" else FLOAT32
    path.write_bytes(
        build(
            [
                TensorSpec([1, 4], first),
                TensorSpec([2, 4], weights, *scale, np.ones((2, 4), weights.dtype), "weights"),
                TensorSpec([1, 2], FLOAT32),
            ],
            [OperatorSpec(kind, [0, 1], [2])],
            [0],
            [2],
        )
    )
    return path


def refusal(path: Path, library: TflmLibrary) -> str:
    with pytest.raises(HilError) as caught:
        examine(path, library)
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith(f"{path}: ")
    return said


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"])
@pytest.mark.parametrize("weights", [INT8, TensorType.UINT8, TensorType.INT16])
def test_hybrid_weights_are_refused(tmp_path: Path, library: TflmLibrary, kind: str, weights: TensorType) -> None:
    said = refusal(dense(tmp_path, weights, kind), library)
    assert f"operator 0 ({kind}) is hybrid, {weights.name.lower()} weights with float32 activations" in said
    assert "convert to full int8 or to plain float32" in said


def test_float16_weights_are_refused(tmp_path: Path, library: TflmLibrary) -> None:
    said = refusal(dense(tmp_path, FLOAT16), library)
    assert "tensor 1 ('weights') is float16" in said
    assert "convert to int8 or to plain float32" in said


def test_several_subgraphs_are_refused(tmp_path: Path, library: TflmLibrary) -> None:
    path = tmp_path / "network.tflite"
    ends = [TensorSpec([1, 4], FLOAT32), TensorSpec([1, 4], FLOAT32)]
    path.write_bytes(build(ends, [OperatorSpec("RELU", [0], [1])], [0], [1], subgraphs=2))
    assert "has 2 subgraphs" in refusal(path, library)


def test_an_operator_that_the_copy_does_not_have_is_refused_with_its_name(tmp_path: Path, library: TflmLibrary) -> None:
    path = tmp_path / "network.tflite"
    ends = [TensorSpec([1, 4], FLOAT32), TensorSpec([1, 4], FLOAT32)]
    path.write_bytes(build(ends, [OperatorSpec("TANH", [0], [1])], [0], [1]))
    said = refusal(path, library)
    assert f"operator 0 (TANH) is not among the operators of {NAME} {VERSION}" in said


def test_what_upstream_tflm_refuses_is_refused_with_its_reason(tmp_path: Path, library: TflmLibrary) -> None:
    path = tmp_path / "network.tflite"
    ends = [TensorSpec([1, 4], TensorType.INT32), TensorSpec([1, 4], TensorType.INT32)]
    path.write_bytes(build(ends, [OperatorSpec("SOFTMAX", [0], [1])], [0], [1]))
    assert "TFLM refuses it: " in refusal(path, library)


def test_a_layer_without_weights_is_left_to_upstream_tflm(tmp_path: Path, library: TflmLibrary) -> None:
    path = tmp_path / "network.tflite"
    ends = [TensorSpec([1, 4], FLOAT32), TensorSpec([1, 4], FLOAT32)]
    path.write_bytes(build(ends, [OperatorSpec("FULLY_CONNECTED", [0], [1])], [0], [1]))
    assert "TFLM" in refusal(path, library)


@pytest.mark.external
def test_a_real_hybrid_network_is_refused(library: TflmLibrary) -> None:
    path = ROOT / ".." / "shared" / "data" / "refused" / "hybrid_weights.tflite"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    assert "operator 0 (FULLY_CONNECTED) is hybrid" in refusal(path, library)
