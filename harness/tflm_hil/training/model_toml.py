"""Write model.toml: a new one, or what training adds to one that is there, whose other lines stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tomlkit
from tomlkit.items import AoT, Table

from tflm_hil.manifest_keys import SCHEMAS
from tflm_hil.models.manifest import Model


def new(model: Model, recordings: str, trained: str, variants: Mapping[str, str]) -> str:
    """Return model.toml of `model`; `recordings` is what it calls their folder, and `variants` are files by name."""
    document = tomlkit.document()
    document["schema"] = SCHEMAS["model.toml"]
    document["name"] = model.name
    document["description"] = model.description
    document["labels"] = list(model.labels)
    document["window"] = model.window
    document["stride"] = model.stride
    document["sample_rate_hz"] = model.sample_rate_hz
    document["recordings"] = recordings
    document["trained"] = trained
    channels: AoT = tomlkit.aot()
    for channel in model.channels:
        table = tomlkit.table()
        table.update(
            {
                "name": channel.name,
                "unit": channel.unit,
                "sensor": channel.sensor,
                "range": channel.range,
                "minimum": channel.minimum,
                "maximum": channel.maximum,
            }
        )
        channels.append(table)
    document["channels"] = channels
    return with_variants(tomlkit.dumps(document).rstrip() + "\n", variants)


def with_trained(text: str, trained: str) -> str:
    """Return the model.toml `text` with the key `trained`, if it has none."""
    document = tomlkit.parse(text)
    if "trained" not in document:
        lines = text.splitlines(keepends=True)
        # The key belongs before the first table; the first line that is no comment has the schema or another such key.
        at = next(number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#"))
        lines.insert(at, f"trained = {tomlkit.item(trained).as_string()}\n")
        return "".join(lines)
    return text


def with_variants(text: str, variants: Mapping[str, str]) -> str:
    """Return the model.toml `text` with [variants.NAME] for each file by name in `variants` that is not there yet."""
    document = tomlkit.parse(text)
    there = document.get("variants", {})
    added = tomlkit.document()
    tables = tomlkit.table(is_super_table=True)
    for name, file in variants.items():
        if name not in there:
            table: Table = tomlkit.table()
            table["file"] = file
            tables.append(name, table)
    if not tables:
        return text
    added["variants"] = tables
    return text.rstrip("\n") + "\n\n" + tomlkit.dumps(added).strip() + "\n"


def text(path: Path) -> str:
    """Return the content of the model.toml at `path`, with its line endings."""
    return path.read_bytes().decode()
