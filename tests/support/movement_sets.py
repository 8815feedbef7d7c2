"""Write sets of recordings of made-up movements, which a network learns within a few epochs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COLUMNS = ("aX", "aY", "aZ", "gX", "gY", "gZ")


def movement(number: int, rows: int, seed: int) -> NDArray[np.float64]:
    """Movement `number` of another person for each `seed`: [rows, 6] in g and dps."""
    rng = np.random.default_rng([number, seed])
    time = np.arange(rows) / 50
    swing = np.sin(2 * np.pi * (1.0 + number) * time + rng.uniform(0, 1))
    values = rng.normal(0, 1, (rows, 6)) * [0.02, 0.02, 0.02, 10, 10, 10] + np.array([0, 0, 1, 0, 0, 0])
    values[:, number % 3] += 1.0 + swing
    values[:, 3 + number % 3] += 900 + 300 * swing
    return np.asarray(values, np.float64)


def csv(blocks: list[NDArray[np.float64]]) -> str:
    """One file with a recording for each block."""
    texts = ["".join(",".join(f"{value:.4f}" for value in row) + "\n" for row in block) for block in blocks]
    return ",".join(COLUMNS) + "\n" + "\n".join(texts)


def write_set(folder: Path, counts: Mapping[str, int], rows: int = 40, manifest: str = "") -> Path:
    """Write `counts` recordings of each label to `folder`, with more lines for the head of the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ['schema = "hil-recordings/1"', "sample_rate_hz = 50.0", manifest]
    for number, (label, count) in enumerate(counts.items()):
        (folder / f"{number}.csv").write_text(csv([movement(number, rows, seed) for seed in range(count)]))
        lines += ["[[files]]", f'path = "{number}.csv"', f'label = "{label}"']
    (folder / "recordings.toml").write_text("\n".join(lines) + "\n")
    return folder
