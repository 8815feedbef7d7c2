"""Where Renode is looked for, and which versions are taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.renode_installation import install
from support.targets import STM32F4
from tflm_hil.boards.renode import installation
from tflm_hil.boards.renode.installation import find, version
from tflm_hil.errors import HilError

TARGET = STM32F4


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv(installation.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", "/bin")
    return tmp_path / "home"


def configure(home: Path, text: str) -> None:
    file = home / ".config" / "renode" / "renode-run.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)


def renode_run(home: Path, defaults: dict[str, Path], *installed: Path, version: str = "2.0") -> None:
    """Write the configuration of renode-run."""
    described = {str(folder): {"version": "1.16.1", "variant": "dotnet-portable"} for folder in installed}
    named = {variant: str(folder) for variant, folder in defaults.items()}
    configure(home, json.dumps({"version": version, "installations": described, "default": named}))


def test_the_variable_comes_first_then_renode_run_then_path(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path, installed, named = (install(tmp_path / name, TARGET) for name in ("path", "installed", "named"))
    monkeypatch.setenv("PATH", f"{on_path.parent}:/bin")
    assert find() == on_path
    renode_run(home, {"dotnet-portable": installed.parent}, installed.parent)
    assert find() == installed
    monkeypatch.setenv(installation.VARIABLE, str(named))
    assert find() == named


def test_of_what_renode_run_has_the_default_that_was_tried_is_taken(tmp_path: Path, home: Path) -> None:
    mono, dotnet, other = (install(tmp_path / name, TARGET) for name in ("mono", "dotnet", "other"))
    renode_run(home, {"mono-portable": mono.parent, "dotnet-portable": dotnet.parent}, other.parent)
    assert find() == dotnet
    dotnet.unlink()
    assert find() == mono
    mono.unlink()
    assert find() == other


def test_none_is_told_with_the_remedy_and_nothing_is_downloaded(home: Path) -> None:
    with pytest.raises(
        HilError, match=r"^Renode is not installed; install it \(`renode-run download`; .* HIL_RENODE\)$"
    ):
        find()
    assert not home.exists()


def test_the_configuration_of_another_generation_of_renode_run_counts_for_nothing(tmp_path: Path, home: Path) -> None:
    installed = install(tmp_path / "installed", TARGET)
    renode_run(home, {"dotnet-portable": installed.parent}, installed.parent, version="3.1")
    with pytest.raises(HilError, match=r"^Renode is not installed; "):
        find()


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"version": "2.0", "default": []}', '{"version": "2", "default": 1}']
)
def test_a_damaged_configuration_of_renode_run_is_told(home: Path, text: str) -> None:
    configure(home, text)
    if text.endswith("[]}"):
        with pytest.raises(HilError, match=r"^Renode is not installed; "):
            find()
        return
    with pytest.raises(HilError, match=r"renode-run\.json: it is damaged; delete it, then `renode-run download`$"):
        find()


@pytest.mark.parametrize("named", ["/no/such/renode", "/bin", "/etc/passwd"])
def test_a_variable_that_names_no_executable_is_told(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv(installation.VARIABLE, named)
    with pytest.raises(
        HilError, match=f"^HIL_RENODE={named}: it is no executable file; name the executable of Renode$"
    ):
        find()


def says(tmp_path: Path, script: str) -> Path:
    renode = tmp_path / "renode"
    renode.write_text(f"#!/bin/sh\n{script}\n")
    renode.chmod(0o755)
    return renode


@pytest.mark.parametrize("said", ["Renode v1.16.1", "Renode, version 1.16.1 (1.16.1+20261126)", "renode v1.16.1.5321"])
def test_the_version_is_read(tmp_path: Path, said: str) -> None:
    assert version(says(tmp_path, f"echo '{said}'")).startswith("1.16.1")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "echo 'Renode v1.15.3'",
            " is Renode 1.15.3, and at least 1.16.0 is needed; install it (`renode-run download`;",
        ),
        ("echo 'dotnet not found.' >&2; exit 1", " --version says dotnet not found.; install it ("),
        ("exit 1", " --version says nothing; install it ("),
        ("exec sleep 60", " --version did not end within 0.3 s; install it ("),
    ],
)
def test_one_that_is_too_old_or_does_not_work_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    monkeypatch.setattr(installation, "_VERSION_S", 0.3)
    renode = says(tmp_path, script)
    with pytest.raises(HilError) as raised:
        version(renode)
    assert str(raised.value).startswith(f"{renode}{said}")
    assert "\n" not in str(raised.value)
