"""Update the table of operators in the documentation:

python -m tflm_hil.compiler.operators.table docs/engines.md
"""

from __future__ import annotations

import sys
from pathlib import Path

from tflm_hil.compiler.operators import supported

BEGIN, END = "<!-- operators: made by `make docs` -->\n", "<!-- end of operators -->\n"


def table() -> str:
    """Return the table in Markdown, with the name and the signatures of each operator."""
    rows = ["| operator | element types of inputs and outputs |", "|---|---|"]
    for kind, signatures in supported().items():
        types = "<br>".join(f"`{str(signature).lower()}`" for signature in signatures)
        rows.append(f"| `{kind}` | {types} |")
    return "\n".join(rows) + "\n"


def renewed(page: str) -> str:
    """Return the text `page` with the current table between the markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
