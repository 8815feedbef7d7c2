"""What report.html says, that it is well formed and self-contained, and that nothing from elsewhere becomes markup."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.html_page import Page
from support.made_results import BASE_COMMIT, COMMIT, compared, failed, larger, results, run, slower
from support.rich_results import hostile_results, rich_results
from tflm_hil.report.html.page import render
from tflm_hil.report.publish import publish
from tflm_hil.results.history.query import Point
from tflm_hil.results.model import Results


def headings(page: Page) -> list[str]:
    return [element.text for element in page.elements if re.fullmatch("h[1-6]", element.tag)]


def test_the_verdict_comes_first_then_what_got_worse_and_why_then_what_got_better() -> None:
    page = Page(render(rich_results()))
    first, *rest = headings(page)
    assert " ".join(first.split()) == "✗ Fail 3 figures got worse, 1 test failed, 1 budget missed"
    assert [heading for heading in rest if heading[0].isupper()][:6] == [
        "What got worse",
        "What is predicted otherwise than before",
        "What failed",
        "What got better",
        "Networks, engines and targets",
        "Runs",
    ]
    (worse,) = (item.text for item in page.all("ul") if "cards" in str(item.attributes) and "limit" in item.text)
    text = " ".join(worse.split())
    for part in (
        f"gesture-int8-aot-stm32f4 against commit {BASE_COMMIT[:12]} in baselines/gesture.json",
        "latency.median ▲ +1,266 instructions (+9.2%) 13,736 → 15,002; limit latency.median>+0 (default)",
        "operator aot_fully_connected_s8: 4,000 -> 5,200 (+1,200)",
        "symbol table: new, 2,048",
        "parity.accuracy_device ▼ -1.50 points 100.00% → 98.50%",
        "punch/017, window 3: punch → flex, now wrong",
    ):
        assert part in text, part
    assert text.index("flash_bytes") < text.index("latency.median"), "the larger change comes first"
    assert COMMIT[:12] in page.all("header")[0].text


def test_the_run_that_changed_most_comes_first_and_what_is_told_already_is_not_told_again() -> None:
    later = slower()
    later.metric = "latency.max"
    text = Page(render(results(run("a", compared(slower(), later)), run("b", compared(larger()))))).all("ul")
    (worse,) = (
        " ".join(item.text.split()) for item in text if "cards" in str(item.attributes) and "limit" in item.text
    )
    assert worse.index("b-int8-aot-stm32f4") < worse.index("a-int8-aot-stm32f4")
    assert worse.count("aot_fully_connected_s8") == 1
    assert worse.count("for the same reason") == 1


def test_each_run_has_a_cell_in_the_matrix_and_a_row_that_lead_to_it() -> None:
    page = Page(render(rich_results()))
    targets = {element.attributes["id"] for element in page.all("details") if "id" in element.attributes}
    links = [element.attributes["href"] for element in page.all("a")]
    assert targets == {"run-1", "run-2", "run-3", "run-4"}
    assert all(links.count(f"#{target}") >= 2 for target in targets)


def test_a_link_leads_to_something_on_the_page() -> None:
    page = Page(render(rich_results()))
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(set(ids)) == len(ids)
    named = [name for element in page.elements for name in (element.attributes.get("aria-labelledby") or "").split()]
    assert {element.attributes["href"][1:] for element in page.all("a")} | set(named) <= set(ids)  # type: ignore[index]


def test_a_run_shows_everything_that_was_measured_of_it() -> None:
    text = " ".join(Page(render(rich_results())).all("details")[0].text.split())
    for part in (
        "qemu 7.2, target stm32f4 (Cortex-M4), engine aot 1.0, arm-none-eabi-gcc 12.2.1",
        "another compiler",
        "3 of 1,305 windows differ",
        "[boot] 1 [model] 2",
        "the first operator that differs is 2, SOFTMAX",
        "1 RELU layer_1",
        "5, RELU: 20.3% of all instructions, for 0.0% of all multiply-accumulates",
        "0.75, 0.25",
        "channel 6",
        "symbol_0(int, char*)",
        "as trained on LiteRT",
        "one step is left out",
        "Streaming over RTT: 112.0 windows/s",
    ):
        assert part in text, part


def test_a_figure_stands_beside_its_baseline() -> None:
    rows = [row.text.split() for row in Page(render(rich_results())).all("tr")]
    (row, *_) = (row for row in rows if row[0] == "firmware.flash_bytes")
    limit = ["firmware.flash_bytes>+1%", "models/gesture/model.toml:12"]
    assert row[1:] == [*["22,400", "bytes", "20,352", "▲", "+2,048", "bytes", "(+10.1%)", "regressed"], *limit]


def test_every_chart_has_a_name_and_words_that_stand_for_it() -> None:
    charts = [chart for chart in Page(render(rich_results())).all("svg") if "aria-hidden" not in chart.attributes]
    assert len(charts) >= 6
    for chart in charts:
        assert chart.attributes["role"] == "img"
        assert chart.attributes.get("aria-label") or chart.attributes.get("aria-labelledby")


def test_every_table_has_a_caption_and_every_heading_cell_a_scope() -> None:
    page = Page(render(rich_results()))
    assert len(page.all("table")) == len(page.all("caption"))
    assert {cell.attributes.get("scope") for cell in page.all("th")} == {"col", "row"}


def test_headings_go_down_one_level_at_a_time() -> None:
    levels = [
        int(element.tag[1]) for element in Page(render(rich_results())).elements if re.fullmatch("h[1-6]", element.tag)
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_what_a_file_from_elsewhere_says_is_text_wherever_it_stands() -> None:
    harmless, page = Page(render(rich_results())), Page(render(hostile_results()))

    def shape(page: Page) -> set[tuple[str, frozenset[str]]]:
        return {(element.tag, frozenset(element.attributes)) for element in page.elements}

    assert shape(page) <= shape(harmless)
    assert [script.parents for script in page.all("script")] == [("html", "body")]
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\ud800-\udfff]", page.source)
    assert r"\u202e" in page.source
    assert "{{7*7}}" in page.source
    assert not [name for element in page.elements for name in element.attributes if name.startswith(("on", "style"))]
    assert all(str(link.attributes["href"]).startswith("#") for link in page.all("a"))


def test_only_our_script_and_style_may_run_and_nothing_may_be_fetched() -> None:
    page = Page(render(rich_results()))
    (policy,) = (str(meta.attributes["content"]) for meta in page.all("meta") if "http-equiv" in meta.attributes)
    directives = dict(directive.strip().split(" ", 1) for directive in policy.split(";"))
    assert directives.pop("default-src") == "'none'"
    for tag in ("style", "script"):
        (element,) = page.all(tag)
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert directives.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert directives == {"img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    addresses = {
        each.attributes.get(name) for each in page.elements for name in ("src", "href", "action", "xlink:href")
    }
    assert {str(address)[:1] for address in addresses - {None, "data:,"}} == {"#"}


@pytest.mark.parametrize(
    "given",
    [
        results(),
        results(run(firmware=None, parity=None, latency=None, tests=[])),
        results(run(), git={}, host={}, toolchain={}),
    ],
)
def test_what_was_not_measured_is_no_error(given: Results) -> None:
    assert Page(render(given)).all("h1")


@pytest.mark.parametrize(
    "measured",
    [
        {"latency": 3},
        {"latency": {"unit": "instructions", "invoke": [[1, 1], [2, 2]]}},
        {"latency": {"unit": "instructions", "invoke": [[1], [2, 3, 4]], "prepare": [], "window": []}},
        {"latency": None},
    ],
)
def test_measured_parts_of_another_shape_are_left_out(measured: dict[str, Any]) -> None:
    (made,) = results(run(tests=[failed("no")])).runs
    made.tests[0].measured = [measured]
    assert "Distribution" not in render(results(made))


def test_the_trend_of_a_figure_is_drawn_where_there_is_a_history() -> None:
    def point(commit: str, value: float, dirty: bool = False) -> Point:
        return Point(1, "2026-01-01T00:00:00+00:00", commit, "main", dirty, "pass", value)

    made = run()
    points = {made.identity: {"latency.median": [point("a" * 40, 13_000), point("b" * 40, 15_002, dirty=True)]}}
    text = " ".join(Page(render(results(made), points)).all("details")[0].text.split())
    assert f"{'a' * 12}: 13,000 → {'b' * 12}+: 15,002; least 13,000, greatest 15,002" in text
    assert "Earlier runs" not in render(results(run()))


def test_the_report_is_written_beside_the_others(tmp_path: Path) -> None:
    publish(results(run(comparison=compared(slower(), larger()))), tmp_path, lines=["said by <b>another</b> plugin"])
    text = (tmp_path / "report.html").read_text()
    assert text.startswith("<!doctype html>")
    assert "said by &lt;b&gt;another&lt;/b&gt; plugin" in text
