"""What other tools need in a project: tox and git."""

from __future__ import annotations

import importlib.metadata
import json
import tomllib
from collections.abc import Mapping
from configparser import ConfigParser, Error
from pathlib import Path

from tflm_hil.commands.scaffold import texts
from tflm_hil.commands.scaffold.parts import Content
from tflm_hil.configuration import PLATFORMIO_FILE
from tflm_hil.firmware.sources import DISTRIBUTION


def files(root: Path) -> tuple[dict[str, Content], list[str]]:
    """The files to write to `root` for tools that are not set up there, and what to do about those that are."""
    written: dict[str, Content] = {}
    left: list[str] = []
    shared, setup = _shared(root), _setup(root)
    if "tox" in shared or setup.has_section("tox:tox") or _any(root, "tox.ini", "tox.toml"):
        left.append("tox is set up already: give it an environment whose command is `pytest --board=emulated`")
    else:
        tested = "pytest" in shared or setup.has_section("tool:pytest") or _any(root, "pytest.ini", ".pytest.ini")
        written["tox.ini"] = texts.TOX.format(requirement=_requirement()) + ("" if tested else texts.PYTEST)
    if _any(root, ".gitignore"):
        left.append(f".gitignore is there already: add {' and '.join(texts.IGNORED.split())} to it")
    else:
        written[".gitignore"] = texts.IGNORED
    if _any(root, PLATFORMIO_FILE):
        left.append(
            f"{PLATFORMIO_FILE} stays as it is: the network is tested in the firmware of {DISTRIBUTION}. "
            "To test your own, name its environment in [application] of hil.toml"
        )
    return written, left


def _any(root: Path, *names: str) -> bool:
    return any((root / name).exists() for name in names)


def _shared(root: Path) -> Mapping[str, object]:
    """The tables of pyproject.toml for tools; a file that is wrong is for those tools to complain about."""
    try:
        tools = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError):
        return {}
    return tools if isinstance(tools, dict) else {}


def _setup(root: Path) -> ConfigParser:
    setup = ConfigParser(interpolation=None, strict=False)
    try:
        setup.read(root / "setup.cfg", encoding="utf-8")
    except (Error, UnicodeDecodeError):
        return ConfigParser()
    return setup


def _requirement() -> str:
    """What tox is to install: from where this very distribution was installed."""
    distribution = importlib.metadata.distribution(DISTRIBUTION)
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    url = str(origin.get("url", "")).replace("{", "\\{")
    if not url:
        return f"{DISTRIBUTION}>={distribution.version}"
    if origin.get("dir_info", {}).get("editable"):
        return f"-e {url}"
    if source := origin.get("vcs_info"):
        return f"{DISTRIBUTION} @ {source['vcs']}+{url}@{source['commit_id']}"
    return f"{DISTRIBUTION} @ {url}"
