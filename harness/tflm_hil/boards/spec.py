"""What `--board` says, taken apart once."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tflm_hil.boards.board_file import FILE, NamedBoard
from tflm_hil.boards.serial import port_name
from tflm_hil.errors import HilError

EMULATED = "emulated"
AUTO = "auto"
UART, RTT = "uart", "rtt"
"""The links to a board's firmware; AUTO takes the faster one if there are both."""

SERIAL = "serial"
"""The kind of a board that is named by its port alone."""

_SEPARATOR = re.compile(r",(?![^/:=,]*=)")
"""A comma, unless what follows is TAG=VALUE: that belongs to the board before it."""

_NONE = f"no board is named; name {EMULATED}, a port, or one of those that `hil boards` lists"

_KIND = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)


@dataclass(frozen=True)
class BoardSpec:
    """A board: its `kind`, and which of that kind by `address` and `options`.

    `text` is what the user calls it, without the options: those say how to get it, not which it is. `named` is what
    hil-boards.toml says of it, if `text` is a name from there, and `link` the one that is asked for.
    """

    text: str
    kind: str
    address: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    named: NamedBoard | None = None
    link: str = AUTO


def split(text: str) -> list[str]:
    """Return the boards that `text` names, separated by commas; `labgrid:kind=nucleo,site=x` is one of them.

    Raises HilError if one has no name.
    """
    parts = [part.strip() for part in _SEPARATOR.split(text)]
    if parts == [""]:
        raise HilError(_NONE)
    if not all(parts):
        raise HilError(f"board {text}: there is nothing on one side of a comma; name a board there, or delete it")
    return parts


def parse(text: str, kinds: Collection[str], names: Collection[str] = ()) -> BoardSpec:
    """Return what `text` names: EMULATED, a port, a URL of pyserial, or KIND:ADDRESS?OPTION=VALUE with one of `kinds`.

    Raises HilError that lists what there is, `names` among them.
    """
    if not text.strip():
        raise HilError(_NONE)
    if text == EMULATED:
        return BoardSpec(text, EMULATED)
    named = _KIND.fullmatch(text)
    if named is None:
        if "/" not in text and not port_name.is_com(text):
            raise HilError(f"unknown board {text}; {_choices(kinds, names)}; {port_name.list_of_ports()}")
        return BoardSpec(text, SERIAL, text)
    kind, rest = {known.lower(): known for known in kinds}.get(named[1].lower()), named[2]
    if kind is not None:
        address, _, options = rest.partition("?")
        return BoardSpec(text.partition("?")[0], kind, address, dict(parse_qsl(options, keep_blank_values=True)))
    if port_name.is_url(text):
        return BoardSpec(text, SERIAL, text)
    raise HilError(f"board {text}: unknown kind {named[1]}; {_choices(kinds, names)}")


def _choices(kinds: Collection[str], names: Collection[str]) -> str:
    urls = [f"{scheme}://" for scheme in port_name.url_schemes()]
    known = [EMULATED, AUTO, *names, "a port", *(f"{kind}:" for kind in kinds), *urls]
    return f"choose {', '.join(known)}, or give it a name in {FILE}"
