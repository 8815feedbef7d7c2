"""Which copy of TensorFlow Lite Micro is taken, and what is said where there is none."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import BadStatusLine
from pathlib import Path

import pytest
from support.firmware_helpers import ROOT
from support.tflm_helpers import NAME, VERSION, pretend_library
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.engines.tflm import library as tflm_library
from tflm_hil.engines.tflm.engine import TflmEngine
from tflm_hil.engines.tflm.library import find, read_library, registry_answers, settings, specification
from tflm_hil.errors import HilError
from tflm_hil.firmware.project import FirmwareProject

PACKAGE = "trylaarsdam/Tensorflow Lite for Microcontrollers (WCL)@1.1.1"


@pytest.fixture(autouse=True)
def no_library_named(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("HIL_TFLM_LIB", raising=False)
    registry_answers.cache_clear()
    yield
    registry_answers.cache_clear()


def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflm_library, "registry_answers", lambda: False)


def no_registry_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> bool:
        raise AssertionError("the registry was asked")

    monkeypatch.setattr(tflm_library, "registry_answers", asked)


def test_the_package_is_named_by_owner_name_and_version() -> None:
    assert specification(ROOT) == PACKAGE


@pytest.mark.parametrize("ini", ["", "[tflm]\nlibrary = Tensorflow\n", "[tflm]\nlibrary = a/b\n"])
def test_a_package_that_is_not_named_so_is_refused(tmp_path: Path, ini: str) -> None:
    (tmp_path / "platformio.ini").write_text(ini)
    with pytest.raises(HilError, match=r"platformio\.ini: \[tflm\] library is .*, not owner/name@version"):
        specification(tmp_path)


def test_the_copy_that_is_named_wins_over_the_installed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_registry_asked(monkeypatch)
    installed = pretend_library(tmp_path / "pio" / "libdeps" / "stm32f4_tflm" / "TFLM", version="1.0.0")
    assert TflmEngine().unavailable(FirmwareProject(tmp_path)) is None
    assert find(tmp_path) == read_library(installed)
    monkeypatch.setenv("HIL_TFLM_LIB", str(pretend_library(tmp_path / "copy")))
    found = find(tmp_path)
    assert found is not None
    assert (found.directory, found.name, found.version) == (tmp_path / "copy", NAME, VERSION)
    assert TflmEngine().versions(FirmwareProject(tmp_path)) == {NAME: VERSION}
    assert TflmEngine().unavailable(FirmwareProject(tmp_path)) is None


def test_other_installed_libraries_are_none(tmp_path: Path) -> None:
    other = tmp_path / "pio" / "libdeps" / "x" / "Other"
    other.mkdir(parents=True)
    (other / "library.json").write_text("{}")
    assert find(tmp_path) is None


@pytest.mark.parametrize("lost", ["library.json", "micro_interpreter.h", "micro_mutable_op_resolver.h"])
def test_a_named_directory_that_holds_none_is_told_with_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    copy = pretend_library(tmp_path / "copy")
    next(copy.rglob(lost)).unlink()
    monkeypatch.setenv("HIL_TFLM_LIB", str(copy))
    with pytest.raises(HilError, match=rf"HIL_TFLM_LIB=.*copy: this directory has no .*{lost}; .*unset it"):
        TflmEngine().unavailable(FirmwareProject(tmp_path))
    assert AotEngine().unavailable(FirmwareProject(tmp_path)) is None


@pytest.mark.parametrize("named", ["~/copy", "copy"])
def test_the_copy_is_named_from_home_or_from_where_the_command_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    copy = pretend_library(tmp_path / "copy")
    monkeypatch.setenv("HOME", str(tmp_path if named.startswith("~") else tmp_path / "home"))
    monkeypatch.chdir(tmp_path if not named.startswith("~") else ROOT)
    monkeypatch.setenv("HIL_TFLM_LIB", named)
    assert find(tmp_path) == read_library(copy)


def test_a_copy_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    for name in ("nowhere", "file"):
        monkeypatch.setenv("HIL_TFLM_LIB", str(tmp_path / name))
        with pytest.raises(HilError, match=rf"HIL_TFLM_LIB=.*/{name}: is no directory; name one that .*, or unset it"):
            find(tmp_path)


@pytest.mark.parametrize("manifest", ["", "[]", '{"name": "x"}'])
def test_a_broken_manifest_is_told(tmp_path: Path, manifest: str) -> None:
    copy = pretend_library(tmp_path / "copy")
    (copy / "library.json").write_text(manifest)
    with pytest.raises(HilError, match=r"library\.json: has no name and version"):
        read_library(copy)


def test_without_a_copy_and_a_registry_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offline(monkeypatch)
    reason = TflmEngine().unavailable(FirmwareProject(tmp_path))
    assert reason is not None
    assert "HIL_TFLM_LIB" in reason
    assert PACKAGE in reason
    assert "\n" not in reason


def test_what_can_be_fetched_is_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflm_library, "registry_answers", lambda: True)
    assert TflmEngine().unavailable(FirmwareProject(tmp_path)) is None
    assert TflmEngine().versions(FirmwareProject(tmp_path)) == {"Tensorflow Lite for Microcontrollers (WCL)": "1.1.1"}
    assert AotEngine().versions(FirmwareProject(tmp_path)) == {}


@pytest.mark.parametrize(
    ("error", "answers"),
    [
        (urllib.error.HTTPError("", 405, "", None, None), True),  # type: ignore[arg-type]
        (urllib.error.URLError("no address"), False),
        (TimeoutError(), False),
        (BadStatusLine("no HTTP"), False),
        (ValueError("a proxy without an address"), False),
    ],
)
@pytest.mark.filterwarnings("error")
def test_any_answer_of_the_registry_is_one_and_it_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, error: Exception, answers: bool
) -> None:
    asked: list[str] = []

    def urlopen(request: urllib.request.Request, timeout: float) -> None:
        assert timeout <= 5
        asked.append(request.full_url)
        raise error

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    assert registry_answers() is answers
    assert registry_answers() is answers
    assert asked == ["https://api.registry.platformio.org/"]


def test_a_registry_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def urlopen(_request: urllib.request.Request, timeout: float) -> None:
        released.wait(60)
        raise TimeoutError(timeout)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    monkeypatch.setattr(tflm_library, "REGISTRY_SECONDS", 0.05)
    assert registry_answers() is False
    released.set()


def test_operators_are_those_that_the_resolver_of_this_copy_can_add(tmp_path: Path) -> None:
    library = read_library(pretend_library(tmp_path / "copy"))
    assert library.operators == {
        "FULLY_CONNECTED": "FullyConnected",
        "SOFTMAX": "Softmax",
        "CUSTOM CIRCULAR_BUFFER": "CircularBuffer",
    }


def test_a_local_copy_stands_in_for_the_package_of_platformio_ini(tmp_path: Path) -> None:
    library = read_library(pretend_library(tmp_path / "copy"))
    ini = tmp_path / "image" / "tflm.ini"
    assert settings(library, tmp_path, tmp_path, "stm32f4_tflm", ini) == {
        "HIL_TFLM_SOURCE": str(library.directory),
        "HIL_TFLM_CONFIG": "image/tflm.ini",
    }
    assert ini.read_text() == "[tflm]\nlibrary = symlink://${sysenv.HIL_TFLM_SOURCE}\n"


def test_the_copy_that_platformio_installed_for_an_environment_is_its_own(tmp_path: Path) -> None:
    library = read_library(pretend_library(tmp_path / "pio" / "libdeps" / "stm32f4_tflm" / "TFLM"))
    ini = tmp_path / "tflm.ini"
    assert settings(library, tmp_path, tmp_path, "stm32f4_tflm", ini) == {"HIL_TFLM_SOURCE": str(library.directory)}
    assert "HIL_TFLM_CONFIG" in settings(library, tmp_path, tmp_path, "stm32f4_tflm_debug", ini), (
        "it serves the others too"
    )
