"""Where the firmware is: the wheel's or the clone's, never both, and what is said of a wheel that was damaged."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from support.firmware_helpers import ROOT
from tflm_hil.errors import HilError
from tflm_hil.firmware import sources

FILES = {"platformio.ini": b"[platformio]\n", "firmware/src/main.cpp": b"int main() {}\n"}
REMEDY = "; pip install --force-reinstall tflm-hil"


def install(site: Path) -> Path:
    """What pip makes of a wheel, as far as it counts here; returns the package."""
    package = site / "tflm_hil"
    records = []
    for name, content in FILES.items():
        file = package / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        records.append(f"{file.relative_to(site)},sha256={digest},{len(content)}")
    information = site / "tflm_hil-0.1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: tflm-hil\nVersion: 0.1.0\n")
    (information / "RECORD").write_text("\n".join(records) + "\n")
    return package


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = install(tmp_path / "site-packages")
    monkeypatch.setattr(sources, "_PACKAGE", package)
    return package


def test_an_editable_install_takes_the_clones() -> None:
    assert sources.project() == ROOT
    assert sources.folder() == ROOT / "firmware"


def test_an_installed_wheel_takes_its_own(package: Path) -> None:
    """Even from a folder that holds a firmware, and beside an editable install, whose package this test imports."""
    site = package.parent
    (site.parent / "firmware").mkdir()
    (site.parent / "platformio.ini").touch()
    assert sources.project() == package / "project"


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_changed_is_named_with_the_remedy(package: Path, name: str) -> None:
    file = package / "project" / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(HilError, match=f"^{re.escape(str(file))}: .* not as it was installed{REMEDY}$"):
        sources.project()


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_missing_is_named_with_the_remedy(package: Path, name: str) -> None:
    file = package / "project" / name
    file.unlink()
    with pytest.raises(HilError, match=rf"^{re.escape(str(file))}: .* \(No such file or directory\){REMEDY}$"):
        sources.project()


def test_a_wheel_without_any_of_it_is_told_as_well(package: Path) -> None:
    """As a packager makes it who leaves out what is no Python."""
    record = package.parent / "tflm_hil-0.1.0.dist-info" / "RECORD"
    record.write_text("")
    (package / "project" / "platformio.ini").unlink()
    with pytest.raises(HilError, match=f"{re.escape(str(package / 'project'))}: the firmware .* is missing{REMEDY}$"):
        sources.project()
