"""`hil report --paper`: what training and quantization measured, and a committed page that is not out of date."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from support.hil_command import ROOT, hil
from tflm_hil.report.paper import file_sizes, published
from tflm_hil.report.paper.charts import Bar, Series, bars, lines
from tflm_hil.report.paper.figures import FILE, load
from tflm_hil.report.paper.page import files

DOCS = ROOT / "docs"
SVG = "{http://www.w3.org/2000/svg}"

MODEL = """
schema = "hil-model/1"
name = "mine"
labels = ["wave", "idle"]
window = 4
stride = 2
sample_rate_hz = 50.0
recordings = "mine"
channels = [
    {name = "aX", unit = "g", lsb_per_unit = 8192.0, minimum = -4.0, maximum = 4.0},
    {name = "gX", unit = "dps", lsb_per_unit = 16.4, minimum = -2000.0, maximum = 2000.0},
]
[variants.float32]
file = "mine_float32.tflite"
"""

ROWS = "aX,gX,label\n" + "".join(f"{at / 8},{100 * at},{'idle' if at < 6 else 'wave'}\n" for at in range(16))


PRUNING = [{"share": 0.5, "units": [25, 8], "parameters": 600, "bytes": 1900, "accuracy": 0.75, "cross_entropy": 0.5}]


def training(**other: Any) -> dict[str, Any]:
    return {
        "schema": "hil-training/1", "model": "mine", "arch": "cnn", "seed": 7, "epochs": 3, "best_epoch": 3,
        "keras_sha256": "", "parameters": 1234,
        "tensorflow": "2.99", "labels": ["wave", "idle"], "window": 4, "stride": 2, "recordings": "recordings/mine",
        "files": {"mine.keras": 5000}, "split": {"training": ["a/000", "a/001"], "validation": ["a/002"]},
        "windows": {"training": 1500, "validation": 9}, "confusion": [[4, 1], [0, 4]],
        "history": {"loss": [0.9, 0.5, 0.25], "accuracy": [0.5, 0.75, 0.875], "val_loss": [1.0, 0.6, 0.3],
                    "val_accuracy": [0.5, 0.6, 0.8889]},
        "accuracy": {"training": 0.98765, "validation": 0.88889},
        "cross_entropy": {"training": 0.1, "validation": 0.31415926},
    } | other  # fmt: skip


def quantization(names: tuple[str, ...] = ("float32", "dynamic", "int8")) -> dict[str, Any]:
    variants = [
        {"name": name, "file": f"mine_{name}.tflite", "bytes": 4000 - 1000 * at, "accuracy": 0.875,
         "cross_entropy": 0.31 + 0.01 * at, "agreement": 0.75, "runtime": "TFLM",
         "engines": {"aot": None, "tflm": "says no"}}
        for at, name in enumerate(names)
    ]  # fmt: skip
    return {
        "schema": "hil-quantization/1",
        "model": "mine",
        "keras_bytes": 5000,
        "variants": variants,
        "pruning": PRUNING,
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose model was trained and quantized, as it says."""
    (tmp_path / "hil.toml").write_text('schema = "hil-project/1"\n')
    model, recordings = tmp_path / "models" / "mine", tmp_path / "recordings" / "mine"
    model.mkdir(parents=True)
    recordings.mkdir(parents=True)
    (model / "model.toml").write_text(MODEL)
    (model / "mine_float32.tflite").write_bytes(b"")
    (model / "training.json").write_text(json.dumps(training()))
    (model / "quantization.json").write_text(json.dumps(quantization()))
    (recordings / "long.csv").write_text(ROWS)
    (recordings / "recordings.toml").write_text(
        'schema = "hil-recordings/1"\nsample_rate_hz = 50.0\n[[files]]\npath = "long.csv"\nlabel_column = "label"\n'
    )
    return tmp_path


def test_the_committed_page_is_drawn_from_the_figures_beside_it() -> None:
    drawn = files(load(DOCS / FILE))
    outdated = [name for name, text in drawn.items() if (DOCS / name).read_text(encoding="utf-8") != text]
    assert not outdated, "draw them again: make docs"
    assert sorted(path.name for path in (DOCS / "images" / "paper").iterdir()) == [
        f"figure-{number}.svg" for number in (1, 2, 4, 5, 6, 7)
    ]


def test_the_committed_run_is_of_the_paper_s_network() -> None:
    paper = load(DOCS / FILE)
    assert (paper.parameters, paper.inputs, paper.labels) == (published.PARAMETERS, 180, ["punch", "flex"])
    assert len(paper.history.loss) == paper.epochs


def test_the_page_has_our_numbers_beside_those_of_the_paper(project: Path) -> None:
    done = hil("report", "--paper", "mine", "--out", "out", cwd=project)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "report: out/paper.md\n")
    page = (project / "out" / "paper.md").read_text()
    for row in (
        "| parameters | 9,847 | 1,234 |",
        "| accuracy in validation | 0.9167 | 0.8889 |",
        "| size before | 113 kB | 5,000 B | 5,000 B |",
        "| size after | 14,008 B | 3,000 B | 2,000 B |",
        "| after, of before | 12.4% | 60.0% | 40.0% |",
        "| mean cross-entropy before | 0.23845186 | 0.31415926 | 0.31415926 |",
        "| mean cross-entropy after | 0.23622063 | 0.32000000 | 0.33000000 |",
        "| 50.0% | 25, 8 | 600 | 1,900 | 0.7500 | 0.50000000 |",
        "| `int8` | 2,000 | 0.8750 | 0.33000000 | 75.0% |",
    ):
        assert row in page.splitlines()
    for words in ("ours has 8 inputs and 2 labels, and is another network", "1,500 windows of 2 recordings",
                  "Ours rises by 0.0058 with integer weights"):  # fmt: skip
        assert words in page
    assert "simulated" not in page  # nobody said so of these recordings
    rendered = MarkdownIt("commonmark").enable("table").render(page)
    pictures = re.findall(r'<img src="([^"]+)"', rendered)
    assert len(pictures) == 6
    for picture in pictures:
        ElementTree.parse(project / "out" / picture)


def test_the_gesture_is_a_window_of_its_label_in_real_units(project: Path) -> None:
    assert hil("report", "--paper", "mine", cwd=project).returncode == 0
    gesture = load(project / "reports" / "paper" / FILE).gesture
    assert (gesture.label, gesture.recording) == ("wave", "long")
    # The window from row 4 on has as many rows of the gesture as of the pause, so the one from row 6 on is the first.
    assert [trace.values for trace in gesture.traces] == [
        [0.75, 0.875, 1.0, 1.125],
        pytest.approx([600, 700, 800, 900], abs=0.5 / 16.4),
    ]


def test_without_a_second_unit_there_is_no_second_figure(project: Path) -> None:
    path = project / "models" / "mine" / "model.toml"
    path.write_text(re.sub(r'.*"dps".*\n', "", MODEL))
    assert hil("report", "--paper", "mine", "--out", "out", cwd=project).returncode == 0
    assert "figure-2.svg" not in (project / "out" / "paper.md").read_text()
    assert not (project / "out" / "images" / "paper" / "figure-2.svg").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("training.json", None, "{file}: is missing; run: hil train mine"),
        ("quantization.json", None, "{file}: is missing; run: hil quantize mine"),
        ("training.json", '{"schema": "hil-training/1"}', "{file}: cannot be read (Object missing"),
        ("training.json", json.dumps(training(parameters=0.5)), "{file}: cannot be read (Expected `int`"),
        ("training.json", json.dumps(training(history={})), "{file.parent}: its figures are wrong (Object missing"),
        ("training.json", json.dumps(training(files={"mine.keras": 1})), "{quantization}: is of an earlier network"),
        ("quantization.json", "{", "{file}: cannot be read (Input data was truncated); run again: hil quantize mine"),
        ("quantization.json", json.dumps(quantization(("int8",))), "mine has no variant dynamic; run: hil quantize"),
        ("model.toml", None, "--paper=mine: there is no {file}; run: hil train mine"),
        ("model.toml", MODEL.replace('"wave"', '"still"'), "{recordings}: no recording is of 'still', which Figures"),
    ],
)  # fmt: skip
def test_what_is_missing_is_one_line_with_the_command(
    project: Path, name: str, content: str | None, message: str
) -> None:
    file = project / "models" / "mine" / name
    file.unlink() if content is None else file.write_text(content)
    done = hil("report", "--paper", "mine", "--out", "out", cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "hil: "
        + message.format(
            file=file, quantization=file.with_name("quantization.json"), recordings=project / "recordings" / "mine"
        )
    )
    assert len(done.stderr.splitlines()) == 1
    assert not (project / "out").exists()


@pytest.mark.parametrize("arguments", [[], ["results.json", "--paper", "mine"]])
def test_either_results_or_a_model_is_named(project: Path, arguments: list[str]) -> None:
    done = hil("report", *arguments, cwd=project)
    assert done.returncode == 1
    assert done.stderr == (
        "hil: name either results.json files, or with --paper a model that was trained and quantized\n"
    )


def test_the_measured_sizes_bear_out_what_the_page_says() -> None:
    kinds = {version: dict(zip(file_sizes.KINDS, sizes, strict=True)) for version, sizes in file_sizes.BYTES.items()}
    the_papers = [version for version, sizes in kinds.items() if published.BYTES_AFTER in sizes.values()]
    assert the_papers == [file_sizes.AS_IN_THE_PAPER]
    assert kinds[the_papers[0]]["dynamic"] == published.BYTES_AFTER
    assert round((kinds[the_papers[0]]["h5_with_state"] or 0) / 1000) == published.BYTES_BEFORE / 1000
    for sizes in kinds.values():
        assert published.BYTES_AFTER < file_sizes.SMALLEST_FLOAT16 < (sizes["float16"] or 0)
        assert (sizes["int8"] or 0) < (sizes["dynamic"] or 0) < file_sizes.SMALLEST_FLOAT16


def test_lines_go_through_their_values() -> None:
    chart = ElementTree.fromstring(lines("t", "x", "y", [Series("one", [0.0, 1.0, 0.5]), Series("two", [1.0] * 3)]))
    paths = [path.get("d", "") for path in chart.iter(f"{SVG}path") if "L" in path.get("d", "")]
    (two, one) = ([tuple(map(float, point.split())) for point in path[1:].split("L")] for path in paths)
    assert [x for x, _ in one] == [x for x, _ in two]
    assert one[1][1] == two[1][1] < one[2][1] < one[0][1]
    assert one[2][1] == pytest.approx((one[0][1] + one[1][1]) / 2, abs=0.11)


def test_bars_are_as_long_as_their_values_and_names_stay_text() -> None:
    chart = ElementTree.fromstring(
        bars("<t>&\u202e", [Bar("<a>&\x07", 2.0, "2"), Bar("b", 1.0, "1"), Bar("c", 0.0, "0")])
    )
    widths = [float(rect.get("width", "")) for rect in chart.iter(f"{SVG}rect")][1:]
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.1)
    assert widths[2] == 1
    assert next(chart.iter(f"{SVG}text")).text == "<a>&\\x07"
    assert "\u202e" not in (next(chart.iter(f"{SVG}title")).text or "")
