"""What of the log of a failed build a person needs: one line."""

import re
from collections.abc import Iterator

_OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes?")
_FULL_DISK = re.compile(r"No space left on device")

# In the order in which they are looked for. Where the linker failed, collect2 says only that.
_ERRORS = (
    re.compile(r"^(?!collect2: error: ld returned).*?:\d+:(?:\d+:)? (?:fatal )?error: .*$", re.MULTILINE),
    re.compile(r"^.*(?:undefined reference to |multiple definition of |/ld: cannot |/ld: warning: ).*$", re.MULTILINE),
    re.compile(r"^.*/ld: (?!.*: in function ).*$", re.MULTILINE),
    re.compile(r"^(?!collect2: error: ld returned)(?!\*\*\*).*?\berror: .*$", re.MULTILINE | re.IGNORECASE),
)
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n((?:[ \t].*\n)+)(\S.*)$", re.MULTILINE)
_PLACE = re.compile(r'File "(.+)", line (\d+)')
_SCONS = re.compile(r"^(?:scons: )?\*\*\* (.*)$", re.MULTILINE)
# PlatformIO's frame and its table of results.
_NOISE = re.compile(r"^(?:[=-]{3,}.*|Environment\s+Status\s+Duration|\S+\s+(?:FAILED|SUCCESS)\s+[\d:.]+)?\s*$")


def overflow(log: str) -> dict[str, int]:
    """By how many bytes a build's image exceeds each region of memory; empty where it fits, or there is none."""
    return {region: int(size) for region, size in _OVERFLOW.findall(log)}


def explain(log: str) -> str:
    """The first error in the log of a failed build, with its file and line where it has one."""
    if _FULL_DISK.search(log):
        return "the build failed because the disk is full; free some space"
    return f"the build failed: {next(_candidates(log), 'PlatformIO said nothing')}"


def _candidates(log: str) -> Iterator[str]:
    for pattern in _ERRORS[:-1]:
        if found := pattern.search(log):
            yield found.group().strip()
    if found := _TRACEBACK.search(log):
        *_, (file, line) = _PLACE.findall(found.group(1))
        yield f"{file}:{line}: {found.group(2)}"
    for pattern in (_ERRORS[-1], _SCONS):
        if found := pattern.search(log):
            yield found.group().strip()
    yield from (line.strip() for line in reversed(log.splitlines()) if not _NOISE.match(line))
