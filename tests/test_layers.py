"""The layers are what docs/architecture.md says: no module imports from a row above its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "harness" / "tflm_hil"


def rows() -> dict[str, int]:
    """The row of each module or package of the harness in the table of layers, the top being 0."""
    found: dict[str, int] = {}
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = (line.split("|")[1] for line in text.splitlines() if line.startswith("| `harness/"))
    for number, names in enumerate(table):
        found |= dict.fromkeys(re.findall(r"`(?:harness/tflm_hil/)?(\w+)(?:/|\.py)`", names), number)
    return found


def imports(path: Path) -> Iterator[str]:
    """The modules and packages of the harness that `path` imports from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names if node.module == "tflm_hil"]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            package, _, rest = name.partition(".")
            if package == "tflm_hil" and rest:
                yield rest.split(".")[0]


def test_no_layer_knows_what_is_above_it() -> None:
    layer = rows()
    known = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert set(layer) == known - {"__init__"}
    upward = [
        f"{path.relative_to(ROOT)} imports tflm_hil.{name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if (here := path.relative_to(PACKAGE).parts[0].removesuffix(".py")) in layer
        for name in imports(path)
        if layer[name] < layer[here]
    ]
    assert not upward
