"""Runs PlatformIO: with an environment of its own, and with one line about what went wrong."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tflm_hil import processes
from tflm_hil.errors import InfrastructureError
from tflm_hil.firmware import environments, sources, toolchain
from tflm_hil.firmware.build_dir import OBJECTS, BuildDir
from tflm_hil.firmware.build_lock import build_lock
from tflm_hil.firmware.explanation import explain, overflow
from tflm_hil.firmware.memory import TooLargeError
from tflm_hil.firmware.up_to_date import Memory
from tflm_hil.progress import Say, silent

# A file in the working directory must not be taken for one of its modules.
_PIO = (sys.executable, "-P", "-m", "platformio")
_INTERRUPT_S = 10.0

Watch = Callable[[str], None]
"""Is told each line that PlatformIO says, while it says it."""


def command(root: Path, environment: str) -> list[str]:
    """The argv that builds `environment` of the project at `root`."""
    return [*_PIO, "run", "--project-dir", str(root), "--environment", environment]


def upload(build_dir: BuildDir, port: str | None) -> tuple[list[str], dict[str, str]]:
    """The argv and the variables that put what was built in `build_dir` onto a board.

    PlatformIO looks whether that is up to date and finds that it is: not all platforms can leave that out.
    """
    argv = [*command(build_dir.root, build_dir.environment), "--target", "upload"]
    argv += ["--upload-port", port] if port else []
    return argv, _variables(build_dir, {"PLATFORMIO_BUILD_DIR": str(build_dir.build)})


def install_command(root: Path, environment: str) -> list[str]:
    """The argv that installs the libraries of `environment`, and builds nothing."""
    return [*_PIO, "pkg", "install", "--project-dir", str(root), "--environment", environment]


def variables(inherited: Mapping[str, str], build_root: Path) -> dict[str, str]:
    """The environment variables of PlatformIO: of `inherited` only what says where things are.

    PlatformIO keeps all of its own below `build_root`, tells nobody that it ran and asks for no update.
    """
    return toolchain.variables(inherited) | {
        "PLATFORMIO_BUILD_CACHE_DIR": str(build_root / OBJECTS),
        "PLATFORMIO_CORE_DIR": str(build_root / "platformio"),
        "PLATFORMIO_DISABLE_PROGRESSBAR": "true",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_NO_ANSI": "true",
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_WORKSPACE_DIR": str(build_root / "pio"),
        "PYTHONUTF8": "1",
        sources.VARIABLE: str(sources.folder()),
        "PYTHONUNBUFFERED": "1",  # or its progress would come in one piece
    }


def build_variables(generated: Path, build_dir: Path) -> dict[str, str]:
    """What a build is told beside: where the generated sources are, and where it is to leave what it builds."""
    return {"HIL_GENERATED": str(generated), "PLATFORMIO_BUILD_DIR": str(build_dir)}


def run(build_dir: BuildDir, settings: Mapping[str, str], log: Path, watch: Watch = silent, say: Say = silent) -> None:
    """Build one environment with the variables `settings`; everything that PlatformIO says is in `log` afterwards.

    One build at a time in a build root: they share PlatformIO's own directory. `say` is told of the wait.

    Raises:
        TooLargeError: it does not fit the target.
        InfrastructureError: it failed otherwise. The line says the first error and where the log is.
    """
    environment = build_dir.environment
    if not _execute(command(build_dir.root, environment), build_dir, settings, log, watch, say):
        said = _text(log)
        if excess := overflow(said):
            regions = " and ".join(f"{region} by {size} bytes" for region, size in excess.items())
            raise TooLargeError(
                f"{environment}: the image is too large for the target, it exceeds {regions}", excess, log
            )
        raise InfrastructureError(f"{environment}: {explain(said)}; see {log}")


def bring_up_to_date(
    build_dir: BuildDir, elf: Path, settings: Mapping[str, str], log: Path, watch: Watch, say: Say
) -> None:
    """Run it as `run` does, if anything that had a part in `elf` has changed since it was made.

    Only for projects that our development platform builds, which tells what has a part. Raises HilError like `run`.
    """
    asked = command(build_dir.root, build_dir.environment), _variables(build_dir, settings)
    memory = Memory(log.with_suffix(".json"), elf, build_dir.root, build_dir.build_root, asked)
    if memory.is_up_to_date():
        log.write_text("Nothing has changed since the last build.\n", encoding="utf-8")
        return
    memory.forget()
    run(build_dir, settings, log, watch, say)
    memory.remember()


def install(build_dir: BuildDir, log: Path) -> None:
    """Install the libraries that the environment names, from the registry.

    Raises:
        InfrastructureError: it failed.
    """
    environment = build_dir.environment
    if not _execute(install_command(build_dir.root, environment), build_dir, {}, log, silent, silent):
        lines = [line.strip() for line in _text(log).splitlines() if line.strip()]
        raise InfrastructureError(
            f"{environment}: PlatformIO cannot install its libraries: {lines[-1] if lines else ''}; see {log}"
        )


def _execute(
    argv: list[str], build_dir: BuildDir, settings: Mapping[str, str], log: Path, watch: Watch, say: Say
) -> bool:
    with (
        build_lock(build_dir.build_root / "platformio.lock", argv[-1], say),
        log.open("w", encoding="utf-8", buffering=1) as output,
        subprocess.Popen(
            argv,
            env=_variables(build_dir, settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            process_group=0,
            preexec_fn=processes.die_with_parent(),
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                output.write(line)
                watch(line)
        except BaseException:
            # It would go on for minutes, beside the next build. Interrupted, SCons keeps what it has compiled.
            processes.stop_group(process, _INTERRUPT_S)
            raise
    return process.returncode == 0


def _variables(build_dir: BuildDir, settings: Mapping[str, str]) -> dict[str, str]:
    """All variables of a PlatformIO that is started for `build_dir`."""
    return variables(os.environ, build_dir.build_root) | environments.variables(build_dir) | dict(settings)


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")
