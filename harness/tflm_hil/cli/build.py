"""`hil build`: the image of one variant of a model."""

from __future__ import annotations

from rich.table import Table

from tflm_hil.cli.arguments import EngineName, ModelName, TargetName, VariantName
from tflm_hil.cli.working import build_firmware, open_session
from tflm_hil.report.text import table_lines


def build(
    model: ModelName,
    variant: VariantName = None,
    engine: EngineName = None,
    target: TargetName = None,
) -> None:
    """Build the firmware and show its sizes.

    Example: hil build gesture --variant int8
    """
    image = build_firmware(open_session(None, model, engine, target), variant).image
    print(image.elf)
    table = Table("section", "bytes", box=None)
    for name, size in image.sections.items():
        table.add_row(name, f"{size:,}")
    print(*table_lines(table), sep="\n")
    print(f"flash {image.flash_bytes:,} bytes (model {image.model_bytes:,}), static RAM {image.ram_bytes:,} bytes")
    print(f"build id {image.build_id.hex()}")
