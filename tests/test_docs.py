"""The documentation keeps up with the code where a reader would rely on it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from tflm_hil.compiler.operators.table import renewed
from tflm_hil.pytest_plugin import hookspecs, ownership

DOCS = Path(__file__).parents[1] / "docs"


def test_the_table_of_operators_is_what_the_compiler_has() -> None:
    page = (DOCS / "engines.md").read_text(encoding="utf-8")
    assert renewed(page) == page, "the table is out of date; renew it: make docs"


def test_the_page_about_pytest_names_every_fixture_and_every_hook_with_its_arguments() -> None:
    page = (DOCS / "pytest-plugin.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    hooks = [
        f"{name}({', '.join(inspect.signature(hook).parameters)})"
        for name, hook in vars(hookspecs).items()
        if name.startswith("pytest_")
    ]
    assert sorted(named) == sorted([*ownership.NAMES, *hooks])


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


def test_what_the_page_on_extensions_shows_is_in_the_example() -> None:
    """The example is what the tests install and run."""
    example = DOCS.parent / "examples" / "extension"
    files = [example / "pyproject.toml", example / "README.md", *example.rglob("*.py")]
    lines = {line for path in files for line in path.read_text(encoding="utf-8").splitlines()}
    text = (DOCS / "add-a-board-or-an-engine.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```\w+\n(.*?)```", text, flags=re.DOTALL)
    commands = [line for line in text.splitlines() if re.match(r"    (pip|pytest) ", line)]
    shown = [line for block in blocks for line in block.splitlines()] + commands
    assert len(shown) > 30
    assert not [line for line in shown if line not in lines]
