"""Results in which everything has a hostile name, and what must not become of that in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace
from tflm_hil.results.comparison import Base, Cause, Change, Comparison
from tflm_hil.results.groups import (
    AttributionFigures,
    AttributionStep,
    ClassFigures,
    Confusion,
    OperatorFigures,
    ProfileFigures,
    SymbolFigures,
    ThroughputFigures,
)
from tflm_hil.results.model import BoardFigures, Case, Results

from support.made_results import failed, flipped, less_accurate, results, run

OURS = re.compile(r"<!-- tflm-hil -->|<br>|</?details>|<summary>[\w :,()]+</summary>")
HOSTILE = [
    "<script>alert(1)</script>",
    "a|b\\|c\\",
    "two\nlines\r\n\n# three",
    "`` ` ```",
    "::set-output name=x::y",
    "\n::error file=a::b",
    "\u202egnp.exe\u2066\x1b[31m\0\u2028",
    "@somebody @org/team #123 GH-7 org/repo#5 !9",
    "](https://evil.example) ![x](//evil.example/x.png)",
    "www.evil.example https://evil.example a@evil.example",
    "</details></summary><!-- ",
    "- [ ] task\n1. one\n+ two\n> quote\n---\n===",
    "*b* _i_ ~~s~~ $x$ &lt; :tada: __init__ %5 %milestone",
    "",
    " ",
    "x" * 5_000,
]


def tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text):
        yield token
        yield from token.children or []


def assert_harmless(text: str, strong: int = 0) -> None:
    """Only our own tags, no link, and nothing that GitHub makes a mention or a reference of outside of code.

    `strong` is how often our own words are in bold letters.
    """
    assert sum(token.type == "strong_open" for token in tokens(text)) == strong
    for token in tokens(text):
        assert token.type not in {"link_open", "image", "em_open", "s_open", "blockquote_open", "hr"}
        assert token.type != "ordered_list_open"
        if token.type.startswith("html"):
            assert not OURS.sub("", token.content).strip(), token.content
        elif token.type == "text":
            assert not re.search(r"[@#]|://|www\.|GH-\d", token.content), token.content
    assert all(c.isprintable() or c == "\n" for c in text)
    tags = "".join(token.content for token in tokens(text) if token.type == "html_block")
    folds = re.findall("</?details>", tags)
    assert folds == ["<details>", "</details>"] * (len(folds) // 2)


def hostile(name: str) -> Results:
    """Results in which all that people, tests or tools name is called `name`."""
    comparison = Comparison(
        Base(name, name, {name: name}),
        [
            Change(
                name, name, 1, 2, verdict, name, name, [Cause("symbol", name, 1, 2, name), Cause("object", name, 1, 2)]
            )
            for verdict in ("regressed", "improved", "changed")
        ]
        + [less_accurate()],
        [flipped(name)],
        [name],
    )
    one = run(name, comparison)
    assert one.firmware
    assert one.parity
    assert one.latency
    firmware = replace(one.firmware, sections={name: 1}, symbols=[SymbolFigures(name, name, 1, name)], core=name)
    confused = [Confusion(f"{name}{number}", name, 1) for number in range(20)]
    parity = replace(one.parity, oracle=name, classes=[ClassFigures(name, 1, 1.0, None)], confusion=confused)
    return results(
        run(
            *(name, comparison),
            variant=name,
            engine=name,
            emulator=name,
            target=name,
            verdict="fail",
            firmware=firmware,
            parity=parity,
            attribution=AttributionFigures([AttributionStep(name, 2, 1, None, 0, 0, 0, None)] * 2, [name]),
            profile=ProfileFigures(name, name, 10, [OperatorFigures(0, name, name, 5, 0)]),
            throughput=ThroughputFigures(1.0, 1.0, name),
            trace=name,
            notes=[name],
            stale=[name],
            failures=[name],
            compiler=name,
            over_budget=[name],
            disagreements=[name],
            not_run=[name],
            tests=[failed(name, name, log=name), Case(id=name, outcome=name, ran=name, reason=name, stale=True)],
        ),
        run(name, target="other", emulator=None, board=name),
        boards=[BoardFigures(name, name, 1, name)] * 2,
        host={name: name},
        toolchain={name: name},
        git={"commit": name, "branch": name, "dirty": True},
        gaps=[name],
        failures=[name],
        left_out=[name],
        skipped={name: name},
        missing_engines={name: name},
        no_baseline=[name],
        stale_baselines=[name],
    )
