"""What a user has without a clone: the wheel in an environment of its own, and the pages that say what to type."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from support import wheel
from support.hil_command import hil
from support.needs import skip_without_tools
from support.wheel import ROOT, Environment
from tflm_hil.commands.scaffold import wave

DOCS = ROOT / "docs"


def contents(folder: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel.wheel_in(folder)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def tracked(*folders: str) -> set[str]:
    """The files of the repository, as git knows them."""
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


def test_the_wheel_holds_the_package_and_the_firmware_and_nothing_else() -> None:
    names = {name for name in contents(wheel.built()) if ".dist-info/" not in name}
    package = {name.removeprefix("harness/") for name in tracked("harness/tflm_hil")}
    firmware = {f"tflm_hil/project/{name}" for name in tracked("firmware", "platformio.ini")}
    assert names == package | firmware
    assert {"tflm_hil/py.typed", "tflm_hil/suite/predictions.py"} <= names


def test_the_source_distribution_makes_the_same_wheel() -> None:
    assert contents(wheel.built()) == contents(wheel.built_directly())


def test_the_metadata_are_what_people_look_for() -> None:
    (text,) = (content for name, content in contents(wheel.built()).items() if name.endswith("METADATA"))
    metadata = message_from_string(text.decode())
    classifiers = metadata.get_all("Classifier", [])
    assert {"Framework :: Pytest", "Typing :: Typed"} <= set(classifiers)
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert {url.partition(",")[0] for url in metadata.get_all("Project-URL", [])} >= {"Homepage", "Changelog", "Issues"}
    links = re.findall(r"\]\((.*?)\)", str(metadata.get_payload()))
    assert links
    assert not [link for link in links if not link.startswith(("https://", "#"))], "nothing is beside it on PyPI"


def commands(page: str, nightly: bool) -> str:
    """The shell commands of a page, in its order: those of all its sh blocks, or without those that take minutes."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh( nightly)?\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert blocks
    return "\n".join(block for slow, block in blocks if nightly or not slow)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with what the pages take for granted."""
    (tmp_path / "my_int8.tflite").write_bytes(wave.network())
    for folder in ("my_recordings", "firmware/data"):
        (tmp_path / folder).mkdir(parents=True)
        for label, text in wave.recordings().items():
            (tmp_path / folder / f"{label}.csv").write_text(text)
    (tmp_path / "firmware" / "platformio.ini").write_text("[env:mine]\nplatform = atmelavr\nboard = uno\n")
    ignored = shutil.ignore_patterns(".hil", "build", "reports", "__pycache__")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=ignored)
    return tmp_path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel, which is read-only, and with the packages of this one."""
    environment = wheel.beside_this_one(tmp_path_factory.mktemp("environment") / "venv")
    for path in [environment.package, *environment.package.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    return environment


def follow(environment: Environment, page: str, place: Path, nightly: bool) -> str:
    skip_without_tools()
    done = environment.run(commands(page, nightly), place)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("nightly", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_what_the_page_about_an_own_repository_says_works(place: Path, nightly: bool) -> None:
    environment = wheel.new_environment(place / "venv")
    said = follow(environment, "in-your-own-repository.md", place, nightly)
    assert re.search(r"^my-int8-aot-stm32f4 .* 100\.0% .* pass$", said, flags=re.MULTILINE)
    assert str(environment.package) in said, "the firmware that hil doctor found"


@pytest.mark.nightly  # test_examples.py builds and tests such a firmware every time
def test_what_the_page_about_own_firmware_says_works(installed: Environment, place: Path) -> None:
    before = _state(installed.package)
    said = follow(installed, "your-own-firmware.md", place, nightly=True)
    assert re.search(r"^wave-int8-external-stm32f4 .* pass$", said, flags=re.MULTILINE)
    assert _state(installed.package) == before, "nothing is written to an installation"


def _state(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_beside_an_editable_install_each_has_its_own_firmware(installed: Environment, tmp_path: Path) -> None:
    own = installed.run("hil path", tmp_path)
    assert own.stdout == f"{installed.package / 'project' / 'firmware'}\n"
    editable = installed.run(f"PYTHONPATH={ROOT / 'harness'} hil path", tmp_path)
    assert editable.stdout == f"{ROOT / 'firmware'}\n"


@pytest.mark.parametrize(("command", "status"), [("hil build wave", 1), ("pytest --board=emulated", 4)])
def test_a_damaged_installation_is_told_in_one_line(
    installed: Environment, tmp_path: Path, command: str, status: int
) -> None:
    assert hil("new", "demo", cwd=tmp_path).returncode == 0
    damaged = installed.package / "project" / "platformio.ini"
    whole = damaged.read_text()
    damaged.chmod(0o644)
    try:
        damaged.write_text(whole[1:])
        done = installed.run(command, tmp_path / "demo")
    finally:
        damaged.write_text(whole)
    assert done.returncode == status
    line, *more = done.stderr.strip().splitlines()
    assert not more, done.stderr
    assert f"{damaged}: a file of tflm-hil is not as it was installed" in line
    assert line.endswith("; pip install --force-reinstall tflm-hil")


WITHOUT_PYTEST = """
import importlib, pkgutil, sys
sys.modules["pytest"] = sys.modules["_pytest"] = None
import tflm_hil
for module in pkgutil.walk_packages(tflm_hil.__path__, "tflm_hil."):
    if not module.name.startswith({exempt!r}):
        importlib.import_module(module.name)
sys.argv = ["hil", "path"]
tflm_hil.cli.main()
"""
EXEMPT = ("tflm_hil.pytest_plugin", "tflm_hil.suite", "tflm_hil.report.junit")


def test_no_command_needs_pytest() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PYTEST.format(exempt=EXEMPT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{ROOT / 'firmware'}\n"


def test_the_package_by_itself_imports_nothing() -> None:
    script = "import sys; before = set(sys.modules); import tflm_hil; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "['tflm_hil']\n"
