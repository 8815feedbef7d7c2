"""The lines of a manifest, which messages and annotations of CI servers point at."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflm_hil.errors import HilError
from tflm_hil.toml_file import decode_toml, line_of

MANIFEST = '''\
# fail_on = ["a comment"]
name = "wave"
fail_on = [  # the first
    "latency.median>+3%",
    "firmware.flash_bytes>+512",
]
description = """
[variants.int8]
file = "not a table"
"""

[[channels]]
name = "aX"

[variants."int8"]   # quoted
file = "wave.tflite"
fail_on = ["latency.max>+0"]
[variants.int8.budgets.stm32f4]
aot = { instructions = 16000 }
tflm.flash_bytes = 9
[variants.float32]
file = "wave.tflite"
'''


@pytest.mark.parametrize(
    ("keys", "item", "line"),
    [
        (["name"], "", 2),
        (["fail_on"], "", 3),
        (["fail_on"], "latency.median>+3%", 4),
        (["fail_on"], "firmware.flash_bytes>+512", 5),
        (["fail_on"], "written otherwise", 3),
        (["description"], "", 7),
        (["variants", "int8"], "", 15),
        (["variants", "int8", "file"], "", 16),
        (["variants", "int8", "fail_on"], "latency.max>+0", 17),
        (["variants", "int8", "budgets", "stm32f4", "aot", "instructions"], "", 19),
        (["variants", "int8", "budgets", "stm32f4", "tflm", "flash_bytes"], "", 20),
        (["variants", "float32", "file"], "", 22),
        (["variants", "int16", "file"], "", 1),
        (["file"], "", 1),
    ],
)
def test_a_key_is_found_where_it_is_set(tmp_path: Path, keys: list[str], item: str, line: int) -> None:
    path = tmp_path / "model.toml"
    path.write_text(MANIFEST)
    assert line_of(path, keys, item) == line


def test_a_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text("name = ")
    with pytest.raises(HilError, match=r"model\.toml: is not TOML"):
        line_of(tmp_path / "model.toml", ["name"])


def test_a_byte_order_mark_is_told_because_nobody_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    path.write_text("x = 1", encoding="utf-8-sig")
    with pytest.raises(HilError, match=r"model\.toml: begins with a byte order mark; save it as UTF-8 without one$"):
        decode_toml(path)


NAMES = st.sampled_from("abcd")


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, st.integers(0, 9), min_size=1), min_size=1), st.data())
def test_the_line_that_is_found_sets_the_key(
    tmp_path_factory: pytest.TempPathFactory, tables: dict[str, dict[str, int]], data: Any
) -> None:
    blank = st.sampled_from(["", "\n", "# [a]\n", "# a = 1\n"])
    lines = [
        data.draw(blank) + line
        for table, values in tables.items()
        for line in (f"[{table}]\n", *(f"{key} = {value}\n" for key, value in values.items()))
    ]
    path = tmp_path_factory.mktemp("manifest") / "model.toml"
    path.write_text("".join(lines))
    for table, values in tables.items():
        for key, value in values.items():
            found = path.read_text().splitlines()[line_of(path, [table, key]) - 1]
            assert tomllib.loads(found) == {key: value}


@pytest.mark.parametrize("value", ["[" * 20_000, "9" * 5000], ids=["deep", "long"])
def test_a_value_that_python_does_not_take_is_one_line(tmp_path: Path, value: str) -> None:
    path = tmp_path / "model.toml"
    path.write_text(f"x = {value}")
    with pytest.raises(HilError, match=r"^[^\n]*model\.toml: cannot be read: [^\n]*; shorten it$"):
        decode_toml(path)
