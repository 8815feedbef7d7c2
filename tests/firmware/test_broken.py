"""Files of the project that are broken or missing: one line that names what is wrong, before anything is compiled."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.firmware_helpers import ROOT
from support.targets import STM32F4
from tflm_hil.errors import HilError
from tflm_hil.firmware import platformio
from tflm_hil.firmware import platformio_ini as configuration
from tflm_hil.firmware.build_dir import BuildDir

ENVIRONMENT = "stm32f4_aot"
PLATFORM = "firmware/platform"
TARGET = "../../targets/stm32f4.toml"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"garbage\n", r"Invalid '.*platformio\.ini'.*line: 1"),
        (b"\x7fELF\xff\xfe\x00\x01", r"platformio\.ini: is not text in UTF-8 \(byte 4\); correct it"),
        (b"", r"setup environments in `platformio\.ini`.*; correct .*/platformio\.ini"),
        (b"[platformio]\nsrc_dir = src\n", r"setup environments in `platformio\.ini`.*; correct .*/platformio\.ini"),
        (b"[env:a b]\n", r"Invalid environment name 'a b'"),
        (None, r"platformio\.ini: cannot be read \(No such file or directory\)"),
    ],
)
def test_a_configuration_that_is_none(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "platformio.ini").write_bytes(content)
    with pytest.raises(HilError, match=said) as caught:
        configuration.environments(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of which PlatformIO reads all that there is before the first source."""
    root = tmp_path_factory.mktemp("broken")
    shutil.copytree(ROOT / PLATFORM, root / PLATFORM, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("platformio.ini", "firmware/environments.ini"):
        shutil.copy(ROOT / name, root / name)
    (root / "firmware" / "lib").mkdir()
    (root / "firmware" / "application").mkdir()
    (root / "generated").mkdir()
    (root / "targets").mkdir()
    (root / "generated" / "model_config.h").touch()
    return root


@pytest.fixture
def whole(project: Path) -> Iterator[Path]:
    """The project, with every file in place before."""
    shutil.copy(STM32F4.file, project / "targets")
    yield project
    shutil.copytree(
        ROOT / PLATFORM, project / PLATFORM, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
    )


def build(root: Path) -> None:
    hil = root / ".hil"
    hil.mkdir(exist_ok=True)
    settings = platformio.build_variables(root / "generated", hil / "build")
    platformio.run(BuildDir(root, hil, "broken", STM32F4, ENVIRONMENT), settings, hil / "build.log")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("platform.json", b"{", r"'platform\.json' manifest"),
        ("platform.json", None, r"'platform\.json' manifest"),
        (TARGET, b"\xff = 1", r"targets/stm32f4\.toml: no target of this firmware \(UnicodeDecodeError"),
        (TARGET, b"chip = ", r"targets/stm32f4\.toml: no target of this firmware \(TOMLDecodeError"),
        (TARGET, b"chip = 1", r"targets/stm32f4\.toml: no target of this firmware \(KeyError"),
        (TARGET, None, "Unknown board ID 'stm32f4'"),
        ("platform.py", b"x = (\n", r"platform\.py:1: SyntaxError"),
        ("builder/main.py", b"x = (\n", r"builder/main\.py:1: SyntaxError"),
        ("builder/main.py", b"\nraise ValueError('no')\n", r"builder/main\.py:2: ValueError.*no"),
        ("builder/main.py", None, r"/platform/base\.py:\d+: NotImplementedError"),
        ("builder/products.py", None, r"builder/main\.py:\d+: ModuleNotFoundError.*products"),
    ],
)
def test_a_platform_that_is_broken(whole: Path, name: str, content: bytes | None, said: str) -> None:
    file = whole / PLATFORM / name
    file.unlink() if content is None else file.write_bytes(content)
    with pytest.raises(HilError, match=rf"^{ENVIRONMENT}: the build failed: .*{said}.*; see .*/build\.log$") as caught:
        build(whole)
    assert "\n" not in str(caught.value)
