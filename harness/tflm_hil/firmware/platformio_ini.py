"""What platformio.ini says, read as PlatformIO reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformio.exception import PlatformioException
from platformio.project.config import ProjectConfig

from tflm_hil.errors import HilError

FILE = "platformio.ini"


def environments(root: Path) -> list[str]:
    """The environments. Raises HilError where the file cannot be read."""
    with _reading(root) as config:
        config.validate(silent=True)
        return list(config.envs())


def option(root: Path, section: str, name: str) -> str:
    """The value of an option; "" where there is none. Raises HilError like `environments`."""
    with _reading(root) as config:
        return str(config.get(section, name, ""))


@contextmanager
def _reading(root: Path) -> Iterator[ProjectConfig]:
    file = root / FILE
    try:
        file.read_text(encoding="utf-8")
        yield ProjectConfig(str(file))
    except OSError as error:
        raise HilError(f"{file}: cannot be read ({error.strerror}); is this a tflm-hil project?") from error
    except UnicodeDecodeError as error:
        raise HilError(f"{file}: is not text in UTF-8 (byte {error.start}); correct it") from error
    except PlatformioException as error:
        raise HilError(f"{' '.join(str(error).split())}; correct {file}") from error
