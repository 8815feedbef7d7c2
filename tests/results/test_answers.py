"""Answers of a device on their way into the results: how much is kept, and that order and repeats do not matter."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tflm_hil.results.answers import MOST_COUNTS, MOST_DIFFERENCES, MOST_OUTPUT_BYTES, answers_part
from tflm_hil.results.groups import DifferenceFigures, MeaningFigures, WindowFigures
from tflm_hil.results.merge import Planned, Report, Session, merge
from tflm_hil.results.model import Results, Run
from tflm_hil.results.parts import AnswersPart, Contribution, RunKey

KEY = RunKey(model="m", variant="int8", engine="aot", board="emulated", emulator="qemu 7", target="stm32f4")
FILES = ("a", "b", "c")
PLAN = [Planned(KEY, f"t.py::test[{file}]", "", True) for file in FILES]


def difference(recording: str, window: int, rows: int = 2, alone: bool = False) -> DifferenceFigures:
    def figures(number: int, label: str) -> WindowFigures:
        return WindowFigures(recording, number, number, [[number]] * rows, [1.0], label, [2.0], "up", "up")

    return DifferenceFigures(figures(window, "down"), None if alone else figures(window + 1, "up"))


def part(file: str, size: int = 4, differing: int = 0, rows: int = 2) -> AnswersPart:
    name = f"{file}/1"
    meaning = MeaningFigures("int8", 2, 1, 0.5, 1, ["up", "down"], None, {name: f"rows of {file}"}, {name: [("up", 2)]})
    return answers_part({name: bytes(size)}, meaning, [difference(name, window, rows) for window in range(differing)])


def session(parts: dict[str, AnswersPart], code: str = "new", failed: str = "") -> Session:
    reports = []
    for planned, file in zip(PLAN, FILES, strict=True):
        if file in parts:
            measured = [Contribution(answers=parts[file], engine_version=f"1 {code}", model_sha256=f"sha {code}")]
            outcome, log = ("failed", "-> #7 SAMPLES") if file == failed else ("passed", "")
            reports += [
                Report(planned, 1, "call", outcome, None, "image", measured, log=log),
                Report(planned, 1, "teardown", "passed"),
            ]
    return Session("2026", code, {}, {}, {"arm-none-eabi-gcc": "12"}, PLAN, reports)


def only(results: Results) -> Run:
    """The run, as it is after results.json has been written and read again."""
    return msgspec.json.decode(msgspec.json.encode(results), type=Results).runs[0]


PARTS = st.dictionaries(
    st.sampled_from(FILES), st.builds(part, st.just("a"), st.integers(1, 40_000), st.integers(0, 12))
).map(lambda drawn: {file: renamed(each, file) for file, each in drawn.items()})


def renamed(each: AnswersPart, file: str) -> AnswersPart:
    """`each`, as if it were of another file."""
    changed = msgspec.json.encode(each).replace(b'"a/1"', f'"{file}/1"'.encode())
    return msgspec.json.decode(changed, type=AnswersPart)


@settings(max_examples=25)
@given(PARTS, PARTS, st.sampled_from(["old", "new"]), st.randoms(use_true_random=False))
def test_merging_answers_again_or_in_another_order_changes_nothing(
    before: dict[str, AnswersPart], now: dict[str, AnswersPart], code: str, random: object
) -> None:
    earlier = merge(None, session(before, code))
    once = merge(earlier, session(now))
    shuffled = list(session(now).reports)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert only(merge(earlier, replace(session(now), reports=shuffled))) == only(once)
    assert only(merge(once, session(now))) == only(once)


@settings(max_examples=25)
@given(PARTS)
def test_all_outputs_are_kept_or_none_and_the_first_windows_that_differ(parts: dict[str, AnswersPart]) -> None:
    run = only(merge(None, session(parts)))
    whole = sum(len(stored) // 2 for each in parts.values() for stored in each["outputs"].values())
    names = [f"{file}/1" for file in FILES if file in parts]
    kept = sorted(names) if whole <= MOST_OUTPUT_BYTES else []
    assert sorted(run.outputs) == kept
    assert (run.meaning is None) == (not parts)
    assert run.meaning is None or sorted(run.meaning.inputs) == sorted(run.meaning.truths) == sorted(names)
    expected = [
        (f"{file}/1", window) for file in FILES if file in parts for window in range(len(parts[file]["differences"]))
    ]
    found = [(each.differs.recording, each.differs.window) for each in run.differences]
    assert found == expected[:MOST_DIFFERENCES]


def test_one_file_with_large_outputs_leaves_the_run_without_any() -> None:
    run = only(merge(None, session({"a": part("a"), "b": part("b", MOST_OUTPUT_BYTES + 1)})))
    assert run.outputs == {}
    assert run.meaning is not None


def test_of_large_windows_few_are_kept_but_always_one() -> None:
    large, huge = part("a", differing=4, rows=MOST_COUNTS // 5), part("a", differing=4, rows=MOST_COUNTS)
    assert [len(each["differences"]) for each in (large, huge)] == [2, 1]


def test_answers_of_other_sources_are_kept_as_stale_and_only_where_there_are_no_newer_ones() -> None:
    earlier = merge(None, session({"a": part("a", differing=1), "b": part("b", differing=1)}, "old"))
    none = only(merge(earlier, session({})))
    assert none.stale == ["meaning"]
    assert sorted(none.outputs) == ["a/1", "b/1"]
    assert len(none.differences) == 2
    one = only(merge(earlier, session({"b": part("b")})))
    assert (one.stale, sorted(one.outputs), one.differences) == ([], ["b/1"], [])
    assert (one.engine_version, one.model_sha256) == ("1 new", "sha new")


def test_the_log_of_a_test_that_failed_is_kept_with_it() -> None:
    run = only(merge(None, session({"a": part("a"), "b": part("b")}, failed="b")))
    assert [case.log for case in run.tests] == ["", "-> #7 SAMPLES", ""]
    assert (run.engine_version, run.model_sha256) == ("1 new", "sha new")
