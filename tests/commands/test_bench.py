"""`hil bench`: goals as ratios, engines side by side, and networks that no manifest knows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from support.needs import needs_emulator
from tflm_hil.checks.latency import Latency
from tflm_hil.checks.parity import compare_outputs
from tflm_hil.checks.tolerance import Tolerance
from tflm_hil.cli.app import app
from tflm_hil.commands.bench import goals
from tflm_hil.commands.bench.measure import ANSWERS, GOALS, Bench
from tflm_hil.commands.bench.networks import bench_networks
from tflm_hil.commands.bench.published_figures import CMSIS_NN
from tflm_hil.commands.bench.subjects import Subject, choose, file_subject
from tflm_hil.errors import DeviceError, HilError
from tflm_hil.lab.options import Flash, Options
from tflm_hil.lab.session import Session
from tflm_hil.models.preprocess import Quantization
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType
from tflm_hil.recordings import Recording
from tflm_hil.report.benchmark import engine_lines, goal_lines, line, remarks
from tflm_hil.report.markdown import render
from tflm_hil.results.figures import figures as figures_of
from tflm_hil.results.groups import BenchFigures, CompilationFigures, FirmwareFigures, Goal, ParityFigures
from tflm_hil.results.model import Case, Results, Run, load
from tflm_hil.results.parts import Contribution, parity_part
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
FLOAT32 = TensorType.FLOAT32
MET, MISSED = Goal("arena", "90", "at most 100", 0.9, True), Goal("rate", "1", "2", 0.5, False)


def measured(
    network: str,
    engine: str,
    numbers: tuple[int, int, int, int, int, int, int] = (1, 3, 2, 4, 15, 6, 7),
    *,
    mismatches: int = 0,
    **bench: Any,
) -> Run:
    """A run with these instructions, flash, constants, RAM, RAM total, arena and stack."""
    instructions, flash, constants, ram, total, arena, stack = numbers
    buffers = total - ram - stack
    case = Case(id=ANSWERS, outcome="failed" if mismatches else "passed", tries=1, this_session=True)
    return Run(
        network,
        "tflite",
        engine,
        "emulated",
        "qemu 7",
        "stm32f4",
        "fail" if mismatches else "pass",
        firmware=FirmwareFigures("00", flash, ram, buffers, arena, constants, {}, [], stack, total),
        parity=ParityFigures(9, mismatches, not mismatches, float(mismatches), 0, "", None, None, mismatches),
        latency=Latency("instructions", 9, 1, 1, 1, instructions),
        bench=BenchFigures(bench.pop("work", 0), "MAC", **bench),
        tests=[case],
    )


def unmeasured(network: str, engine: str, reason: str) -> Run:
    tests = [Case(id=ANSWERS, outcome="failed", reason=reason, this_session=True)]
    return Run(network, "tflite", engine, "emulated", "qemu 7", "stm32f4", "fail", tests=tests)


def results(*runs: Run) -> Results:
    host = {"system": "", "python": ""}
    return Results(created="2026", git={}, host=host, toolchain={}, runs=list(runs), missing_engines={"tflm": "gone"})


def test_a_goal_knows_on_which_side_of_its_limit_it_is() -> None:
    assert [goal.met for ours in (10, 11) for goal in goals.never_slower(*slow_and_fast(ours, 10))] == [True, False]
    rates = [goals._goal("x", "1", "2", ratio, most=False).met for ratio in (1.0, 0.999)]
    assert rates == [True, False]


def slow_and_fast(compiled: int, interpreted: int) -> tuple[Run, Run]:
    return measured("x", "aot", (compiled, 3, 2, 4, 15, 6, 7)), measured("x", "tflm", (interpreted, 3, 2, 4, 15, 6, 7))


def test_goals_are_shown_as_ratios() -> None:
    shown = goal_lines(results(measured("a", "aot", goals=[MET]), measured("b", "aot", goals=[MISSED])))
    assert shown[1].endswith("0.900  met")
    assert shown[2].endswith("0.500  MISSED")


def test_engines_stand_side_by_side_with_their_ratio() -> None:
    lines = engine_lines(
        results(
            measured("kws", "aot", (600, 30_000, 10_000, 300, 900, 160, 400), work=200),
            measured("alone", "aot"),
            measured("kws", "tflm", (1000, 60_000, 10_000, 500, 1000, 200, 800), mismatches=2, work=200),
            unmeasured("big", "aot", "too large"),
        )
    )
    assert lines[1].split() == [
        *("kws", "aot", "stm32f4", "600", "3.00", "/", "MAC", "30,000", "20,000", "300", "900", "160", "400", "equal")
    ]
    assert lines[2].split()[:3] == ["kws", "tflm", "stm32f4"]
    assert lines[2].endswith("800  2 differences in 9 inferences, of up to 2")
    assert lines[3].split() == ["aot", "/", "tflm", "0.60", "0.50", "0.40", "0.60", "0.90", "0.80", "0.50"]
    assert len(lines) == 5


def test_what_was_not_measured_is_said_and_the_slowest_compilation_named() -> None:
    runs = [
        unmeasured("big", "aot", "too large"),
        measured("kws", "aot", compilation=CompilationFigures(0.2, 1, 1)),
        measured("kws", "tflm", mismatches=2),
        measured("vww", "aot", compilation=CompilationFigures(1.234, 1, 1)),
    ]
    assert list(remarks(results(*runs))) == [
        "without engine tflm: gone",
        "big, aot: not measured: too large",
        "kws, tflm: wrong answers: 2 differences in 9 inferences, of up to 2",
        "compiling vww to C took 1.23 s, the longest of all networks",
    ]
    assert line(runs[0]).endswith("not measured: too large")


@pytest.mark.parametrize(
    ("device", "said"),
    [
        (np.array([1, 2], np.int8), "equal"),
        (np.array([1, 3], np.int8), "1 differences in 1 inferences, of up to 1"),
        (np.array([1, 102], np.int8), "1 differences in 1 inferences, of up to 100"),
        (np.array([1, np.nextafter(np.float32(2), np.float32(3))], np.float32), "within 1 ULP"),
        (np.array([1, np.nan], np.float32), "1 differences in 1 inferences, an output is no number"),
    ],
)
def test_how_answers_compare_is_said(device: np.ndarray, said: str) -> None:
    reference = np.array([1, 2], device.dtype)
    allowed = Tolerance(ulp=2 if device.dtype == np.float32 else 0)
    parity = compare_outputs("x", [device], [reference], [allowed], [Quantization(device.dtype)])
    run = measured("x", "aot")
    run.parity = figures_of([Contribution(parity=parity_part(parity, "tflite-micro"))])["parity"]
    assert line(run).endswith(said)


class FakeBench:
    """One that has measured already."""

    runs: list[Run]

    def __init__(self, *_: object) -> None:
        self.results = results(*self.runs)

    def measure(self, *_: object) -> list[Run]:
        return self.runs


def run_bench(monkeypatch: pytest.MonkeyPatch, runs: list[Run], *arguments: str) -> Any:
    monkeypatch.setattr(FakeBench, "runs", runs, raising=False)
    monkeypatch.setattr("tflm_hil.cli.bench.Bench", FakeBench)
    monkeypatch.setattr("tflm_hil.cli.bench.open_session", lambda *_: None)
    return CliRunner().invoke(app, ["bench", *arguments])


@pytest.mark.parametrize(
    ("run", "status"),
    [(measured("a", "aot"), 0), (measured("a", "aot", mismatches=1), 1), (unmeasured("a", "aot", "x"), 1)],
)
def test_what_makes_the_bench_fail(monkeypatch: pytest.MonkeyPatch, run: Run, status: int) -> None:
    result = run_bench(monkeypatch, [run, measured("kws", "tflm")])
    assert result.exit_code == status
    assert result.stdout.splitlines().count(line(run)) == 1
    assert "without engine tflm: gone" in result.stdout.splitlines()


def test_the_file_holds_results_that_can_be_read_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "new" / "bench.json"
    runs = [measured("kws", "aot", goals=[MET, MISSED], work=7), unmeasured("big", "aot", "too large")]
    assert run_bench(monkeypatch, runs, "--json", str(file)).exit_code == 1
    assert load(file) == results(*runs)
    assert goal_lines(load(file)) == goal_lines(results(*runs))
    assert "| kws-tflite-aot-stm32f4 |" in render(load(file))


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


class Pretended(Bench):
    """Measures nothing: `instructions` are those of a network with an engine; where there are none, it crashed."""

    instructions: dict[tuple[str, str], int]

    def _measure(self, bench: Any, *_: object) -> None:
        key = bench.subject.name, bench.engine.name
        if key not in self.instructions:
            raise DeviceError("it crashed")
        count = self.instructions[key]
        latency = {"unit": "instructions", "invoke": [[count, 1]], "prepare": [], "window": []}
        self._report(bench, ANSWERS, "passed", measured=[Contribution(latency=latency)])  # type: ignore[typeddict-item]
        if count == 77:
            raise DeviceError("it crashed later")


def pretended_session(tmp_path: Path) -> Session:
    engines = [SimpleNamespace(name=name, compiles=name == "aot") for name in ("aot", "tflm")]
    session = SimpleNamespace(
        engines=engines,
        targets=[SimpleNamespace(name="stm32f4")],
        toolchain={},
        missing_engines={},
        board=SimpleNamespace(name="emulated", emulator="qemu 7"),
        options=SimpleNamespace(root=tmp_path),
    )
    return cast(Session, session)


def test_one_failure_and_a_slow_engine_hold_up_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    instructions = {("a", "aot"): 10, ("c", "aot"): 30, ("a", "tflm"): 20, ("b", "tflm"): 77, ("c", "tflm"): 20}
    monkeypatch.setattr(Pretended, "instructions", instructions, raising=False)
    subjects = [file_subject(network(tmp_path / f"{name}.tflite", (4, 8))) for name in "abc"]
    said: list[str] = []
    bench = Pretended(pretended_session(tmp_path), subjects)
    assert {run.verdict for run in bench.results.runs} == {"incomplete"}, "their turn has not come"
    found = [(run.model, run.engine) for run in bench.measure(tmp_path, said.append)]
    assert found == [(name, engine) for engine in ("aot", "tflm") for name in "abc"]
    assert said[3] == "a with tflm (4 of 6)"
    runs = {(run.model, run.engine): run for run in bench.results.runs}
    assert {key for key, run in runs.items() if run.verdict == "pass"} == {("a", "aot"), ("a", "tflm"), ("c", "tflm")}
    assert [case.reason for case in runs["b", "aot"].tests] == ["it crashed"]
    assert runs["b", "tflm"].failures == [GOALS]
    assert runs["c", "aot"].failures == ["c: instructions, aot against tflm"]
    assert [goal.met for key in ("a", "c") for goal in runs[key, "aot"].bench.goals] == [True, False]  # type: ignore[union-attr]


def test_networks_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = [tmp_path / folder / "net.tflite" for folder in "abc"]
    for file in files:
        file.parent.mkdir()
        network(file, (4, 8))
    subjects = choose(tmp_path, [], files, False)
    assert names(subjects) == [subject.model.name for subject in subjects] == ["net", "net_2", "net_3"]


def test_a_goal_of_the_set_is_instructions_a_unit() -> None:
    (goal,) = goals.per_unit(measured("x", "aot", (500, 3, 2, 4, 15, 6, 7), work=100), 4.0)
    assert (goal.measured, goal.limit, goal.ratio, goal.met) == ("5.00", "at most 4", 1.25, False)


class Streaming:
    """A device whose link takes so many windows a second, another rate each time."""

    def __init__(self, link: str, *rates: float) -> None:
        self.board = SimpleNamespace(link=link)
        self.firmware = SimpleNamespace(name="m-int8")
        self._rates = list(rates)

    def stream(self, recordings: Sequence[Recording]) -> object:
        windows = 10 * len(recordings)
        seconds = windows / self._rates.pop(0)
        return SimpleNamespace(invoke=[0] * windows, traffic=SimpleNamespace(seconds=seconds))


def test_links_are_compared_in_turns_and_the_middle_one_counts() -> None:
    recordings = [Recording(name, Path("x.csv"), None, np.zeros((9, 1), np.int16), None, 1.0) for name in "ab"]
    rings: Any = Streaming("rtt", 3000, 300, 1900, 3000, 3000)
    uart: Any = Streaming("uart", 100, 100, 100, 300, 300)
    ratio, fastest = goals.links(rings, uart, recordings)
    assert (ratio.what, ratio.measured) == ("m-int8: windows/s over rtt / over uart", "10.0 (3,000 / 300)")
    assert (round(ratio.ratio, 3), ratio.met) == (0.667, False)
    assert (fastest.measured, fastest.met) == ("3,000", True)


def network(path: Path, shape: Sequence[int]) -> Path:
    tensors = [
        TensorSpec((1, shape[1]), FLOAT32),
        TensorSpec(shape, FLOAT32, data=np.ones(shape, np.float32)),
        TensorSpec((1, shape[0]), FLOAT32),
    ]
    path.write_bytes(build(tensors, [OperatorSpec("FULLY_CONNECTED", [0, 1], [2])], [0], [2]))
    return path


@pytest.mark.nightly  # one of its networks is large
@needs_emulator
def test_networks_without_a_manifest_are_measured_against_upstream(tmp_path: Path) -> None:
    options = Options(
        root=ROOT,
        boards=("emulated",),
        emulator="auto",
        targets=("stm32f4",),
        engine="aot",
        models=(),
        report_dir=tmp_path,
        baseline_dir=None,
        update_baseline=False,
        flash=Flash.AUTO,
        trace=False,
        coverage=False,
    )
    session = Session(options)
    # Named like a published network, whose figures it must meet.
    small, large = network(tmp_path / "ad01_int8.tflite", (4, 8)), network(tmp_path / "large.tflite", (400, 1000))
    bench = Bench(session, [file_subject(small), file_subject(large)])
    assert len(list(bench.measure(tmp_path / "run"))) == 2
    run, refused = bench.results.runs
    assert (run.network, run.engine, run.target, run.verdict) == ("ad01_int8", "aot", "stm32f4", "pass")
    assert run.firmware is not None
    assert run.latency is not None
    assert run.parity is not None
    assert run.bench is not None
    assert run.firmware.arena_bytes == 48
    assert 50 < run.latency.max < 1000
    assert run.parity.bit_exact
    assert run.firmware.arena_bytes < run.firmware.ram_bytes < 2000
    found = {goal.what.removeprefix("ad01_int8: "): goal for goal in run.bench.goals}
    assert all(goal.met for goal in found.values())
    upstream = CMSIS_NN["ad01_int8"]
    assert {what: goal.ratio for what, goal in found.items()} == {
        "arena / most tensor bytes alive at a step": 48 / (1.1 * 48),
        "instructions against TFLM with CMSIS-NN": run.latency.max / upstream.instructions,
        "flash without model against TFLM with CMSIS-NN": run.firmware.code_bytes / (0.5 * upstream.flash),
        "arena against TFLM with CMSIS-NN": 48 / (0.8 * upstream.arena),
    }
    assert [case.id for case in run.tests] == [ANSWERS, *(goal.what for goal in run.bench.goals)]
    assert (refused.network, refused.verdict, refused.firmware) == ("large", "fail", None)
    assert "exceeds FLASH by" in str(refused.tests[0].reason)
    again = msgspec.json.decode(msgspec.json.encode(bench.results), type=Results)
    assert again == bench.results
