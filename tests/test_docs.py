"""The documentation keeps up with the code where a reader would rely on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tflm_hil.compiler.operators.table import renewed

DOCS = Path(__file__).parents[1] / "docs"


def test_the_table_of_operators_is_what_the_compiler_has() -> None:
    page = (DOCS / "engines.md").read_text(encoding="utf-8")
    assert renewed(page) == page, "the table is out of date; renew it: make docs"


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([\w-]+))?\)", text):
        linked = DOCS / target if target else DOCS / page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), flags=re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings]
            assert anchor in slugs, f"{target}#{anchor}"
