"""The array is the file, for C and for C++."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.compiler_helpers import ROOT, needs_gcc
from tflm_hil.commands.export.array import array_files
from tflm_hil.commands.export.names import identifier

MAIN = """
#include "gesture_int8_tflite.h"
#include <cstdint>
#include <cstdio>
int main() {
    if ((std::uintptr_t)gesture_int8_tflite % 16 != 0 || sizeof gesture_int8_tflite != gesture_int8_tflite_len) {
        return 1;
    }
    std::fwrite(gesture_int8_tflite, 1, gesture_int8_tflite_len, stdout);
    std::fputs(GESTURE_INT8_TFLITE_SHA256, stderr);
}
"""


@needs_gcc
@pytest.mark.parametrize("compiler", [["gcc", "-std=c11"], ["g++", "-std=c++11", "-x", "c++"]])
def test_bytes_length_and_digest_are_those_of_the_file(tmp_path: Path, compiler: list[str]) -> None:
    path = ROOT / "models" / "gesture" / "gesture_int8.tflite"
    files = array_files(path.name, path.read_bytes())
    assert sorted(files) == ["gesture_int8_tflite.c", "gesture_int8_tflite.h"]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "main.cpp").write_text(MAIN)
    strict = ["-Wall", "-Wextra", "-Werror"]
    subprocess.run([*compiler, *strict, "-c", "gesture_int8_tflite.c"], cwd=tmp_path, check=True)
    subprocess.run(["g++", *strict, "main.cpp", "gesture_int8_tflite.o", "-o", "program"], cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "program"], capture_output=True, check=True)
    assert done.stdout == path.read_bytes()
    assert done.stderr.decode() == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("gesture_int8.tflite", "gesture_int8_tflite"),
        ("my-model 2", "my_model_2"),
        ("2nd", "model_2nd"),
        ("__init", "init"),
        ("Größe", "gr_e"),
        ("", "model"),
        ("手", "model"),
        ("windowing", "model_windowing"),  # has functions of its own
    ],
)
def test_a_name_becomes_an_identifier(name: str, made: str) -> None:
    assert identifier(name) == made


@given(st.text())
def test_any_name_becomes_an_identifier_that_stays(name: str) -> None:
    made = identifier(name)
    assert made.isidentifier()
    assert made.isascii()
    assert not made.startswith("_")
    assert identifier(made) == made
