"""Measuring networks, engine by engine: each is a run of the results model, and its goals are the tests of the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from tflm_hil.boards.spec import AUTO, RTT, UART
from tflm_hil.commands.bench import goals
from tflm_hil.commands.bench.subjects import Subject
from tflm_hil.engines.engine import Engine
from tflm_hil.errors import HilError
from tflm_hil.lab import contributions
from tflm_hil.lab.build import Build, Firmware
from tflm_hil.lab.dut import DeviceUnderTest
from tflm_hil.lab.measurement import Measurement, TensorMeasurement
from tflm_hil.lab.session import Session
from tflm_hil.models.macs import multiply_accumulates
from tflm_hil.models.stimuli import stimuli
from tflm_hil.models.tflite_file import Graph
from tflm_hil.progress import Say
from tflm_hil.progress import silent as unsaid
from tflm_hil.results import environment, merge
from tflm_hil.results.groups import Goal
from tflm_hil.results.judge import judge
from tflm_hil.results.model import Results, Run
from tflm_hil.results.parts import BenchPart, Contribution

ANSWERS = "answers"
"""The test of a run that measures the network and compares its answers; without it there is no other."""
GOALS = "goals"
"""The test that fails if a goal cannot be measured."""


@dataclass
class _Bench:
    """One network with one engine, and what its tests have reported so far."""

    engine: Engine
    subject: Subject
    build: Build
    plan: dict[str, merge.Planned]
    reports: list[merge.Report] = field(default_factory=list)


class Bench:
    """Measures `subjects` with each engine of the session on its board and target."""

    def __init__(self, session: Session, subjects: Sequence[Subject]) -> None:
        self._session = session
        git = environment.git(session.options.root)
        self._ended: Callable[..., merge.Session] = partial(
            merge.Session,
            created=environment.created(),
            code=environment.code(git),
            git=git,
            host=environment.host(),
            toolchain=session.toolchain,
            missing_engines=session.missing_engines,
        )
        self._benches = [self._bench(engine, subject) for engine in session.engines for subject in subjects]

    @property
    def results(self) -> Results:
        """What has been measured so far. A run whose turn has not come is incomplete."""
        return self._judged(self._benches)

    def measure(self, run_dir: Path, say: Say = unsaid) -> Iterator[Run]:
        """Measure one after another, all with the first engine before any with the next; yields each as it is done.

        Nothing that goes wrong with one of them keeps the others from being measured. `say` is told what takes its
        time.
        """
        compiled: dict[str, _Bench] = {}
        for number, bench in enumerate(self._benches, 1):
            what = f"{bench.subject.name} with {bench.engine.name} ({number} of {len(self._benches)})"
            say(what)
            try:
                self._measure(bench, run_dir, partial(_say_of, say, what))
            except HilError as error:
                self._report(bench, GOALS if bench.reports else ANSWERS, "failed", str(error))
            if bench.engine.compiles:
                compiled.setdefault(bench.subject.name, bench)
            elif ours := compiled.get(bench.subject.name):
                self._add_goals(ours, goals.never_slower(self._run(ours), self._run(bench)))
            yield self._run(bench)
        say("the links")
        self._measure_links(run_dir, say)
        for bench in {bench.subject.model.name: bench for bench in reversed(self._benches)}.values():
            model = bench.subject.model
            if model.windowed:
                self._add_goals(bench, [goals.distinct_windows(model, self._session.all_recordings(model))])

    def _bench(self, engine: Engine, subject: Subject) -> _Bench:
        build = Build(subject.model, subject.variant, engine.name, self._session.targets[0].name)
        key = contributions.run_key(self._session.board, build)
        return _Bench(engine, subject, build, {ANSWERS: merge.Planned(key, ANSWERS, "", True)})

    def _judged(self, benches: Iterable[_Bench]) -> Results:
        benches = list(benches)
        plan = [planned for bench in benches for planned in bench.plan.values()]
        reports = [report for bench in benches for report in bench.reports]
        return judge(merge.merge(None, self._ended(plan=plan, reports=reports)))

    def _run(self, bench: _Bench) -> Run:
        (run,) = self._judged([bench]).runs
        return run

    def _report(
        self, bench: _Bench, test: str, outcome: str, reason: str | None = None, measured: Sequence[Contribution] = ()
    ) -> None:
        planned = merge.Planned(bench.plan[ANSWERS].run, test, "", True)
        bench.plan[test] = planned
        bench.reports += [
            merge.Report(planned, 1, "call", outcome, reason, measured=measured),
            merge.Report(planned, 1, "teardown", "passed"),
        ]

    def _add_goals(self, bench: _Bench, found: Iterable[Goal]) -> None:
        for goal in found:
            part = Contribution(bench=BenchPart(goals=[msgspec.to_builtins(goal)]))
            reason = None if goal.met else f"{goal.measured}, {goal.limit}"
            self._report(bench, goal.what, "passed" if goal.met else "failed", reason, [part])

    def _measure(self, bench: _Bench, run_dir: Path, say: Say) -> None:
        session, subject, engine = self._session, bench.subject, bench.engine
        firmware = session.firmware(bench.build, say=say)
        with self._device(firmware, AUTO, run_dir, say) as device:
            self._measure_network(bench, device)
        if subject.own:
            self._add_goals(bench, goals.budget(firmware, self._run(bench)))
            if subject.model.windowed:
                with self._device(firmware, UART, run_dir, say) as device:
                    self._add_goals(bench, [goals.streaming(device, session.all_recordings(subject.model))])
        if not engine.compiles:
            return
        run = self._run(bench)
        if subject.of_set is None:
            self._add_goals(bench, [*goals.plan(run), *goals.against_upstream(run)])
        elif subject.of_set.most is not None:
            self._add_goals(bench, goals.per_unit(run, subject.of_set.most))

    def _measure_links(self, run_dir: Path, say: Say) -> None:
        """Compare the links with the network that computes least: the others measure the core."""
        session = self._session
        streamed = [bench for bench in self._benches if bench.subject.own and bench.subject.model.windowed]
        counts = {goals.slowest(self._run(bench)): bench for bench in reversed(streamed)}
        counts.pop(None, None)
        if not counts:
            return
        bench = counts[min(filter(None, counts))]
        try:
            firmware = session.firmware(bench.build, say=say)
            with (
                self._device(firmware, RTT, run_dir, say) as rings,
                self._device(firmware, UART, run_dir, say) as uart,
            ):
                self._add_goals(bench, goals.links(rings, uart, session.all_recordings(bench.subject.model)))
        except HilError as error:
            self._report(bench, GOALS, "failed", str(error))

    @contextmanager
    def _device(self, firmware: Firmware, link: str, run_dir: Path, say: Say) -> Iterator[DeviceUnderTest]:
        """A board for each: one that a crash left behind must not spoil the next one's figures."""
        session = self._session
        board = session.open_board(run_dir, say, session.board.choices[0].over(link))
        try:
            with session.connected(board, firmware, run_dir / f"{firmware.name}-{link}.log", say=say) as device:
                yield device
        finally:
            board.close()

    def _measure_network(self, bench: _Bench, device: DeviceUnderTest) -> None:
        firmware, subject = device.firmware, bench.subject
        reference = self._session.reference(firmware.variant.path)
        measured: Measurement | TensorMeasurement
        if firmware.model.windowed:
            measured = device.stream(self._session.all_recordings(firmware.model))
        else:
            measured = device.infer(stimuli(reference.inputs))
        parity = measured.parity(reference)
        found = [
            contributions.of_measurement(measured),
            contributions.of_parity(parity, firmware, reference.name),
            contributions.of_footprint(firmware, device.info.arena_bytes, device.status().stack_peak),
            Contribution(bench=self._work(subject, bench.engine, reference.graph)),
        ]
        differing = len(parity.mismatches)
        reason = f"{differing} of {parity.windows} inferences differ from the reference" if differing else None
        self._report(bench, ANSWERS, "failed" if differing else "passed", reason, found)

    def _work(self, subject: Subject, engine: Engine, graph: Graph) -> BenchPart:
        if subject.of_set is not None:
            return BenchPart(work=subject.of_set.work, unit=subject.of_set.unit)
        part = BenchPart(work=_macs(graph), unit="MAC")
        if engine.compiles:
            started = time.monotonic()
            estimate = engine.check(subject.variant.path, self._session.project)
            seconds = time.monotonic() - started
            if estimate is not None:
                sizes = asdict(estimate)
                del sizes["constant_bytes"]
                part["compilation"] = {"seconds": seconds, **sizes}
        return part


def _say_of(say: Say, what: str, text: str) -> None:
    say(f"{what}: {text}")


def _macs(graph: Graph) -> int:
    counts = [multiply_accumulates(graph, operator) for operator in graph.operators]
    return sum(count for count in counts if count is not None) if None not in counts else 0
