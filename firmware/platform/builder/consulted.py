"""Tell what decides about a build beside the files that the compiler and the linker read.

Whoever remembers a build finds out with this list whether anything has changed since, without starting PlatformIO: what
these files say, and what is in these folders.
"""

import glob
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FILE = "consulted.json"


def write(env: Any, folders: Iterable[Path]) -> None:
    """Write FILE beside the products; `folders` are those that the builder looks into by itself.

    Remove it if scripts of the user's have a say: nobody knows what they read. The same goes for patterns of files.
    """
    told = Path(env.subst("$BUILD_DIR")) / FILE
    config, libraries = env.GetProjectConfig(), env.GetLibBuilders()
    scripts = [*env.GetProjectOption("extra_scripts", []), *(each.extra_script for each in libraries)]
    if any(scripts) or any(map(glob.has_magic, config.get("platformio", "extra_configs", []))):
        told.unlink(missing_ok=True)
        return
    root = Path(env.subst("$PROJECT_DIR"))
    platform = Path(env.PioPlatform().get_dir())
    files = [*config._parsed, env.BoardConfig().manifest_path, platform / "platform.json", platform / "platform.py"]
    searched = [
        platform / "builder",
        platform / "ldscripts",
        *(env.subst(f"${name}") for name in ("PROJECT_SRC_DIR", "PROJECT_INCLUDE_DIR")),
        *env.GetLibSourceDirs(),
        *(library.path for library in libraries),
        *(env.subst(str(folder)) for folder in env["CPPPATH"]),
        *folders,
    ]
    lists = {"files": files, "folders": searched}
    content = {name: sorted({str(root / path) for path in paths}) for name, paths in lists.items()}
    told.write_text(json.dumps(content), encoding="utf-8")
