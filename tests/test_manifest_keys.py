"""The message about a misplaced key says where it belongs, the one about a misspelt key what was meant."""

from __future__ import annotations

import re
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.manifests import MANIFEST, write_model
from tflm_hil.boards.board_file import BoardFile, BoardTable, PowerSwitch
from tflm_hil.configuration import ApplicationTable, ConfigurationTable
from tflm_hil.errors import HilError
from tflm_hil.manifest_keys import FLASH_METHODS, SCHEMAS, TABLES
from tflm_hil.models import manifest as models
from tflm_hil.models.output import OutputTable
from tflm_hil.recordings import manifest as recordings
from tflm_hil.recordings.channel import Channel
from tflm_hil.targets.emulation import Peripheral, Qemu, Renode
from tflm_hil.targets.flash import FlashSettings
from tflm_hil.targets.target import Build, Region, Sensor, TargetFile, Uart
from tflm_hil.toml_file import fit, read_toml

KINDS: dict[str, dict[str, Any]] = {
    "model.toml": {
        "$": models._ModelFile,
        "$.channels[]": Channel,
        "$.output": OutputTable,
        "$.skip[]": models.Skip,
        "$.variants[]": models._VariantTable,
        "$.variants[].budgets[][]": models.Budget,
    },
    "hil.toml": {"$": ConfigurationTable, "$.application": ApplicationTable},
    "target file": {
        "$": TargetFile,
        "$.memory[]": Region,
        "$.uart": Uart,
        "$.build": Build,
        "$.sensor": Sensor,
        "$.qemu": Qemu,
        "$.renode": Renode,
        "$.renode.peripherals[]": Peripheral,
        "$.flash": FlashSettings,
    },
    "hil-boards.toml": {
        "$": BoardFile,
        "$.boards[]": BoardTable,
        "$.boards[].flash": FlashSettings,
        "$.boards[].power": PowerSwitch,
    },
    "recordings.toml": {
        "$": recordings.Manifest,
        "$.sensor": recordings.Sensor,
        "$.files[]": recordings.Files,
        "$.columns[]": recordings.Column,
    },
}


def test_the_table_of_keys_is_what_manifests_take() -> None:
    taken = {
        file: {
            table: {
                field.encode_name
                # A table with a form for each method has the keys of all, and that of the method.
                for form in typing.get_args(kind) or [kind]
                for field in msgspec.structs.fields(form)
            }
            | ({"method"} if typing.get_args(kind) else set())
            for table, kind in tables.items()
        }
        for file, tables in KINDS.items()
    }
    assert {file: {table: set(keys) for table, (_, keys) in tables.items()} for file, tables in TABLES.items()} == taken


def test_a_method_that_is_none_is_told_with_all_there_are() -> None:
    assert set(FLASH_METHODS) == {form.__struct_config__.tag for form in typing.get_args(FlashSettings)}
    for table in ({"method": "jtag"}, {"timeout_s": 1}):
        with pytest.raises(HilError) as raised:
            fit("t.toml", "target file", {"flash": table}, msgspec.defstruct("T", [("flash", FlashSettings)]))
        assert str(raised.value).endswith("choose method copy, custom, gdb, openocd, platformio, pyocd or st-flash")


PAGES = {
    "model.toml": "add-your-own-model.md",
    "recordings.toml": "add-your-own-model.md",
    "hil.toml": "in-your-own-repository.md",
    "target file": "add-your-own-target.md",
    "hil-boards.toml": "boards.md",
}
FLASHING = "boards.md"


@pytest.mark.parametrize(
    ("page", "key"),
    sorted(
        {
            (FLASHING if table.endswith(".flash") else PAGES[file], key)
            for file, tables in TABLES.items()
            for table, (_, keys) in tables.items()
            for key in keys
        }
    ),
)
def test_every_key_is_documented(page: str, key: str) -> None:
    guide = (Path(__file__).parents[1] / "docs" / page).read_text(encoding="utf-8")
    assert re.search(rf"\b{key}\b", guide)


@pytest.mark.parametrize("file", KINDS)
def test_the_schema_in_a_remedy_is_the_one_that_is_read(file: str) -> None:
    msgspec.convert({"schema": SCHEMAS[file]}, msgspec.defstruct("_", [("schema", _schema(KINDS[file]["$"]))]))


def _schema(kind: type) -> object:
    return next(field.type for field in msgspec.structs.fields(kind) if field.name == "schema")


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("model.toml", 'schema = "hil-model/2"', "this version of tflm-hil reads hil-model/1; upgrade it: pip"),
        ("model.toml", 'schema = "hil-model/0"', 'write schema = "hil-model/1"'),
        ("model.toml", 'schema = "hil-recordings/1"', 'write schema = "hil-model/1"'),
        ("model.toml", "", 'write schema = "hil-model/1"'),
        ("hil.toml", 'schema = "hil-project/10"', "this version of tflm-hil reads hil-project/1; upgrade it: pip"),
        ("recordings.toml", "schema = 1", "correct that key"),
    ],
)
def test_a_wrong_schema_is_refused(tmp_path: Path, file: str, line: str, said: str) -> None:
    (tmp_path / file).write_text(line + "\n")
    with pytest.raises(HilError) as raised:
        read_toml(tmp_path / file, KINDS[file]["$"])
    assert f"; {said}" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "[variants.int8]",
            '[variants.int8]\nlabels = ["up"]',
            "field `labels` - at `$.variants.int8`; it belongs at the top of model.toml, before its",
        ),
        (
            "lsb_per_unit = 8192",
            "lsb_per_unit = 8192\nsample_rate_hz = 50",
            "; it belongs at the top of model.toml, before its first table",
        ),
        (
            "stride = 5",
            "stride = 5\ninstructions = 9",
            "; it belongs in [variants.NAME.budgets.TARGET.ENGINE] of model.toml",
        ),
        ("[variants.int8]", "[variants.int8]\naccuracy = 0.9", "; it belongs in [variants.NAME.budgets.TARGET.ENGINE]"),
        (
            "[variants.int8.budgets.stm32f4.aot]",
            "[variants.int8.budgets]",
            "; put the limits into one table per target and engine, such as [variants.int8.budgets.stm32f4.aot]",
        ),
        ("stride = 5", 'stride = 5\nlabel_column = "gesture"', "; it belongs in [[files]] of recordings.toml"),
        ("stride = 5", "stride = 5\nsensor = 'MPU6050'", "; it belongs in [[channels]] of model.toml"),
        ("stride = 5", "stride = 5\nthreshold = 0.5", "; it belongs in [output] of model.toml"),
        ("stride = 5", "stride = 5\nlable = 5", "; did you mean labels?"),
        ("flash_bytes", "flash_byte", "; did you mean flash_bytes?"),
        (
            "stride = 5",
            "stride = 5\naccuracy_dropp = 5",
            "; did you mean accuracy_drop, which belongs in [variants.NAME.budgets",
        ),
        (
            "maximum = 4",
            "maximum = 4\nzzz = 1",
            "; the keys here are lsb_per_unit, maximum, mean, minimum, name, normalize, range",
        ),
    ],
)
def test_where_a_key_of_a_model_belongs(tmp_path: Path, old: str, new: str, said: str) -> None:
    directory = write_model(tmp_path, MANIFEST.replace(old, new))
    with pytest.raises(HilError) as raised:
        models.load_model(directory, tmp_path)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('window = 30\n[[files]]\npath = "a.csv"', "; it belongs at the top of model.toml, before its first table"),
        (
            '[[files]]\npath = "a.csv"\ntime_column = "t"',
            "; it belongs at the top of recordings.toml, before its first",
        ),
        ('label = "a"\n[[files]]\npath = "a.csv"', "; it belongs in [[files]] of recordings.toml"),
        ('[[files]]\nfile = "a.csv"\npath = "a.csv"', "; it belongs in [variants.NAME] of model.toml"),
        ('[[files]]\npath = "a.csv"\nlabel_colum = "a"', "; did you mean label_column?"),
    ],
)
def test_where_a_key_of_recordings_belongs(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "recordings.toml").write_text(f'schema = "hil-recordings/1"\nsample_rate_hz = 50\n{text}\n')
    with pytest.raises(HilError) as raised:
        recordings.load_manifest(tmp_path)
    assert said in str(raised.value)
