"""What is said of a run, in whatever report."""

from __future__ import annotations

from tflm_hil.boards.spec import split
from tflm_hil.errors import HilError
from tflm_hil.report.text import ordinal
from tflm_hil.results.agreement import Agreement
from tflm_hil.results.groups import Confusion
from tflm_hil.results.metrics import BY_NAME
from tflm_hil.results.model import Results, Run


def verdict(run: Run) -> str:
    """The verdict in words: a pass that needed more than one try says so."""
    return f"pass ({ordinal(run.tries)} try)" if run.verdict == "pass" and run.tries > 1 else run.verdict


def interrupted(run: Run) -> str:
    """What received bytes have to do with the spread of latencies; "" if none came while something was measured."""
    number = run.link.interrupts if run.link and run.latency else 0
    if not number:
        return ""
    what = f"{number:,} receive interrupt{'s' * (number > 1)} came while something was measured"
    return f"{what}; the time of the handler is taken out, but not what it did to caches and the pipeline"


def causes(run: Run) -> list[tuple[str, list[str]]]:
    """Why it failed, each reason once, with the tests that gave it. Regressions are told with their figures."""
    reasons = {case.id: case.reason or "it gave no reason" for case in run.tests}
    found: dict[str, list[str]] = {}
    for failure in run.failures:
        if failure in reasons:
            found.setdefault(reasons[failure], []).append(failure)
        elif failure not in BY_NAME:
            found[failure] = []
    return list(found.items())


def agreement(pair: Agreement) -> str:
    """How the second emulator compares with the first, in a few words."""
    answers = {True: "answers equal", False: "answers differ", None: "answers not compared"}[pair.answers_equal]
    apart = [(name, share) for name, share in (("median", pair.median), ("max", pair.max)) if share is not None]
    counts = ", ".join(f"{name} {share:+.2%}" for name, share in apart) or "counts not compared"
    return f"as {pair.first.emulator}: {answers}, {counts}"


def where(run: Run) -> str:
    """The emulator, the board, or how many boards."""
    if run.emulator:
        return run.emulator
    try:
        number = len(split(run.board))
    except HilError:  # A file from elsewhere may say anything.
        number = 1
    return run.board if number == 1 else f"{number} boards"


def shared_work(results: Results) -> list[str]:
    """What each board did, if there were several or one was left out; one that was left out comes first."""
    if len(results.boards) < 2 and not any(board.ended for board in results.boards):
        return []
    lost = [f"board {board.name} was left out: {board.ended}" for board in results.boards if board.ended]
    done = ", ".join(
        f"{board.name}{f' ({board.process})' if board.process != 'main' else ''} {board.windows:,}"
        for board in results.boards
    )
    return [*lost, f"windows and inferences by board: {done}"]


def mistakes(run: Run) -> list[Confusion]:
    """What was taken for something else, the most frequent mistake first."""
    confusion = run.parity.confusion if run.parity else []
    return sorted((each for each in confusion if each.truth != each.answer), key=lambda each: -each.windows)


def answers(run: Run) -> str:
    """How the answers compare with those of the reference, in a few words."""
    parity = run.parity
    if parity is None:
        return "not compared"
    if parity.bit_exact:
        return "equal"
    if not parity.mismatches:
        return f"within {parity.max_ulp} ULP" if parity.max_ulp else "within rounding"
    furthest = "an output is no number" if parity.max_abs_diff is None else f"of up to {parity.max_abs_diff:g}"
    return f"{parity.mismatches} differences in {parity.windows} inferences, {furthest}"
