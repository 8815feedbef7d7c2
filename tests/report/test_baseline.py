"""What the terminal says of a comparison: what got worse first, and why; then what got better, and all else shortly."""

from __future__ import annotations

from support.made_results import BASE_COMMIT, compared, flipped, larger, less_accurate, results, run, slower
from tflm_hil.report.baseline import baseline_lines, comparison_lines, regression
from tflm_hil.results.comparison import Cause, Change

AGAINST = f"against baselines/gesture.json of commit {BASE_COMMIT[:12]}"
BETTER = Change("latency.max", "instructions", 200, 100, "improved", "latency.max>+0", "default")
WITHIN = Change("firmware.ram_bytes", "bytes", 1000, 1005, "changed", "firmware.ram_bytes>+1%", "default")


def test_what_got_worse_comes_first_with_its_limit_and_its_causes() -> None:
    change = larger()
    change.causes += [Cause("symbol", f"s{number}", 10, 20) for number in range(4)]
    tested = run(comparison=compared(WITHIN, BETTER, change, notes=["made with another compiler"]))
    name = tested.name
    assert list(comparison_lines([run(), tested])) == [
        f"REGRESSED: {name} firmware.flash_bytes: 20,352 -> 22,400, +2,048 bytes (+10.1%), limit "
        f"firmware.flash_bytes>+1% (models/gesture/model.toml:12), {AGAINST}",
        "    symbol table: new, 2,048",
        "    symbol s0: 10 -> 20 (+10)",
        "    symbol s1: 10 -> 20 (+10)",
        "    and 2 more",
        f"improved: {name} latency.max: 200 -> 100, -100 instructions (-50.0%)",
        "to keep what got better, update your baseline: --hil-update-baseline",
        f"within the limits: {name} firmware.ram_bytes +5 bytes (+0.5%)",
        f"{name}: made with another compiler",
    ]


def test_a_regression_of_accuracy_names_windows_and_one_in_junit_names_every_cause() -> None:
    tested = run(comparison=compared(less_accurate(), flips=[flipped()]))
    lines = list(comparison_lines([tested]))
    assert lines[0].startswith(
        f"REGRESSED: {tested.name} parity.accuracy_device: 100.00% -> 98.50%, -1.50 points, limit "
    )
    assert lines[1] == f"predictions flipped: {tested.name} punch/017 window 3 punch -> flex (now wrong)"
    change = slower()
    change.causes += [Cause("operator", f"o{number}", 10, 20) for number in range(9)]
    every = regression(run(comparison=compared(change)), change).splitlines()
    assert len(every) == 1 + 10


def test_names_from_elsewhere_send_nothing_to_the_terminal() -> None:
    hostile = run(comparison=compared(slower("\x1b[2J\n::error::x"), flips=[flipped("a\nREGRESSED: b\x07")]))
    lines = list(comparison_lines([hostile]))
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)


def test_missing_and_stale_baselines_are_told() -> None:
    said = baseline_lines(results(no_baseline=["a", "b"], stale_baselines=["baselines/c.json"]))
    assert list(said) == [
        "no baseline: a, b; make it with --hil-update-baseline",
        "stale baseline: nothing runs for baselines/c.json; delete it",
    ]
