"""Where a project is, what it says of itself, and what is said of one that contradicts itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tflm_hil.configuration import find_project, load_configuration
from tflm_hil.errors import HilError

SCHEMA = 'schema = "hil-project/1"\n'
TABLE = f"[tool.tflm-hil]\n{SCHEMA}"


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


@pytest.mark.parametrize("files", [{"hil_toml": SCHEMA}, {"pyproject_toml": TABLE}, {"platformio_ini": ""}])
def test_a_project_is_found_from_below(tmp_path: Path, files: dict[str, str]) -> None:
    root, below = write(tmp_path / "root", **files), write(tmp_path / "root" / "a" / "b")
    assert find_project(below) == find_project(root) == root


def test_what_is_configured_comes_before_what_is_near(tmp_path: Path) -> None:
    """A repository with its firmware in a folder of its own."""
    root = write(tmp_path, hil_toml=SCHEMA)
    assert find_project(write(tmp_path / "firmware", platformio_ini="")) == root
    assert find_project(write(tmp_path / "tool", pyproject_toml="[tool.other]\n")) == root
    nested = write(tmp_path / "nested", pyproject_toml=TABLE)
    assert find_project(nested) == nested


def test_where_there_is_no_project_the_way_to_one_is_said(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml='[project]\nname = "x"\n')
    with pytest.raises(HilError, match=r"no hil\.toml, .* here or in a folder above; `hil init` makes a project"):
        find_project(tmp_path)


def test_without_a_configuration_everything_has_its_default_place(tmp_path: Path) -> None:
    found = load_configuration(write(tmp_path, platformio_ini=""))
    assert found.file is None
    assert (found.models, found.recordings) == (tmp_path / "models", tmp_path / "recordings")
    assert (found.targets, found.application) == (tmp_path / "targets", None)
    assert (found.default_target, found.default_engine) == (None, None)


APPLICATION = 'target = "uno"\nmodel = "m"\nvariant = "int8"\nelf = "a.elf"\n'
KEYS = 'models = "hil/models"\nrecordings = "../data"\ntargets = "hil/targets"\ndefault_target = "nrf51"\n'


@pytest.mark.parametrize(
    "files",
    [
        {"hil_toml": f"{SCHEMA}{KEYS}[application]\n{APPLICATION}"},
        {"pyproject_toml": f"{TABLE}{KEYS}[tool.tflm-hil.application]\n{APPLICATION}"},
    ],
)
def test_both_files_say_the_same_in_the_same_words(tmp_path: Path, files: dict[str, str]) -> None:
    root = write(tmp_path / "root", **files)
    found = load_configuration(root)
    assert found.models == root / "hil" / "models"
    assert found.recordings.resolve() == tmp_path / "data"
    assert found.targets == root / "hil" / "targets"
    assert found.default_target == "nrf51"
    assert found.application is not None
    assert (found.application.target, found.application.elf) == ("uno", "a.elf")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"hil_toml": SCHEMA, "pyproject_toml": TABLE}, r"hil.toml and \[tool.tflm-hil\] of .*pyproject.toml both"),
        ({"hil_toml": "", "pyproject_toml": "[tool.tflm-hil]\n"}, r"hil.toml and \[tool.tflm-hil\] of .* both"),
        ({"hil_toml": ""}, "hil.toml: .* missing required field `schema`; write schema = "),
        ({"pyproject_toml": "[tool.tflm-hil]\n"}, r"pyproject.toml: \[tool.tflm-hil\]: .* `schema`; write schema = "),
        ({"pyproject_toml": "[tool]\ntflm-hil = 1\n"}, r"\[tool.tflm-hil\]: Expected `object`, got `int`"),
        ({"pyproject_toml": "[tool.tflm_hil]\n"}, r"\[tool.tflm_hil\] is nobody's table; call it \[tool.tflm-hil\]"),
        ({"pyproject_toml": "[tool.TFLM-HIL.application]\n"}, r"\[tool.TFLM-HIL\] is nobody's table"),
        ({"hil_toml": f"{SCHEMA}x"}, "hil.toml: is not TOML: .*; correct that line"),
        ({"pyproject_toml": "[tool"}, "pyproject.toml: is not TOML: .*; correct that line"),
        ({"hil_toml": f'{SCHEMA}model = "m"\n'}, r"`model`; it belongs in \[application\] of hil.toml"),
        ({"hil_toml": f"{SCHEMA}window = 3\n"}, "`window`; it belongs at the top of model.toml"),
        ({"hil_toml": f'{SCHEMA}modls = "m"\n'}, "`modls`; did you mean models?"),
        ({"pyproject_toml": f'{TABLE}default_targets = "m"\n'}, "`default_targets`; did you mean default_target?"),
        ({"hil_toml": f"{SCHEMA}models = 2026-11-27\n"}, r"Expected `str`, got `date` - at `\$.models`"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_file(tmp_path: Path, files: dict[str, str], said: str) -> None:
    root = write(tmp_path, **files)
    with pytest.raises(HilError) as raised:
        load_configuration(root)
    assert re.search(said, str(raised.value))
    assert str(tmp_path) in str(raised.value)
    assert "\n" not in str(raised.value)
