"""report.html as somebody uses it: with a mouse, a keyboard, a phone, without scripts, and with hostile names in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.browser import needs_browser, opened
from support.rich_results import hostile_results, rich_results
from tflm_hil.report.html.page import render

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_browser

NAMES = "[...document.querySelectorAll('.sortable tbody tr:not([hidden]) th')].map(cell => cell.textContent)"


@dataclass
class Visit:
    """A page that is open, and what it has said and fetched by itself since."""

    page: Page
    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.heard.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.heard.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.heard.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self.heard.append(f"request: {request.url}"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened() as browser:
        yield browser


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The addresses of two reports."""
    folder = tmp_path_factory.mktemp("reports")
    pages = {"rich": rich_results(), "hostile": hostile_results()}
    for name, given in pages.items():
        (folder / f"{name}.html").write_text(render(given), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in pages}


class Visitor:
    """Opens a report in a window of its own, and makes sure in the end that it did nothing behind one's back."""

    def __init__(self, browser: Browser, reports: dict[str, str]) -> None:
        self._browser = browser
        self._reports = reports
        self.visits: list[Visit] = []

    def __call__(self, name: str = "rich", fragment: str = "", **context: Any) -> Page:
        page = self._browser.new_context(**{"reduced_motion": "reduce"} | context).new_page()
        self.visits.append(Visit(page))
        page.goto(f"{self._reports[name]}{fragment}")
        return page


@pytest.fixture
def visit(browser: Browser, reports: dict[str, str]) -> Iterator[Visitor]:
    visitor = Visitor(browser, reports)
    yield visitor
    for visit in visitor.visits:
        heard = [line for line in visit.heard if not line.startswith("request: file:///")]
        visit.page.context.close()
        assert not heard
        assert len(visit.heard) <= 2, "the page itself, and once more where a test loads it again"


def test_filters_show_the_runs_that_they_name(visit: Visitor) -> None:
    page = visit()
    page.fill("#filter", "WAVE")
    assert page.evaluate(NAMES) == ["wave-int8-aot-stm32f4", "wave-int8-aot-nrf51"]
    assert page.locator("details.run:visible").count() == 2
    assert page.text_content("#found") == "2 of 4 runs"
    page.select_option("#verdicts", "incomplete")
    assert page.evaluate(NAMES) == ["wave-int8-aot-stm32f4"]
    page.fill("#filter", "")
    page.select_option("#verdicts", "")
    page.check("#changed")
    assert page.evaluate(NAMES) == ["gesture-int8-aot-stm32f4", "gesture_cnn-int8-aot-stm32f4"]


def test_a_heading_sorts_its_column_up_and_down(visit: Visitor) -> None:
    page = visit()
    heading = page.get_by_role("columnheader", name="Flash")
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert page.evaluate(NAMES)[-1] == "gesture-int8-aot-stm32f4"
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.evaluate(NAMES)[0] == "gesture-int8-aot-stm32f4"
    page.get_by_role("columnheader", name="Run").get_by_role("button").click()
    assert heading.get_attribute("aria-sort") is None
    assert page.evaluate(NAMES)[2:] == ["wave-int8-aot-nrf51", "wave-int8-aot-stm32f4"]


def test_the_theme_is_that_of_the_system_until_somebody_chooses(visit: Visitor) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light, dark = visit(color_scheme="light"), visit(color_scheme="dark")
    assert light.evaluate(paper) != dark.evaluate(paper)
    light.click("#theme")
    light.click("#theme")
    assert light.text_content("#theme") == "Theme: dark"
    assert light.evaluate(paper) == dark.evaluate(paper)
    light.reload()
    assert light.evaluate(paper) == dark.evaluate(paper)


def test_a_link_to_a_run_opens_it_now_and_later(visit: Visitor) -> None:
    page = visit(fragment="#run-2")
    assert page.locator("#run-2[open]").count() == 1
    page.get_by_role("link", name="gesture-int8-aot-stm32f4").first.click()
    page.locator("#run-1[open]").wait_for()
    assert page.evaluate("document.activeElement.parentElement.id") == "run-1"
    page.locator("#run-1 > summary").click()
    page.get_by_role("link", name="gesture-int8-aot-stm32f4").first.click()
    assert page.locator("#run-1[open]").count() == 1


def test_everything_can_be_reached_and_opened_with_the_keyboard(visit: Visitor) -> None:
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.closest('[id]')?.id"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if seen[-1] == "run-1":
            break
    assert {"theme", "filter", "verdicts", "changed", "open", "close"} <= set(seen)
    page.keyboard.press("Enter")
    assert page.locator("#run-1[open]").count() == 1


@pytest.mark.parametrize("name", ["rich", "hostile"])
def test_a_phone_scrolls_down_and_not_sideways(visit: Visitor, name: str) -> None:
    page = visit(name, viewport={"width": 360, "height": 740})
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_names_from_elsewhere_neither_run_nor_become_elements(visit: Visitor) -> None:
    page = visit("hostile")
    page.click("#open")
    assert page.locator("details.run[open]").count() == 4
    assert page.evaluate("document.querySelectorAll('img, iframe, object, embed, base').length") == 0
    assert page.evaluate("document.scripts.length") == 1
    assert page.get_by_text("<script>alert(1)</script>").first.is_visible()


def test_what_got_through_as_markup_could_not_run_or_fetch(browser: Browser, tmp_path: Path) -> None:
    hole = tmp_path / "hole.html"
    text = render(rich_results()).replace(
        "<main ",
        "<script>document.title = 'ran'</script><img src=https://evil.example/x onerror='document.title = 1'><main ",
    )
    hole.write_text(text, encoding="utf-8")
    page = browser.new_page()
    fetched: list[str] = []
    page.on("requestfinished", lambda request: fetched.append(request.url))
    page.goto(hole.as_uri())
    assert page.title().startswith("Fail: 3 figures got worse")
    assert fetched == [hole.as_uri()]
    page.close()


def test_without_scripts_everything_can_be_read(visit: Visitor) -> None:
    page = visit(java_script_enabled=False)
    assert page.get_by_role("heading", level=1).is_visible()
    assert not page.locator("#filters, #theme").filter(visible=True).count()
    page.locator("#run-1 > summary").click()
    assert page.locator("#run-1 svg.chart").first.is_visible()


def test_print_and_reduced_motion_are_respected(visit: Visitor) -> None:
    page = visit(reduced_motion="no-preference")
    scrolling = "getComputedStyle(document.documentElement).scrollBehavior"
    assert page.evaluate(scrolling) == "smooth"
    page.emulate_media(reduced_motion="reduce", media="print")
    assert page.evaluate(scrolling) == "auto"
    assert not page.locator("#filters").is_visible()
    assert page.locator("#runs").is_visible()
