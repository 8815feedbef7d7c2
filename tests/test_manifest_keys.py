"""The message about a misplaced key says where it belongs, the one about a misspelt key what was meant."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from support.manifests import MANIFEST, write_model
from tflm_hil.errors import HilError
from tflm_hil.manifest_keys import TABLES
from tflm_hil.models import manifest as models
from tflm_hil.models.output import OutputTable
from tflm_hil.recordings import manifest as recordings
from tflm_hil.recordings.channel import Channel

KINDS: dict[str, dict[str, type]] = {
    "model.toml": {
        "$": models._ModelFile,
        "$.channels[]": Channel,
        "$.output": OutputTable,
        "$.skip[]": models.Skip,
        "$.variants[]": models._VariantTable,
        "$.variants[].budgets[][]": models.Budget,
    },
    "recordings.toml": {"$": recordings.Manifest, "$.files[]": recordings.Files, "$.columns[]": recordings.Column},
}


def test_the_table_of_keys_is_what_manifests_take() -> None:
    taken = {
        file: {table: {field.encode_name for field in msgspec.structs.fields(kind)} for table, kind in tables.items()}
        for file, tables in KINDS.items()
    }
    assert {file: {table: set(keys) for table, (_, keys) in tables.items()} for file, tables in TABLES.items()} == taken


@pytest.mark.parametrize(
    "key", sorted({key for tables in TABLES.values() for _, keys in tables.values() for key in keys})
)
def test_every_key_is_documented(key: str) -> None:
    guide = (Path(__file__).parents[1] / "docs" / "add-your-own-model.md").read_text(encoding="utf-8")
    assert key in guide


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "[variants.int8]",
            '[variants.int8]\nlabels = ["up"]',
            "field `labels` - at `$.variants[...]`; it belongs at the top of model.toml, before its",
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
