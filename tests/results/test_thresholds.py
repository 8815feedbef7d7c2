"""Limits: what they may say, what they forgive, and which of several counts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflm_hil.errors import HilError
from tflm_hil.results.metrics import BY_NAME, METRICS
from tflm_hil.results.thresholds import DEFAULTS, Limit, Limits, parse_limits

NUMBERS = st.decimals(min_value=0, max_value=10**9, places=3)


@given(
    st.lists(
        st.builds(Limit, st.sampled_from(METRICS), st.just("x"), NUMBERS, NUMBERS, st.none() | NUMBERS), min_size=1
    )
)
def test_what_a_limit_says_of_itself_is_that_limit(limits: list[Limit]) -> None:
    def meant(limit: Limit) -> tuple[object, ...]:
        change = (limit.percent, limit.amount) if limit.value is None else None
        return limit.metric, limit.value, change

    assert [*map(meant, parse_limits(", ".join(map(str, limits)), "x"))] == [*map(meant, limits)]


@given(st.text(alphabet="latency.mx<>+-%0123456789, \n", max_size=30) | st.text(max_size=30))
def test_any_text_is_a_limit_or_one_clear_line(text: str) -> None:
    told = ""
    try:
        limits = parse_limits(text, "--hil-fail-on")
    except HilError as error:
        told = str(error)
    assert told.startswith("--hil-fail-on: ") if told else limits
    assert "\n" not in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("latency.median", "'latency.median' is no limit; write one such as latency.median>+3% or latency.max>16000"),
        ("latency.mdian>+3%", "'latency.mdian>+3%' names no metric; did you mean latency.median?"),
        ("latency_median>+3%", "'latency_median>+3%' names no metric; did you mean latency.median?"),
        ("flash_bytes>+512", "'flash_bytes>+512' names no metric; did you mean firmware.flash_bytes?"),
        ("qqq>+3%", f"'qqq>+3%' names no metric; choose one of {', '.join(BY_NAME)}"),
        (
            "latency.max<-3%",
            "'latency.max<-3%' would fail what got better: of latency.max, less is better; write latency.max>...",
        ),
        (
            "parity.accuracy_device>+1%",
            "'parity.accuracy_device>+1%' would fail what got better: of parity.accuracy_device, more is better; write "
            "parity.accuracy_device<...",
        ),
        (
            "latency.max>3%",
            "'latency.max>3%' limits nothing; after latency.max> write a change such as +3%, +64 or +1%+64, or a value "
            "such as 16000",
        ),
        ("latency.max>+64+1%", "'latency.max>+64+1%' limits nothing; *"),
        ("latency.max>-3%", "'latency.max>-3%' limits nothing; *"),
        ("latency.max>", "'latency.max>' limits nothing; *"),
        ("latency.max>+3%,", "'' is no limit; *"),
        ("latency.max>16,000", "'000' is no limit; *"),
    ],
)
def test_what_is_no_limit_is_told_with_its_source_and_what_to_write(text: str, message: str) -> None:
    with pytest.raises(HilError) as raised:
        parse_limits(text, "HIL_FAIL_ON")
    told = str(raised.value)
    assert told.startswith(f"HIL_FAIL_ON: {message.removesuffix('*')}")
    assert message.endswith("*") or told == f"HIL_FAIL_ON: {message}"


def limit(text: str) -> Limit:
    (only,) = parse_limits(text, "x")
    return only


@pytest.mark.parametrize(
    ("text", "before", "allowed", "beyond"),
    [
        ("latency.max>+0", 1000, 1000, 1001),
        ("latency.max>+29%", 100, 129, 130),
        ("firmware.flash_bytes>+512", 1000, 1512, 1513),
        ("firmware.stack_peak_bytes>+1%+136", 1000, 1146, 1147),
        ("parity.accuracy_device<-0.5%", 1.0, 0.995, 0.994),
        ("parity.accuracy_device<-0.01", 0.99, 0.98, 0.97),
        ("parity.accuracy_device<-0", 1.0, 1.0, 0.9999),
        ("attribution.accuracy_drop>+0.01", -0.02, -0.01, -0.009),
        ("latency.max>+3%", 0, 0, 1),
    ],
)
def test_a_change_is_worse_beyond_its_limit_and_better_beyond_it_in_the_other_direction(
    text: str, before: float, allowed: float, beyond: float
) -> None:
    assert not limit(text).worse(before, allowed)
    assert limit(text).worse(before, beyond)
    assert not limit(text).better(before, beyond)
    assert limit(text).better(before, 2 * before - beyond)
    assert not limit(text).better(before, 2 * before - allowed)


def test_a_limit_of_the_figure_itself_is_exceeded_beyond_it() -> None:
    most, least = limit("latency.max>16000"), limit("parity.accuracy_device<0.9")
    assert [most.exceeded(16000), most.exceeded(16001)] == [False, True]
    assert [least.exceeded(0.9), least.exceeded(0.899)] == [False, True]


def test_a_later_source_wins_for_each_metric_and_each_kind_of_limit() -> None:
    median, largest = BY_NAME["latency.median"], BY_NAME["latency.max"]
    limits = Limits(
        parse_limits("latency.median>+1%, latency.max>+2%, latency.max>9000", "ini"),
        parse_limits("latency.median>+3%", "models/m/model.toml:9"),
        parse_limits("latency.max>+5%, latency.max>+4%", "--hil-fail-on"),
    )
    changes = [limits.of_change(metric, "instructions") for metric in (median, largest)]
    assert [(str(each), each.source) for each in changes] == [
        ("latency.median>+3%", "models/m/model.toml:9"),
        ("latency.max>+4%", "--hil-fail-on"),
    ]
    assert [(str(each), each.source) for each in limits.values] == [("latency.max>9000", "ini")]


def test_every_figure_has_a_default_in_each_of_its_units() -> None:
    known = {(limit.metric.name, unit) for limit, unit in DEFAULTS}
    assert known == {
        (metric.name, unit)
        for metric in METRICS
        for unit in (("instructions", "cycles") if metric.unit == "of the run" else (metric.unit,))
    }
    median = BY_NAME["latency.median"]
    assert str(Limits().of_change(median, "instructions")) == "latency.median>+0"
    assert str(Limits().of_change(median, "cycles")) == "latency.median>+1%"
    assert Limits().of_change(median, "cycles").source == "default"
    assert Limits().of_change(median, "cycles").percent == Decimal(1)


def test_the_documentation_shows_the_defaults() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    table = text.partition("<!-- defaults -->\n")[2].partition("\n\n")[0]
    shown = [f"| `{each.metric.name}` | {unit or 'fraction'} | `{bound(each)}` |" for each, unit in DEFAULTS]
    assert table.splitlines()[2:] == shown


def bound(limit: Limit) -> str:
    return str(limit).removeprefix(limit.metric.name)
