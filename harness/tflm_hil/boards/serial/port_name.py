"""What a user may call a port: a device file, a COM port, or a URL."""

import importlib
import os
import pkgutil
import re
from pathlib import Path
from urllib.parse import urlsplit

from serial import urlhandler
from serial.tools import list_ports

from tflm_hil.errors import HilError

RTT = "rtt"
"""Our scheme: what a debug probe's program serves of the rings in memory, a plain stream of bytes over TCP."""

NETWORK = ("socket", "rfc2217", RTT)
_LOCAL = ("spy", "alt")
"""Schemes of pyserial in front of a device file: it says what passes, or takes another implementation."""

_PREFIX = "protocol_"


def scheme(port: str) -> str:
    """Return the scheme of a URL such as socket://host:3000, in small letters; "" of a device file."""
    before, separator, _ = port.partition("://")
    return before.lower() if separator else ""


def device_file(port: str) -> Path | None:
    """Return the file that a name leads to, as far as the name says: not a host's, nor one yet to be looked for."""
    kind = scheme(port)
    if kind in _LOCAL:
        parts = urlsplit(port)
        port = parts.netloc + parts.path
    elif kind:
        return None
    return None if is_com(port) else Path(port)


def canonical(port: str) -> str:
    """Return one name for all names of a port: /dev/serial/by-id/... is a link to it, and spy:// leads to it."""
    file = device_file(port)
    return port if file is None else os.path.realpath(file)


def list_of_ports() -> str:
    """Return the ports of this machine for the end of an error message."""
    return f"serial ports here: {', '.join(sorted(port.device for port in list_ports.comports())) or 'none'}"


def is_com(port: str) -> bool:
    """Return whether this is the name of a port of Windows, such as COM3."""
    return re.fullmatch(r"COM\d+", port, re.IGNORECASE) is not None


def url_schemes() -> list[str]:
    """Return the schemes of the URLs that pyserial knows, and our own, as far as what they need is installed."""
    return sorted(known for known in _known_schemes() if not why_unusable(known))


def why_unusable(kind: str) -> str:
    """Return what a scheme needs and does not find: cp2110 has a dependency of its own. "" if there is nothing."""
    if kind == RTT or kind not in _known_schemes():
        return ""
    try:
        importlib.import_module(f"{urlhandler.__name__}.{_PREFIX}{kind}")
    except ImportError as error:
        return f"{kind}:// does not work here ({error}): pip install 'pyserial[{kind}]'"
    return ""


def is_url(port: str) -> bool:
    """Return whether this is a URL that pyserial knows, or one of ours."""
    return scheme(port) in _known_schemes()


def check(port: str) -> None:
    """Raise HilError for a port or URL that leads to none."""
    if not port:
        raise HilError(f"the board has no port: name one; {list_of_ports()}")
    if why := why_unusable(scheme(port)):
        raise HilError(f"board {port}: {why}")
    if scheme(port) in NETWORK:
        host_and_port(port)
    file = device_file(port)  # Opening the others tells.
    if file is not None and (why := why_not_there(file)):
        raise HilError(f"board {port}: {why}; {list_of_ports()}")


def why_not_there(file: Path) -> str:
    """Return why nothing of that name can be opened; "" if there is something."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the latter for a name with a null character
        return "there is no such port"
    except OSError as error:
        return f"there is no way to it: {error.strerror}"
    return ""


def host_and_port(port: str) -> tuple[str, int]:
    """Return where socket://HOST:PORT and the like lead. Raises HilError where it is none."""
    try:
        parts = urlsplit(port)
        host, number = parts.hostname, parts.port
    except ValueError:  # a port beyond 65535, or brackets that are no address
        host = number = None
    if not host or not number:
        raise HilError(f"board {port}: expected {scheme(port)}://HOST:PORT")
    return host, number


def _known_schemes() -> list[str]:
    modules = [name for _, name, _ in pkgutil.iter_modules(urlhandler.__path__)]
    return [RTT, *(name.removeprefix(_PREFIX) for name in modules if name.startswith(_PREFIX))]
