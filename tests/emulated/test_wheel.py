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


@pytest.mark.parametrize("nightly", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_what_the_page_about_own_firmware_says_works(place: Path, nightly: bool) -> None:
    environment = wheel.beside_this_one(place / "venv")
    before = _state(environment.package)
    for path in [environment.package, *environment.package.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    said = follow(environment, "your-own-firmware.md", place, nightly)
    assert re.search(r"^wave-int8-external-stm32f4 .* pass$", said, flags=re.MULTILINE)
    assert _state(environment.package) == before, "nothing is written to an installation"


def _state(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_beside_an_editable_install_each_has_its_own_firmware(tmp_path: Path) -> None:
    environment = wheel.beside_this_one(tmp_path / "venv")
    installed = environment.run("hil path", tmp_path)
    assert installed.stdout == f"{environment.package / 'project' / 'firmware'}\n"
    editable = environment.run(f"PYTHONPATH={ROOT / 'harness'} hil path", tmp_path)
    assert editable.stdout == f"{ROOT / 'firmware'}\n"
    once = environment.run("pytest --hil-board=emulated --collect-only -q", ROOT / "examples" / "bare-metal")
    assert once.returncode == 0, once.stdout + once.stderr


def test_a_damaged_installation_is_told_in_one_line(tmp_path: Path) -> None:
    environment = wheel.beside_this_one(tmp_path / "venv")
    assert environment.run("hil new demo", tmp_path).returncode == 0
    damaged = environment.package / "project" / "platformio.ini"
    damaged.write_text(damaged.read_text()[1:])
    for command, status in (("hil build wave", 1), ("pytest --board=emulated", 4)):
        done = environment.run(command, tmp_path / "demo")
        assert done.returncode == status
        line, *more = done.stderr.strip().splitlines()
        assert not more, done.stderr
        assert f"{damaged}: a file of tflm-hil is not as it was installed" in line
        assert line.endswith("; pip install --force-reinstall tflm-hil")


WITHOUT_PYTEST = """
import sys
sys.modules["pytest"] = sys.modules["_pytest"] = None
from tflm_hil.cli import main
for command in {commands!r}:
    sys.argv = ["hil", *command.split()]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, (command, ended.code)
"""
COMMANDS = [
    *("--help", "--version", "path", "inspect gesture", "build gesture", "replay gesture punch/001"),
    *("trace gesture", "bench examples/wave/models/wave/wave_int8.tflite --engine aot"),
]


def test_no_command_needs_pytest() -> None:
    skip_without_tools()
    script = WITHOUT_PYTEST.format(commands=COMMANDS)
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
