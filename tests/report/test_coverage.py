"""The files of coverage, as tools for coverage read them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tflm_hil.errors import HilError
from tflm_hil.firmware import line_table
from tflm_hil.report.coverage import COBERTURA, LCOV, write_coverage

NAMES = ("src/main.c", 'src/a & <b> "c".c', "lib/chip.h")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("int line;\n" * 9)
    lines = {tmp_path / name: {3 + number: True, 1: False, 9: number == 1} for number, name in enumerate(NAMES)}
    said = write_coverage(lines, tmp_path, tmp_path / "coverage")
    assert said.startswith("coverage: 4 of 9 lines of the firmware reached (44.4%): coverage.xml")
    return tmp_path / "coverage"


def test_gcovr_reads_the_cobertura_file(folder: Path) -> None:
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "gcovr",
        "--root",
        folder.parent,
        "--cobertura-add-tracefile",
        folder / COBERTURA,
    ]
    done = subprocess.run([*argv, "--json-pretty", "--json"], capture_output=True, text=True, check=True, cwd=folder)
    read = {
        file["file"]: {line["line_number"]: line["count"] for line in file["lines"]}
        for file in json.loads(done.stdout)["files"]
    }
    assert read == {name: {1: 0, 3 + number: 1, 9: int(number == 1)} for number, name in enumerate(NAMES)}


def test_the_lcov_file_has_a_record_for_each_source(folder: Path) -> None:
    first = (folder / LCOV).read_text().split("end_of_record\n")[0]
    assert first == "TN:\nSF:lib/chip.h\nDA:1,0\nDA:5,1\nDA:9,0\nLF:3\nLH:1\n"


def test_nothing_was_reached_where_nothing_ran(tmp_path: Path) -> None:
    assert write_coverage({}, tmp_path, tmp_path).startswith("coverage: 0 of 0 lines of the firmware reached (0.0%)")


def test_a_line_is_reached_if_it_was_on_any_board() -> None:
    lines: line_table.Lines = {"a.c": {1: False, 2: True}}
    line_table.merge(lines, {"a.c": {1: True, 2: False, 3: False}, "b.c": {1: False}})
    assert lines == {"a.c": {1: True, 2: True, 3: False}, "b.c": {1: False}}


def test_an_image_without_line_tables_is_told(tmp_path: Path) -> None:
    source, elf = tmp_path / "main.c", tmp_path / "program.elf"
    source.write_text("int main(void) { return 0; }")
    subprocess.run(["gcc", "-g0", "-c", source, "-o", elf], check=True)
    with pytest.raises(HilError, match=r"has no line tables, .*compile with -g1 or -g"):
        line_table.reached(elf, {0})
    elf.write_bytes(elf.read_bytes()[:100])
    with pytest.raises(HilError, match="line tables cannot be read"):
        line_table.reached(elf, {0})
