"""report.html by the rules of axe-core, in both themes, on a desk and on a phone; and pictures of it for people."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from support.browser import needs_browser, opened
from support.rich_results import rich_results
from tflm_hil.report.html.page import render

THEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
SCREENSHOTS = Path(__file__).parents[2] / "reports" / "screenshots"


@pytest.mark.nightly  # The rules take seconds for each theme and size.
@needs_browser
def test_no_rule_of_accessibility_is_broken(tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    report = tmp_path / "report.html"
    report.write_text(render(rich_results()), encoding="utf-8")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    broken = []
    with opened() as browser:
        for theme in THEMES:
            for width in (1200, 360):
                page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=theme)
                page.goto(report.as_uri())
                page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
                found = Axe().run(page).response
                assert len(found["passes"]) > 20
                for rule in found["violations"]:
                    broken += [f"{theme}, {width}: {rule['id']}: {node['html']}" for node in rule["nodes"]]
                page.screenshot(path=SCREENSHOTS / f"{theme}-{width}.png", full_page=True)
    assert not broken
