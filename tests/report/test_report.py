from __future__ import annotations

import json
from pathlib import Path

import pytest
from tflm_hil.checks.attribution import Step
from tflm_hil.errors import HilError
from tflm_hil.files import probe_folder, write_text
from tflm_hil.report.publish import publish
from tflm_hil.report.summary import summary_lines
from tflm_hil.report.text import shortened
from tflm_hil.results.judge import judge
from tflm_hil.results.merge import Planned, Report, Session, merge
from tflm_hil.results.model import Results, Run, load, save
from tflm_hil.results.parts import Contribution, RunKey, attribution_part, latency_part

KEY = RunKey(model="gesture", variant="int8", engine="aot", board="emulated", emulator="qemu 7.2", target="stm32f4")


def parity(windows: int, correct: int) -> Contribution:
    return Contribution(
        parity={
            "windows": windows,
            "label_mismatches": 0,
            "bit_exact": True,
            "max_abs_diff": 0.0,
            "max_ulp": 0,
            "labelled": windows,
            "correct_device": correct,
            "correct_reference": windows,
            "oracle": "tflite-micro 1",
            "confusions": [],
            "classes": [],
        },
    )


def attribution(lost: int) -> Contribution:
    trained = Step("float32 on LiteRT", 50, 40, 40, 0, 0, 0, 0.0)
    quantized = Step("int8 on LiteRT", 50, 40, 40, 2, 1, 1, 0.25)
    device = Step("int8 on the device", 50, 40, 40 - lost, lost + 2, lost, 0, 0.125 * lost)
    return Contribution(attribution=attribution_part([trained, quantized, device], ["a step is missing"]))


def footprint(flash: int = 20000, core: str = "Cortex-M4") -> Contribution:
    return Contribution(
        firmware={
            "elf_sha256": "00",
            "flash_bytes": flash,
            "ram_bytes": 1000,
            "uart_buffer_bytes": 2000,
            "arena_bytes": 500,
            "model_bytes": 10000,
            "sections": {".text": flash},
            "symbols": [{"name": "main", "section": ".text", "kind": "FUNC", "size": 40}],
            "core": core,
        },
        stack_peak_bytes=300,
    )


def latency(*counts: int) -> Contribution:
    return Contribution(latency=latency_part("instructions", counts, [5 for _ in counts]))


def ran(*contributions: Contribution, key: RunKey = KEY, failed: str | None = None) -> list[tuple[Planned, Report]]:
    """One test for each contribution, and one that fails for the reason `failed`."""
    tests: list[tuple[str, str, list[Contribution]]] = [
        (f"tests/t.py::t{number}", "passed", [part]) for number, part in enumerate(contributions)
    ]
    tests += [("tests/t.py::bad", "failed", [])] if failed else []
    return [
        (planned := Planned(key, name, "", True), Report(planned, 1, when, outcome, failed, "00", parts))
        for name, outcome, parts in tests
        for when, parts in (("call", parts), ("teardown", []))
    ]


def together(*tests: tuple[Planned, Report], compiler: str = "12.2") -> Results:
    session = Session(
        created="2026-01-01T00:00:00+00:00",
        code="0" * 40,
        git={"commit": "0" * 40, "branch": "main", "dirty": False},
        host={"system": "Linux", "python": "3.11"},
        toolchain={"arm-none-eabi-gcc": compiler},
        plan=[planned for planned, _ in tests],
        reports=[report for _, report in tests],
    )
    return judge(merge(None, session))


def results(*contributions: Contribution, compiler: str = "12.2") -> Results:
    return together(*ran(*contributions), compiler=compiler)


def test_tests_of_one_run_add_up() -> None:
    (run,) = results(parity(10, 9), parity(30, 27), latency(3, 1), latency(2), footprint()).runs
    assert run.parity is not None
    assert run.latency is not None
    assert run.firmware is not None
    assert (run.parity.windows, run.parity.accuracy_device, run.parity.accuracy_reference) == (40, 0.9, 1.0)
    assert (run.latency.count, run.latency.min, run.latency.median, run.latency.max) == (3, 1, 2, 3)
    assert run.firmware.stack_peak_bytes == 300
    assert run.verdict == "pass"


def test_runs_are_kept_apart_and_one_failing_test_fails_its_run_only() -> None:
    other = RunKey(**{**KEY, "variant": "float32"})
    runs = {run.name: run for run in together(*ran(parity(1, 1)), *ran(key=other, failed="too slow")).runs}
    assert runs["gesture-int8-aot-stm32f4"].verdict == "pass"
    assert runs["gesture-float32-aot-stm32f4"].verdict == "fail"
    assert runs["gesture-float32-aot-stm32f4"].failures == ["tests/t.py::bad"]


def test_contributions_survive_the_way_from_a_worker_process() -> None:
    contributions = [parity(10, 9), latency(3, 1, 1), attribution(1), footprint()]
    travelled = json.loads(json.dumps(contributions))
    assert results(*travelled) == results(*contributions)


def test_the_steps_from_training_to_the_device_add_up_step_by_step() -> None:
    (run,) = results(attribution(1), attribution(3)).runs
    assert run.attribution is not None
    trained, _, device = run.attribution.steps
    assert (trained.name, trained.windows, trained.labelled, trained.accuracy) == ("float32 on LiteRT", 100, 80, 1.0)
    assert (device.accuracy, device.label_changes, device.lost, device.gained) == (0.95, 8, 4, 0)
    assert device.max_abs_diff == 0.375
    assert run.attribution.notes == ["a step is missing"]


def test_accuracy_that_was_lost_is_said_in_the_report_and_on_the_terminal(tmp_path: Path) -> None:
    published = publish(results(parity(100, 95), attribution(1), attribution(3)), tmp_path)
    report = published.report.read_text()
    assert "| float32 on LiteRT | 100.0% | - | - | - | - |" in report
    assert "| int8 on the device | 95.0% | 8 | 4 | 0 | 0.375 |" in report
    assert "A step is missing.\n" in report
    assert "Of the 100 windows 80 have a label, and accuracy is that of those" in report
    (line,) = (line for line in summary_lines(published) if "accuracy falls" in line)
    assert "from 100.0% (float32 on LiteRT) to 95.0%" in line
    assert "most of all with int8 on the device: 4 windows lost, 0 gained" in line
    kept = publish(results(attribution(0)), tmp_path)
    assert not any("accuracy falls" in line for line in summary_lines(kept))


def test_results_come_back_from_disk_with_the_contracts_keys(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    written = results(parity(10, 9), latency(3), footprint())
    save(written, path)
    assert load(path) == written
    raw = json.loads(path.read_text())
    assert raw["schema"] == "hil-results/1"
    (run,) = raw["runs"]
    assert {"model", "variant", "engine", "board", "emulator", "target", "verdict"} <= set(run)
    assert {"windows", "label_mismatches", "bit_exact", "max_abs_diff", "oracle"} <= set(run["parity"])
    assert {"elf_sha256", "flash_bytes", "ram_bytes", "stack_peak_bytes", "sections"} <= set(run["firmware"])
    assert {"unit", "count", "min", "median", "p99", "max"} == set(run["latency"])


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "not a results file"), ('{"schema": 1}', "not a results file"), (None, "No such file")],
)
def test_a_broken_results_file_is_one_clear_line(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "results.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(HilError, match=message):
        load(path)


def test_reports_show_every_figure(tmp_path: Path) -> None:
    published = publish(results(parity(1234, 1234), latency(15000), footprint()), tmp_path)
    text = published.report.read_text()
    for figure in ("1,234", "15,000", "20,000", "bit-exact", "100.0%", "tflite-micro 1", "`main`"):
        assert figure in text
    table = "\n".join(summary_lines(published))
    for figure in ("gesture-int8-aot-stm32f4", "1,234", "15,000", "20,000", "100.0%", "pass"):
        assert figure in table


def stream(interrupts: int) -> Contribution:
    return Contribution(
        stream={"windows": 9, "bytes": 9, "seconds": 1.0, "retried": 0, "faults": 0, "interrupts": interrupts}
    )


def test_interrupts_are_told_where_latencies_are(tmp_path: Path) -> None:
    none = publish(results(latency(15000), stream(0)), tmp_path / "none")
    some = publish(results(latency(15000), stream(1200), stream(34)), tmp_path / "some")
    line = "1,234 receive interrupts came while something was measured; the time of the handler is taken out"
    assert some.results.runs[0].link is not None
    assert some.results.runs[0].link.interrupts == 1234
    after_the_table = some.report.read_text().split("| preparing the window |")[1]
    assert line in after_the_table.split("Streaming:")[0]
    assert line in "\n".join(summary_lines(some))
    assert "receive interrupt" not in "\n".join([none.report.read_text(), *summary_lines(none)])


def test_the_same_network_on_several_cores_is_shown_side_by_side(tmp_path: Path) -> None:
    def on(target: str, core: str, count: int) -> list[tuple[Planned, Report]]:
        return ran(latency(count), footprint(core=core), key=RunKey(**{**KEY, "target": target}))

    small, large, own = on("nrf51", "Cortex-M0", 9000), on("stm32f4", "Cortex-M4", 7000), on("a", "Cortex-M33", 6000)
    one = publish(together(*large), tmp_path).report.read_text()
    assert "side by side" not in one
    both = publish(together(*large, *own, *small), tmp_path).report.read_text()
    rows = [line for line in both.splitlines() if line.startswith("| gesture-int8-aot |")]
    assert rows == [
        "| gesture-int8-aot | nrf51 | Cortex-M0 | 9,000 instructions | 9,000 | 20,000 | 1,000 | 300 |",
        "| gesture-int8-aot | stm32f4 | Cortex-M4 | 7,000 instructions | 7,000 | 20,000 | 1,000 | 300 |",
        "| gesture-int8-aot | a | Cortex-M33 | 6,000 instructions | 6,000 | 20,000 | 1,000 | 300 |",
    ]


def test_a_run_that_measured_nothing_is_reported_as_such(tmp_path: Path) -> None:
    published = publish(together(*ran(failed="no network")), tmp_path)
    assert "**fail**" in published.report.read_text()
    assert "- no network\n  - `tests/t.py::bad`" in published.report.read_text()
    assert "fail" in "\n".join(summary_lines(published))


def test_a_file_that_cannot_be_written_leaves_the_old_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half of it \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_folder_that_is_a_file_is_found_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    with pytest.raises(HilError, match=r"reports: is a file, not a folder; choose a folder"):
        probe_folder(tmp_path / "reports")


def test_names_that_are_cut_stay_distinguishable() -> None:
    alike = [f"sequential/dense_{number}/MatMul;sequential/dense/BiasAdd" for number in (1, 2)]
    assert shortened([*alike, "short", alike[0]], 26) == [
        "sequenti../dense/BiasAdd~1",
        "sequenti../dense/BiasAdd~2",
        "short",
        "sequenti../dense/BiasAdd~1",
    ]
    assert shortened(["x" * 40, "x" * 40], 26) == ["xxxxxxxx..xxxxxxxxxxxxxxxx"] * 2


def test_a_table_cuts_no_name_however_long_it_is(tmp_path: Path) -> None:
    key = RunKey(**{**KEY, "model": "m" * 300})
    published = publish(together(*ran(footprint(), key=key)), tmp_path)
    assert any(line.startswith("m" * 300 + "-int8") for line in summary_lines(published))


def test_the_ram_that_a_chip_needs_is_told_and_what_it_is_made_of(tmp_path: Path) -> None:
    published = publish(results(footprint()), tmp_path)
    (run,) = published.results.runs
    assert run.firmware is not None
    assert run.firmware.ram_total_bytes == 1000 + 2000 + 300
    heading, row, *legend = summary_lines(published)
    assert heading.split()[-4:] == ["stack", "RAM", "total", "verdict"]
    assert row.split()[-2:] == ["3,300", "pass"]
    assert any("static RAM: .data and .bss, with the arena" in line for line in legend)
    assert "| 20,000 | 10,000 | 1,000 | 500 | 2,000 | 300 | 3,300 |" in published.report.read_text()


def test_run_names_are_what_tests_are_called() -> None:
    assert Run(**KEY, verdict="pass").name == "gesture-int8-aot-stm32f4"
