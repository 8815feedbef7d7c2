"""Projects with a fake session (support.fake_session), and real runs of pytest on them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tflm_hil.results.model import Results, Run, load

# Only these, because hypothesis and others that are installed would take most of the time. By the names that they have
# for one another: pytest-rerunfailures asks for `xdist`.
PLUGINS = ("xdist", "pytest_rerunfailures", "pytest_repeat")
TESTS = Path(__file__).parents[1]
INT8, FLOAT32 = "m-int8-aot-stm32f4", "m-float32-aot-stm32f4"


class FakeProject:
    """A project whose tests are `suite`. `plugins` are loaded beside ours, before it if they are to be the `first`."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, suite: str) -> None:
        self.pytester = pytester
        self.monkeypatch = monkeypatch
        self.plugins: tuple[str, ...] = PLUGINS
        self.first: tuple[str, ...] = ()
        self.board: tuple[str, ...] = ("--board=emulated",)
        for variable in ("HIL_BOARD", "HIL_MODEL", "HIL_ENGINE", "HIL_TARGET", "HIL_EMULATOR", "HIL_REPORT"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        monkeypatch.setenv("PYTHONPATH", str(TESTS))
        monkeypatch.setattr("tflm_hil.pytest_plugin.startup.Session", None)  # whatever it becomes, it is put back
        pytester.makefile(".ini", platformio="")
        pytester.makeini("[pytest]")
        pytester.makepyfile(test_suite=suite)

    def __call__(self, *arguments: str, apart: bool = False, **environment: str) -> pytest.RunResult:
        """Run the suite, `apart` in a process of its own."""
        with self.monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            run = self.pytester.runpytest_subprocess if apart else self.pytester.runpytest_inprocess
            names = (*self.first, "hil", *self.plugins, "support.fake_session")
            plugins = [argument for name in names for argument in ("-p", name)]
            return run(*plugins, *self.board, *arguments)

    @property
    def results(self) -> Results:
        return load(self.pytester.path / "reports" / "results.json")

    @property
    def verdicts(self) -> dict[str, str]:
        return {run.name: run.verdict for run in self.results.runs}

    def run(self, name: str = INT8) -> Run:
        return next(run for run in self.results.runs if run.name == name)

    @property
    def report(self) -> str:
        return (self.pytester.path / "reports" / "report.md").read_text()

    def junit(self, outcome: str) -> list[str]:
        root = ET.parse(self.pytester.path / "reports" / "junit.xml")
        return [
            f"{case.get('classname')} {case.get('name')}"
            for case in root.iter("testcase")
            if case.find(outcome) is not None
        ]
