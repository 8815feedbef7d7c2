"""`hil inspect`: figures that can be worked out by hand, and one line for whatever cannot be inspected."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from support.hil_command import hil
from support.needs import needs_compiler
from support.targets import STM32F4
from tflm_hil.boards.qemu import program as qemu_program
from tflm_hil.commands.inspection import inspect
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.macs import multiply_accumulates
from tflm_hil.models.manifest import load_models
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, parse
from tflm_hil.report.inspection import inspection_lines

ROOT = Path(__file__).parents[2]
EXTERNAL = ROOT.parent / "shared" / "data"
FLOAT32, INT8, INT32 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT32


@pytest.fixture(autouse=True)
def no_tflm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library, which takes minutes to compile."""
    monkeypatch.delenv("HIL_TFLM_LIB", raising=False)


def project(root: Path) -> FirmwareProject:
    return FirmwareProject(root / ".hil", qemu_program.run)


def one_operator(kind: str, x: Sequence[int], weights: Sequence[int], y: Sequence[int]) -> bytes:
    tensors = [
        TensorSpec(x, FLOAT32),
        TensorSpec(weights, FLOAT32, data=np.zeros(weights, np.float32)),
        TensorSpec(y, FLOAT32),
    ]
    return build(tensors, [OperatorSpec(kind, [0, 1], [2])], [0], [2])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test puts its network."""
    return tmp_path / "model.tflite"


@pytest.mark.parametrize(
    ("kind", "x", "weights", "y", "macs"),
    [
        ("FULLY_CONNECTED", (1, 180), (50, 180), (1, 50), 180 * 50),
        ("FULLY_CONNECTED", (1, 7, 12), (5, 12), (1, 7, 5), 7 * 12 * 5),
        ("CONV_2D", (1, 10, 8, 3), (16, 5, 3, 3), (1, 5, 8, 16), 5 * 8 * 16 * 5 * 3 * 3),
        ("CONV_2D", (1, 10, 8, 6), (16, 5, 3, 3), (1, 5, 8, 16), 5 * 8 * 16 * 5 * 3 * 3),  # two groups
        ("DEPTHWISE_CONV_2D", (1, 9, 9, 4), (1, 3, 5, 8), (1, 9, 9, 8), 9 * 9 * 8 * 3 * 5),
        ("RELU", (1, 180), (1,), (1, 180), 0),
        ("SVDF", (1, 8), (4, 8), (1, 4), None),
        ("CUSTOM Mystery", (1, 8), (4, 8), (1, 4), None),
        ("CONV_2D", (1, 10), (16,), (1, 5), 5),  # nonsense, but no reason to fall over
        ("DEPTHWISE_CONV_2D", (1, 10), (16,), (1, 5), None),
    ],
)
def test_multiply_accumulates(
    kind: str, x: Sequence[int], weights: Sequence[int], y: Sequence[int], macs: int | None
) -> None:
    graph = parse(one_operator(kind, x, weights, y))
    assert multiply_accumulates(graph, graph.operators[0]) == macs


@pytest.mark.nightly  # links another firmware
def test_quantization_and_roles_are_shown(path: Path) -> None:
    tensors = [
        TensorSpec((1, 4), INT8, [0.5], [-3], name="feature"),
        TensorSpec((2, 4), INT8, [0.25, 0.125], data=np.ones((2, 4), np.int8)),
        TensorSpec((2,), INT32, [0.125, 0.0625], data=np.ones(2, np.int32)),
        TensorSpec((1, 2), INT8, [2.0], [7], name="\x1b[31mscore"),
    ]
    path.write_bytes(build(tensors, [OperatorSpec("FULLY_CONNECTED", [0, 1, 2], [3])], [0], [3]))
    inspection = inspect(path, project(path.parent), STM32F4)
    assert inspection.tensors[0].scales == (0.5,)
    assert inspection.tensors[0].zero_points == (-3,)
    assert inspection.tensors[1].scales == (0.25, 0.125)
    estimate = inspection.verdicts[0].estimate
    assert estimate is not None
    assert 6 <= estimate.arena_lower_bound <= estimate.arena_bytes <= 8
    assert [verdict.who.split()[0] for verdict in inspection.verdicts] == ["aot", "tflm", "tflite-micro"]
    assert all(verdict.accepts for verdict in inspection.verdicts)
    text = "\n".join(inspection_lines(inspection))
    for part in ("int8[1,4] > int8[1,2]", "0,1,2>3", "0.125..0.25 x2 dim 0", "input", "output", "?[31mscore"):
        assert part in text


def test_an_operator_that_no_engine_has_is_named_with_the_reason(path: Path) -> None:
    path.write_bytes(one_operator("CUSTOM Mystery\x07", (1, 8), (4, 8), (1, 4)))
    inspection = inspect(path, project(path.parent), STM32F4)
    assert (inspection.macs, inspection.uncounted) == (0, ("CUSTOM Mystery?",))
    aot, tflm, host = inspection.verdicts
    assert (aot.accepts, tflm.accepts, host.accepts, aot.estimate) == (False, False, False, None)
    assert tflm.reason == host.reason
    assert "aot: refuses it" in inspection_lines(inspection)
    assert aot.reason.startswith("operator 0 (CUSTOM Mystery?): ")
    assert host.reason == aot.reason
    assert "it is a custom operator" in aot.reason
    assert all(line.isprintable() for line in inspection_lines(inspection))


def inspected(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return hil("inspect", *arguments)


def test_a_model_of_the_project_fits_a_hundred_columns() -> None:
    result = inspected("gesture", "--variant", "float32")
    assert result.returncode == 0
    assert "multiply-accumulates 9,795" in result.stdout
    name, *table = result.stdout.splitlines()
    assert name.startswith(str(ROOT / "models" / "gesture" / "gesture_float32.tflite"))
    assert max(map(len, table)) <= 100


@needs_compiler
def test_the_firmware_is_linked_for_the_target() -> None:
    """What is predicted is what is built: only the code that cuts windows is missing."""
    model = load_models(ROOT)["gesture"]
    image = FirmwareProject(ROOT / ".hil").build(model, "int8", AotEngine(), STM32F4)
    inspection = inspect(model.variants["int8"].path, project(ROOT), STM32F4)
    facts, estimate = inspection.verdicts[0].image, inspection.verdicts[0].estimate
    assert facts is not None
    assert estimate is not None
    assert inspection.verdicts[0].reason == ""
    assert facts.constants == estimate.constant_bytes == image.model_bytes
    assert facts.arena == estimate.arena_bytes == image.arena_bytes
    assert 0.8 * image.flash_bytes < facts.flash <= image.flash_bytes
    assert facts.link_buffers == image.ram_total_bytes - image.ram_bytes


@needs_compiler
def test_a_network_too_large_for_the_target_is_refused_with_the_figure(path: Path) -> None:
    path.write_bytes(one_operator("FULLY_CONNECTED", (1, 1000), (200, 1000), (1, 200)))
    aot = inspect(path, project(ROOT), STM32F4).verdicts[0]
    assert not aot.accepts
    assert "too large for the target, it exceeds FLASH by" in aot.reason


def test_without_a_toolchain_the_rest_is_known_and_the_remedy_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    path.write_bytes(one_operator("FULLY_CONNECTED", (1, 4), (2, 4), (1, 2)))
    inspection = inspect(path, project(ROOT), STM32F4)
    aot = inspection.verdicts[0]
    assert aot.accepts
    assert aot.image is None
    assert "apt-get install" in aot.reason
    assert "aot: takes it" in inspection_lines(inspection)
    assert "apt-get install" in " ".join(inspection_lines(inspection))


@needs_compiler
def test_tflm_is_judged_without_the_library_and_how_to_get_it_is_said(path: Path) -> None:
    path.write_bytes(one_operator("FULLY_CONNECTED", (1, 4), (2, 4), (1, 2)))
    tflm = inspect(path, project(ROOT), STM32F4).verdicts[1]
    assert (tflm.accepts, tflm.image) == (True, None)
    assert "hil build MODEL --engine tflm" in tflm.reason
    assert "HIL_TFLM_LIB" in tflm.reason


def test_hybrid_weights_are_refused_by_both_engines_with_the_way_out(path: Path) -> None:
    weights = TensorSpec((2, 4), INT8, [0.5], [0], np.ones((2, 4), np.int8))
    tensors = [TensorSpec((1, 4), FLOAT32), weights, TensorSpec((1, 2), FLOAT32)]
    path.write_bytes(build(tensors, [OperatorSpec("FULLY_CONNECTED", [0, 1], [2])], [0], [2]))
    for verdict in inspect(path, project(path.parent), STM32F4).verdicts[:2]:
        assert not verdict.accepts
        assert "convert" in verdict.reason
        assert "hybrid" in verdict.reason


def test_json_holds_the_same(path: Path) -> None:
    path.write_bytes(one_operator("FULLY_CONNECTED", (1, 180), (50, 180), (1, 50)))
    loaded = json.loads(inspected("--json", path).stdout)
    assert (loaded["macs"], loaded["weight_bytes"]) == (9000, 36000)
    assert loaded["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded["operators"][0]["kind"] == "FULLY_CONNECTED"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "hil: nope: neither a .tflite file nor one of models/ (five_gestures"),
        (["nope.tflite"], "hil: nope.tflite: cannot be read"),
        (["README.md"], "hil: README.md: the identifier TFL3 is missing"),
        (["gesture", "--target", "z80"], "hil: unknown target z80; choose uno, mega2560, nrf51"),
        (["gesture", "--target", "all"], "hil: --target: name one target"),
        (["gesture", "--variant", "int4"], "hil: --variant=int4: no such variant; the manifest has float32, int8"),
    ],
)
def test_what_cannot_be_inspected_is_one_line(arguments: list[str], message: str) -> None:
    result = inspected(*arguments)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(message)
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.external
@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("ad01_int8", 264_192),
        ("kws_ref_model", 2_656_768),
        pytest.param("pretrainedResnet_quant", 12_501_632, marks=pytest.mark.nightly),
        pytest.param("vww_96_int8", 7_489_664, marks=pytest.mark.nightly),
    ],
)
def test_published_figures(name: str, macs: int) -> None:
    path = EXTERNAL / "mlperf-tiny" / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    inspection = inspect(path, project(path.parent), STM32F4)
    assert inspection.macs == macs
    assert max(map(len, inspection_lines(inspection)[1:])) <= 100
