"""The keys of the manifests: where a misplaced key belongs, and what a misspelt one was meant to be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

FLASH_METHODS = ("copy", "custom", "gdb", "openocd", "platformio", "pyocd", "st-flash")
"""What `method` in [flash] may be."""
FLASH_KEYS = frozenset(
    {"method", "timeout_s", "probe", "server", "address", "config", "chip", "label", "path", "format"}
    | {"command", "reset"}
)
"""The keys of all methods."""

# For each manifest, its tables: the path as msgspec spells it (without numbers), where that is in words, and the keys.
TABLES: Mapping[str, Mapping[str, tuple[str, frozenset[str]]]] = {
    "model.toml": {
        "$": (
            "at the top of model.toml, before its first table",
            frozenset(
                {"schema", "name", "description", "labels", "window", "stride", "sample_rate_hz", "recordings"}
                | {"trained", "layout", "channels", "output", "skip", "variants", "fail_on"}
            ),
        ),
        "$.channels[]": (
            "in [[channels]] of model.toml",
            frozenset(
                {"name", "unit", "lsb_per_unit", "sensor", "range", "minimum", "maximum", "mean", "std", "normalize"}
            ),
        ),
        "$.output": ("in [output] of model.toml", frozenset({"kind", "threshold", "tolerance", "unit"})),
        "$.skip[]": ("in [[skip]] of model.toml", frozenset({"reason", "variant", "target", "engine"})),
        "$.variants[]": ("in [variants.NAME] of model.toml", frozenset({"file", "budgets", "fail_on"})),
        "$.variants[].budgets[][]": (
            "in [variants.NAME.budgets.TARGET.ENGINE] of model.toml",
            frozenset(
                {"instructions", "preparation", "window", "accuracy", "accuracy_drop"}
                | {"flash_bytes", "ram_bytes", "arena_bytes", "stack_bytes"}
            ),
        ),
    },
    "recordings.toml": {
        "$": (
            "at the top of recordings.toml, before its first table",
            frozenset(
                {"schema", "description", "sample_rate_hz", "simulated", "seed", "names", "time_column", "time_unit"}
                | {"files", "columns", "sensor"}
            ),
        ),
        "$.sensor": (
            "in [sensor] of recordings.toml",
            frozenset(
                {"name", "accelerometer_range_g", "gyroscope_range_dps", "offsets", "offsets_removed", "captured"}
            ),
        ),
        "$.files[]": (
            "in [[files]] of recordings.toml",
            frozenset({"path", "label", "label_column", "rows"}),
        ),
        "$.columns[]": ("in [columns.CHANNEL] of recordings.toml", frozenset({"name", "unit"})),
    },
    "target file": {
        "$": (
            "at the top of a target file, before its first table",
            frozenset(
                {"schema", "chip", "board", "core", "clock_hz", "memory", "uart", "build", "qemu", "renode"}
                | {"flash", "sensor"}
            ),
        ),
        "$.memory[]": ("in [memory.REGION] of a target file", frozenset({"origin", "size"})),
        "$.uart": ("in [uart] of a target file", frozenset({"baud", "tx", "rx", "dtr", "rts"})),
        "$.build": (
            "in [build] of a target file",
            frozenset({"flags", "parts", "stack", "credits", "defines"}),
        ),
        "$.qemu": (
            "in [qemu] of a target file",
            frozenset({"machine", "serial", "icount_shift", "counter_hz", "program", "loader", "resets"}),
        ),
        "$.renode": (
            "in [renode] of a target file",
            frozenset({"uart", "mips", "counter_hz", "base", "peripherals"}),
        ),
        "$.renode.peripherals[]": (
            "in [renode.peripherals.NAME] of a target file",
            frozenset({"model", "address", "irq", "properties"}),
        ),
        "$.sensor": ("in [sensor] of a target file", frozenset({"driver", "bus", "address", "scl", "sda"})),
        "$.flash": ("in [flash] of a target file", FLASH_KEYS),
    },
    "hil.toml": {
        "$": (
            "at the top of hil.toml, or in [tool.tflm-hil] of pyproject.toml",
            frozenset({"schema", "models", "recordings", "targets", "default_target", "default_engine", "application"}),
        ),
        "$.application": (
            "in [application] of hil.toml, or [tool.tflm-hil.application] of pyproject.toml",
            frozenset({"target", "model", "variant", "environment", "elf"}),
        ),
    },
    "hil-boards.toml": {
        "$": ("at the top of hil-boards.toml, before its first table", frozenset({"schema", "boards"})),
        "$.boards[]": (
            "in [boards.NAME] of hil-boards.toml",
            frozenset(
                {"port", "serial_number", "vid_pid", "location", "interface", "target", "baud", "dtr", "rts"}
                | {"rtt", "probe", "flash", "reset", "reset_command", "power"}
            ),
        ),
        "$.boards[].power": ("in [boards.NAME.power] of hil-boards.toml", frozenset({"off", "on"})),
        "$.boards[].flash": ("in [boards.NAME.flash] of hil-boards.toml", FLASH_KEYS),
    },
}

SCHEMAS = {
    "hil-boards.toml": "hil-boards/1",
    "hil.toml": "hil-project/1",
    "model.toml": "hil-model/1",
    "recordings.toml": "hil-recordings/1",
    "target file": "hil-target/1",
}
"""The key `schema` of each manifest: its kind, and the version that this harness reads."""

BUDGETS = re.compile(r"\$\.variants\[\]\.budgets(\[\])*")
_NO_SCHEMA = "Object missing required field `schema`"
_OTHER_SCHEMA = re.compile(r"Invalid enum value '(?P<kind>.*)/(?P<version>\d+)' - at `\$\.schema`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*?)`(?: - at `(?P<path>.*)`)?", re.DOTALL)
_METHOD = re.compile(r".* - at `.*\.flash(?P<key>\.method)?`")
_SHARE = re.compile(r"budgets\[\.\.\.\]\[\.\.\.\]\.accuracy(_drop)?`")
_NO_TABLE = re.compile(r"Expected `object`, got `.*` - at `(?P<path>.*)`")


def remedy(manifest: str, problem: str) -> str:
    """Return how to mend `problem`, a message of msgspec about the file called `manifest`."""
    if unknown := _UNKNOWN.fullmatch(problem):
        return _of_key(manifest, _table(unknown["path"] or "$"), unknown["key"])
    if schema := SCHEMAS.get(manifest):
        kind, _, version = schema.partition("/")
        other = _OTHER_SCHEMA.fullmatch(problem)
        if other and other["kind"] == kind and int(other["version"]) > int(version):
            return f"this version of tflm-hil reads {schema}; upgrade it: pip install --upgrade tflm-hil"
        if other or problem == _NO_SCHEMA:
            return f'write schema = "{schema}"'
    misplaced = _NO_TABLE.fullmatch(problem)
    if misplaced and BUDGETS.fullmatch(_table(misplaced["path"])):
        return "put the limits into one table per target and engine, such as [variants.int8.budgets.stm32f4.aot]"
    method = _METHOD.fullmatch(problem)
    if method and (method["key"] or "`method`" in problem):
        return f"choose method {', '.join(FLASH_METHODS[:-1])} or {FLASH_METHODS[-1]}"
    if _SHARE.search(problem):
        return "write it as a fraction, such as 0.95"
    return "correct that key"


def _of_key(manifest: str, table: str, key: str) -> str:
    tables = TABLES.get(manifest, {})
    homes = [(file, where, keys) for file in _order(manifest) for where, keys in TABLES[file].values()]
    exact = [(file, where) for file, where, keys in homes if key in keys]
    here = tables[table][1] if table in tables else frozenset()
    near = difflib.get_close_matches(key, sorted(here), n=1)
    if exact and (exact[0][0] == manifest or not near):
        return f"it belongs {', or '.join(where for file, where in exact if file == exact[0][0])}"
    if near:
        return f"did you mean {near[0]}?"
    elsewhere = {name: where for _, where, keys in reversed(homes) for name in keys}
    if near := difflib.get_close_matches(key, sorted(elsewhere), n=1):
        return f"did you mean {near[0]}, which belongs {elsewhere[near[0]]}?"
    return f"the keys here are {', '.join(sorted(here))}" if here else "delete it"


def _order(manifest: str) -> list[str]:
    """All manifests, `manifest` first."""
    return sorted(TABLES, key=lambda file: file != manifest)


def _table(path: str) -> str:
    """The path of a table without the numbers that msgspec puts into it."""
    return re.sub(r"\[(\d+|\.\.\.)\]", "[]", path)
