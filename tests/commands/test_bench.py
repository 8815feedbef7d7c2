"""`hil bench`: goals as ratios, engines side by side, and networks that no manifest knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from support.needs import needs_emulator
from tflm_hil.checks.parity import compare_outputs
from tflm_hil.checks.tolerance import Tolerance
from tflm_hil.cli.app import app
from tflm_hil.commands.bench import goals, measure
from tflm_hil.commands.bench.measure import bench, describe
from tflm_hil.commands.bench.networks import bench_networks
from tflm_hil.commands.bench.published_figures import CMSIS_NN
from tflm_hil.commands.bench.rows import Compilation, Figures, Goal, Row, Unmeasured
from tflm_hil.commands.bench.subjects import Subject, choose, file_subject
from tflm_hil.errors import DeviceError, HilError
from tflm_hil.lab.dut import Build
from tflm_hil.lab.options import Options
from tflm_hil.lab.session import Session
from tflm_hil.models.preprocess import Quantization
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType
from tflm_hil.report.benchmark import engine_lines, goal_lines, line, remarks
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
FLOAT32 = TensorType.FLOAT32


def test_a_goal_knows_on_which_side_of_its_limit_it_is() -> None:
    assert Goal("x", "1", "2", ratio=1.0, most=True).met
    assert not Goal("x", "1", "2", ratio=1.001, most=True).met
    assert Goal("x", "1", "2", ratio=1.0, most=False).met
    assert not Goal("x", "1", "2", ratio=0.999, most=False).met


def test_goals_are_shown_as_ratios() -> None:
    shown = goal_lines([Goal("arena", "90", "at most 100", 0.9, True), Goal("rate", "1", "2", 0.5, False)])
    assert shown[1].endswith("0.900  met")
    assert shown[2].endswith("0.500  MISSED")


def figures(
    network: str, engine: str, numbers: tuple[int, int, int, int, int, int, int], answers: str = "equal", work: int = 0
) -> Figures:
    instructions, flash, constants, ram, total, arena, stack = numbers
    return Figures(
        network,
        engine,
        "stm32f4",
        instructions,
        work,
        "MAC",
        flash,
        constants,
        ram,
        total,
        arena,
        stack,
        answers,
        answers == "equal",
    )


def test_engines_stand_side_by_side_with_their_ratio() -> None:
    rows = [
        figures("kws", "aot", (600, 30_000, 10_000, 300, 900, 160, 400), work=200),
        figures("alone", "aot", (1, 2, 3, 4, 5, 6, 7)),
        figures("kws", "tflm", (1000, 60_000, 10_000, 500, 1000, 200, 800), "2 differences", work=200),
    ]
    lines = engine_lines(rows)
    assert lines[1].split() == [
        *("kws", "aot", "stm32f4", "600", "3.00", "/", "MAC", "30,000", "20,000", "300", "900", "160", "400", "equal")
    ]
    assert lines[2].split()[:3] == ["kws", "tflm", "stm32f4"]
    assert lines[2].endswith("800  2 differences")
    assert lines[3].split() == ["aot", "/", "tflm", "0.60", "0.50", "0.40", "0.60", "0.90", "0.80", "0.50"]
    assert len(lines) == 5


def test_what_was_not_measured_is_said_and_the_slowest_compilation_named() -> None:
    rows: list[Row] = [
        Unmeasured("big", "aot", "stm32f4", "too large"),
        figures("kws", "aot", (1, 2, 3, 4, 5, 6, 7)),
        figures("kws", "tflm", (1, 2, 3, 4, 5, 6, 7), "2 differences"),
        Compilation("a", 0.2, 1, 1),
        Compilation("b", 1.234, 1, 1),
    ]
    assert list(remarks(rows)) == [
        "big, aot: not measured: too large",
        "kws, tflm: wrong answers: 2 differences",
        "compiling b to C took 1.23 s, the longest of all networks",
    ]


@pytest.mark.parametrize(
    ("device", "said", "equal"),
    [
        ([1, 2], "equal", True),
        ([1, 3], "1 differences in 1 inferences, of up to 1", False),
        ([1, 102], "1 differences in 1 inferences, of up to 100", False),
    ],
)
def test_how_answers_compare_is_said(device: list[int], said: str, equal: bool) -> None:
    outputs = [np.array([values], np.int8) for values in (device, [1, 2])]
    parity = compare_outputs("x", outputs[:1], outputs[1:], [Tolerance()], [Quantization(np.dtype(np.int8))])
    assert describe(parity) == said
    assert (not parity.mismatches) == equal


def test_a_float_that_is_off_as_far_as_it_may_is_said() -> None:
    reference = np.array([1, 2], np.float32)
    outputs = [np.nextafter(reference, np.float32(3))], [reference]
    parity = compare_outputs("x", *outputs, [Tolerance(ulp=2)], [Quantization(np.dtype(np.float32))])
    assert describe(parity) == "within 1 ULP"


def run_bench(monkeypatch: pytest.MonkeyPatch, rows: list[Row], *arguments: str) -> Any:
    session = SimpleNamespace(missing_engines={"tflm": "no library"}, targets=["stm32f4"], toolchain={"gcc": "12"})
    monkeypatch.setattr(measure, "bench", lambda *_: rows)
    monkeypatch.setattr("tflm_hil.cli.bench.open_session", lambda *_: session)
    return CliRunner().invoke(app, ["bench", *arguments])


MEASURED = figures("kws", "tflm", (1, 2, 3, 4, 5, 6, 7))


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (Goal("x", "1", "2", 0.5, True), 0),
        (Goal("x", "1", "2", 2.0, True), 1),
        (figures("kws", "tflm", (1, 2, 3, 4, 5, 6, 7), "off"), 1),
        (Unmeasured("big", "aot", "stm32f4", "too large"), 1),
    ],
)
def test_what_makes_the_bench_fail(monkeypatch: pytest.MonkeyPatch, row: Row, status: int) -> None:
    result = run_bench(monkeypatch, [row, MEASURED])
    assert result.exit_code == status
    assert result.stdout.splitlines().count(line(MEASURED)) == 1
    assert "without engine tflm: no library" in result.stdout.splitlines()


def test_all_rows_are_written_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "new" / "bench.json"
    rows: list[Row] = [Goal("x", "1", "2", 2.0, True), MEASURED, Unmeasured("big", "aot", "stm32f4", "too large")]
    assert run_bench(monkeypatch, rows, "--json", str(file)).exit_code == 1
    written = json.loads(file.read_text())
    assert written["schema"] == "hil-bench/1"
    assert written["missing_engines"] == {"tflm": "no library"}
    assert [row["kind"] for row in written["rows"]] == ["goal", "figures", "unmeasured"]
    assert (written["rows"][0]["met"], written["rows"][1]["ram_total"]) == (False, 5)


def names(subjects: Sequence[Subject]) -> list[str]:
    return [subject.name for subject in subjects]


def test_only_what_is_named_is_measured(tmp_path: Path) -> None:
    shapes = [shape.name for shape in bench_networks()]
    copy = tmp_path / "project"
    (copy / "models").mkdir(parents=True)
    (copy / "models" / "gesture").symlink_to(ROOT / "models" / "gesture")
    (copy / "recordings").symlink_to(ROOT / "recordings")
    own = ["gesture-float32", "gesture-int8"]
    file = network(tmp_path / "mine.tflite", (4, 8))
    assert names(choose(copy, [], [], False)) == own + shapes
    assert names(choose(copy, ["gesture"], [], False)) == own
    assert names(choose(copy, [], [file], False)) == ["mine"]
    assert names(choose(copy, [shapes[2], "all"], [], False)) == [*own, shapes[2]]
    assert names(choose(copy, [], [], True)) == shapes
    with pytest.raises(HilError, match="unknown model gestures; models/ has gesture"):
        choose(copy, ["gestures"], [], False)
    with pytest.raises(HilError, match=r"none\.tflite: no such file"):
        choose(copy, [], [tmp_path / "none.tflite"], False)


def test_one_failure_and_a_slow_engine_hold_up_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    instructions = {("a", "aot"): 10, ("c", "aot"): 30, ("a", "tflm"): 20, ("b", "tflm"): 20, ("c", "tflm"): 20}

    def measured(_session: object, _engine: object, subject: Subject, build: Build, *_: object) -> Iterator[Row]:
        if (subject.name, build.engine) not in instructions:
            raise DeviceError("it crashed")
        yield figures(subject.name, build.engine, (instructions[subject.name, build.engine], 0, 0, 0, 0, 0, 0))

    monkeypatch.setattr(measure, "_measure", measured)
    subjects = [file_subject(network(tmp_path / f"{name}.tflite", (4, 8))) for name in "abc"]
    engines = [SimpleNamespace(name=name, compiles=name == "aot") for name in ("aot", "tflm")]
    session = SimpleNamespace(engines=engines, targets=[SimpleNamespace(name="stm32f4")])
    said: list[str] = []
    rows = list(bench(cast(Session, session), subjects, tmp_path, said.append))
    found = [(row.network, row.engine) for row in rows if isinstance(row, Figures | Unmeasured)]
    assert found == [(name, engine) for engine in ("aot", "tflm") for name in "abc"]
    assert rows[1] == Unmeasured("b", "aot", "stm32f4", "it crashed")
    goals_ = [(row.what, row.met) for row in rows if isinstance(row, Goal)]
    assert goals_ == [("a: instructions, aot against tflm", True), ("c: instructions, aot against tflm", False)]
    assert said[3] == "a with tflm (4 of 6)"


def test_a_goal_of_the_set_is_instructions_a_unit() -> None:
    goal = goals.per_unit(figures("x", "aot", (500, 0, 0, 0, 0, 0, 0), work=100), 4.0)
    assert (goal.measured, goal.limit, goal.ratio, goal.met) == ("5.00", "at most 4", 1.25, False)


def network(path: Path, shape: Sequence[int]) -> Path:
    tensors = [
        TensorSpec((1, shape[1]), FLOAT32),
        TensorSpec(shape, FLOAT32, data=np.ones(shape, np.float32)),
        TensorSpec((1, shape[0]), FLOAT32),
    ]
    path.write_bytes(build(tensors, [OperatorSpec("FULLY_CONNECTED", [0, 1], [2])], [0], [2]))
    return path


@needs_emulator
def test_networks_without_a_manifest_are_measured_against_upstream(tmp_path: Path) -> None:
    options = Options(
        root=ROOT,
        board="emulated",
        emulator="auto",
        targets=("stm32f4",),
        engine="aot",
        models=(),
        report_dir=tmp_path,
        baseline_dir=None,
        update_baseline=False,
        flash=True,
        trace=False,
    )
    session = Session(options)
    # Named like a published network, whose figures it must meet.
    small, large = network(tmp_path / "ad01_int8.tflite", (4, 8)), network(tmp_path / "large.tflite", (400, 1000))
    rows = list(bench(session, [file_subject(small), file_subject(large)], tmp_path / "run"))
    (measured,) = (row for row in rows if isinstance(row, Figures))
    assert (measured.network, measured.engine, measured.arena) == ("ad01_int8", "aot", 48)
    assert 50 < measured.instructions < 1000
    assert (measured.target, measured.answers, measured.equal) == ("stm32f4", "equal", True)
    assert measured.arena < measured.ram < 2000
    goals = {row.what: row for row in rows if isinstance(row, Goal)}
    assert len(goals) == 4
    assert all(goal.met for goal in goals.values())
    upstream = CMSIS_NN["ad01_int8"]
    code = measured.flash - measured.constants
    assert {what.removeprefix("ad01_int8: "): goal.ratio for what, goal in goals.items()} == {
        "arena / most tensor bytes alive at a step": measured.arena / (1.1 * 48),
        "instructions against TFLM with CMSIS-NN": measured.instructions / upstream.instructions,
        "flash without model against TFLM with CMSIS-NN": code / (0.5 * upstream.flash),
        "arena against TFLM with CMSIS-NN": measured.arena / (0.8 * upstream.arena),
    }
    (refusal,) = (row for row in rows if isinstance(row, Unmeasured))
    assert refusal.network == "large"
    assert "exceeds FLASH by" in refusal.reason
