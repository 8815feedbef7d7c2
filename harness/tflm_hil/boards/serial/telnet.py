"""Telnet where a plain stream of bytes was asked for."""

import re

# IAC and one of WILL, WONT, DO, DONT, and an option: RFC 854. A server greets with several of them.
_GREETING = re.compile(rb"(\xff[\xfb-\xfe][\x00-\x31]){2}")

GREETING_BYTES = 6
"""How much of a line has to be seen."""


def speaks_telnet(first: bytes) -> bool:
    """Whether the first bytes of a line are a Telnet server's greeting. Such a server doubles each 0xFF of the data."""
    return _GREETING.match(first) is not None
